"""Moments are integers: microseconds since 1970-01-01T00:00:00Z. They are shown in UTC, in seconds, with a Z."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

Microseconds = int

MICROSECONDS_A_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d:\d{2}(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def show(moment: Microseconds) -> str:
    """The moment as RFC 3339 writes it, e.g. ``2024-04-30T12:00:00Z``."""
    return _show_second(moment // MICROSECONDS_A_SECOND)


@lru_cache(maxsize=1_024)
def _show_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat() + "Z"


def show_exactly_or_none(moment: Microseconds | None) -> str | None:
    """As `show`, with the fraction of the second where there is one: a moment that somebody else gave stays his."""
    if moment is None:
        return None
    second, fraction = divmod(moment, MICROSECONDS_A_SECOND)
    return f"{_show_second(second)[:-1]}.{fraction:06}Z" if fraction else _show_second(second)


def show_or_none(moment: Microseconds | None) -> str | None:
    """As `show`; None stays None."""
    return None if moment is None else show(moment)


def from_datetime(moment: datetime) -> Microseconds:
    """The integer for a datetime that knows its zone. Raises OverflowError where UTC has no such year."""
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def parse(text: str, zone: tzinfo, *, start_of_day: bool = False) -> Microseconds:
    """Read RFC 3339, or a bare date, which means the end of that day in the zone (its start, if asked).

    Raises ValueError with a sentence that says how to mend it: no zone, a leap second, a date that no calendar has.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            # Where clocks go back at midnight, the last second comes twice: the day ends with the second one.
            moment = time() if start_of_day else time(23, 59, 59, fold=1)
            return from_datetime(datetime.combine(day, moment, tzinfo=zone))
        if _RFC_3339.fullmatch(text):
            return from_datetime(datetime.fromisoformat(_microsecond_precision(text)))
    except (ValueError, OverflowError):
        raise ValueError("is not a moment that the calendar has") from None
    raise ValueError('must be RFC 3339 with a zone, e.g. "2024-04-30T12:00:00Z", or a date, e.g. "2024-04-30"')


def _microsecond_precision(text: str) -> str:
    return re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
