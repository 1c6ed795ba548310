"""Moments: RFC 3339 in, UTC seconds with a Z out; a bare date is the end of that day."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipledger.timestamp import MICROSECONDS_A_SECOND, from_datetime, parse, show, show_or_none

FIRST, LAST = parse("0001-01-01T00:00:00Z", UTC), parse("9999-12-31T23:59:59Z", UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-04-30T12:00:00Z", "2024-04-30T12:00:00Z"),
        ("2024-04-30t12:00:00z", "2024-04-30T12:00:00Z"),
        ("2024-04-30 12:00:00Z", "2024-04-30T12:00:00Z"),
        ("2024-04-30T14:30:00+02:30", "2024-04-30T12:00:00Z"),
        ("2024-04-30T12:00:00-00:00", "2024-04-30T12:00:00Z"),
        ("2024-04-30T23:59:59.999999999Z", "2024-04-30T23:59:59Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2024-02-29", "2024-02-29T23:59:59Z"),
    ],
)
def test_reads(text: str, shown: str) -> None:
    assert show(parse(text, UTC)) == shown


def test_a_moment_keeps_its_microseconds() -> None:
    assert parse("1970-01-01T00:00:01.000002Z", UTC) == MICROSECONDS_A_SECOND + 2


@pytest.mark.parametrize(
    ("zone", "date", "start", "end"),
    [
        ("UTC", "2024-04-30", "2024-04-30T00:00:00Z", "2024-04-30T23:59:59Z"),
        ("Europe/Berlin", "2024-04-30", "2024-04-29T22:00:00Z", "2024-04-30T21:59:59Z"),
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59Z"),
        # Clocks go from 24:00 back to 23:00: the last hour of the day comes twice.
        ("America/Santiago", "2024-04-06", "2024-04-06T03:00:00Z", "2024-04-07T03:59:59Z"),
        # Clocks go from 00:00 to 01:00: the day begins at 01:00.
        ("America/Santiago", "2024-09-08", "2024-09-08T04:00:00Z", "2024-09-09T02:59:59Z"),
    ],
)
def test_a_bare_date_is_a_day_of_the_zone(zone: str, date: str, start: str, end: str) -> None:
    assert show(parse(date, ZoneInfo(zone), start_of_day=True)) == start
    assert show(parse(date, ZoneInfo(zone))) == end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-04-30T12:00:00",
        "2024-04-30T12:00Z",
        "2024-4-30",
        "20240430T120000Z",
        "2024-W18-2",
        "2024-04-30T12:00:00Z\n",
        " 2024-04-30",
        "2024-04-30T12:00:00.Z",
        "2024-04-30T12:00:00,5Z",
        "2024-04-30T24:00:00Z",
        "2024-04-30T12:60:00Z",
        "2024-04-30T12:00:00+00:99",
        "2024-04-30T12:00:00+24:00",
        "2024-04-30T12:00:00+02",
        "\u0662\u0660\u0662\u0664-04-30",
    ],
)
def test_what_is_not_rfc_3339_is_told_how_to_be(text: str) -> None:
    with pytest.raises(ValueError, match="must be RFC 3339 with a zone"):
        parse(text, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2024-13-01",
        "0000-01-01",
        "2016-12-31T23:59:60Z",
        "2024-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a moment that the calendar has"):
        parse(text, UTC)


def test_a_date_beyond_the_last_year_is_refused_in_any_zone() -> None:
    with pytest.raises(ValueError, match="is not a moment that the calendar has"):
        parse("9999-12-31", ZoneInfo("America/Santiago"))


def test_nothing_is_shown_as_nothing() -> None:
    assert show_or_none(None) is None
    assert show_or_none(0) == "1970-01-01T00:00:00Z"


@given(st.integers(FIRST, LAST))
def test_what_is_shown_is_read_as_the_same_second(moment: int) -> None:
    assert parse(show(moment), UTC) == moment - moment % MICROSECONDS_A_SECOND


@given(st.datetimes(timezones=st.timezones()).filter(lambda moment: 1 < moment.year < 9999))
def test_a_datetime_is_the_moment_that_its_zone_means(moment: datetime) -> None:
    assert from_datetime(moment) == parse(moment.astimezone(UTC).isoformat(timespec="microseconds"), UTC)
