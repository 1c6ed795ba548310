"""Dates and times in the forms that other programs write; those without a zone are read in the sender's."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shipledger.importing.moments import read_moment, tidy_moment
from shipledger.timestamp import show
from tests.importing.imports import import_text, order_row

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-04-30", "2024-04-30T21:59:59Z"),
        ("2024-04-30 00:00:00.000", "2024-04-30T21:59:59Z"),
        ("2024-04-30 0:00:00", "2024-04-30T21:59:59Z"),
        ("2024-04-30T00:00:00Z", "2024-04-30T00:00:00Z"),
        ("2024-04-30 08:26:00", "2024-04-30T06:26:00Z"),
        ("2024-01-30 8:26", "2024-01-30T07:26:00Z"),
        ("2024-04-30T12:00:00.123456789+02:00", "2024-04-30T10:00:00Z"),
        ("2024-04-30 12:00:00 -0500", "2024-04-30T17:00:00Z"),
        ("2024-04-30 12:00:00 UTC", "2024-04-30T12:00:00Z"),
        ("2024/4/3", "2024-04-03T21:59:59Z"),
        ("30.04.2024", "2024-04-30T21:59:59Z"),
        ("30.4.2024 14:05", "2024-04-30T12:05:00Z"),
        ("4/30/2024 14:05", "2024-04-30T12:05:00Z"),
        ("30/04/2024", "2024-04-30T21:59:59Z"),
        ("5/5/2024", "2024-05-05T21:59:59Z"),
    ],
)
def test_a_moment_is_read_as_it_is_written(text: str, moment: str) -> None:
    assert show(read_moment(text, BERLIN)) == moment


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4/5/2024", "may be day/month or month/day"),
        ("2024-02-30", "the calendar has"),
        ("2024-13-01", "the calendar has"),
        ("2024-04-30 25:00", "the calendar has"),
        ("0001-01-01T00:00:00+14:00", "the calendar has"),
        ("tomorrow", "is not a date"),
        ("20240430", "is not a date"),
        ("45412", "is not a date"),
    ],
)
def test_what_is_no_moment_or_more_than_one_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_moment(text, BERLIN)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2024-04-30", "2024-04-30"),
        ("1996-07-04 00:00:00.000", "1996-07-04"),
        ("2010-12-01 08:26:00", "2010-12-01T07:26:00Z"),
        ("4/5/2024 8:00", "4/5/2024 8:00"),
        ("last week", "last week"),
    ],
)
def test_when_something_was_ordered_is_kept_as_well_as_it_is_known(text: str, kept: str) -> None:
    assert tidy_moment(text, BERLIN) == kept


def test_the_zone_is_that_of_the_import(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity,ship_by\nA,X,1,2024-04-30\n", zone="Asia/Tokyo")
    assert show(order_row(tmp_path / "ledger.db", "A", "ship_by")) == "2024-04-30T14:59:59Z"


def test_an_order_with_a_date_that_is_none_is_rejected_whole(tmp_path: Path) -> None:
    imported = import_text(tmp_path, "order,sku,quantity,deliver_by\nA,X,1,4/5/2024\nA,Y,1,\nB,X,1,\n")
    assert imported.reasons == {"deliver_by may be day/month or month/day (write 2024-04-30)": 2}
    assert imported.orders_taken == 1
