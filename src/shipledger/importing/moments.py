"""Dates and times as other programs write them. One without a zone is read in the sender's."""

import re
from datetime import date, datetime, time, tzinfo
from functools import lru_cache

from shipledger.importing.reading import Rejected
from shipledger.timestamp import Microseconds, from_datetime, show

_TIME = r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
_ZONE = r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?"
_DATES = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    r"(?P<first>\d{1,2})/(?P<second_>\d{1,2})/(?P<year>\d{4})",
)
_FORMS = [re.compile(form + _TIME + _ZONE, re.ASCII) for form in _DATES]
_MONTHS = 12


@lru_cache(maxsize=4_096)
def read_moment(text: str, zone: tzinfo) -> Microseconds:
    """A moment. A date means the end of that day, and so does midnight without a zone: databases write dates so.

    Raises ValueError with the end of a sentence.
    """
    moment = _read(text, zone)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(23, 59, 59), tzinfo=zone)
    return _microseconds(moment)


@lru_cache(maxsize=4_096)
def tidy_moment(text: str, zone: tzinfo) -> str:
    """A moment in UTC as RFC 3339 has it, a date as a date, and any other text as it is."""
    try:
        moment = _read(text, zone)
        return show(_microseconds(moment)) if isinstance(moment, datetime) else moment.isoformat()
    except ValueError:
        return text


def _read(text: str, zone: tzinfo) -> date | datetime:
    parts = next((match.groupdict() for form in _FORMS if (match := form.fullmatch(text.strip()))), None)
    if parts is None:
        raise ValueError("is not a date (write 2024-04-30, or 2024-04-30T12:00:00Z)")
    try:
        day = date(int(parts["year"]), *_month_and_day(parts))
        if parts["hour"] is None:
            return day
        fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
        at = time(int(parts["hour"]), int(parts["minute"]), int(parts["second"] or 0), int(fraction))
    except ValueError as error:
        raise ValueError(str(error) if "may be" in str(error) else "is not a date that the calendar has") from None
    if parts["zone"] is None and at == time():
        return day
    return datetime.combine(day, at, tzinfo=zone if parts["zone"] is None else _offset(parts["zone"]))


def _month_and_day(parts: dict[str, str | None]) -> tuple[int, int]:
    if parts.get("first") is None:
        return int(parts["month"] or 0), int(parts["day"] or 0)
    first, second = int(parts["first"] or 0), int(parts["second_"] or 0)
    if first <= _MONTHS and second <= _MONTHS and first != second:
        raise ValueError("may be day/month or month/day (write 2024-04-30)")
    return (second, first) if first > _MONTHS else (first, second)


def _offset(text: str) -> tzinfo:
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{'Z' if text[0] not in '+-' else text}").tzinfo
    if zone is None:
        raise ValueError("is not a date that the calendar has")
    return zone


def _microseconds(moment: datetime) -> Microseconds:
    try:
        return from_datetime(moment)
    except OverflowError:
        raise ValueError("is not a date that the calendar has") from None


def moment_field(name: str, text: str, zone: tzinfo) -> Microseconds:
    """A moment of a row's field. Raises Rejected."""
    try:
        return read_moment(text, zone)
    except ValueError as error:
        raise Rejected(f"{name} {error}") from None
