"""The totals of partners are kept with every batch: they are what all lines amount to, whatever was loaded of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from shipledger import partner_totals
from shipledger.command import Command
from shipledger.order import OrderContent, OrderedLine
from shipledger.partner_totals import TotalsChange
from shipledger.storage.port import Ledger
from shipledger.storage.sqlite_checking import check_ledger
from tests.commit.commands import NOW, new_ledger, order, ship
from tests.storage.conftest import Database
from tests.storage.test_conformance import commit

DAY = 86_400_000_000


def due(order_id: int, *lines: tuple[str, int, str | None], ship_by: int | None = None) -> Command:
    ordered = tuple(OrderedLine(sku, quantity, partner=partner) for sku, quantity, partner in lines)
    return replace(order(order_id), content=OrderContent(order_id, ordered, ship_by=ship_by))


def totals(database: Database) -> dict[str, tuple[int, ...]]:
    """Open quantity, open orders, lines on time, lines late, by partner."""
    rows = database.query(
        "SELECT partner, sum(open_quantity), sum(open_orders), sum(lines_on_time), sum(lines_late)"
        " FROM partner_totals GROUP BY partner"
    )
    return {partner: tuple(int(number) for number in numbers) for partner, *numbers in rows}


def test_what_remains_and_where_is_counted_by_partner(database: Database, ledger: Ledger) -> None:
    commit(ledger, due(1, ("A", 3, None), ("B", 2, "east"), ("C", 1, "east")), due(2, ("A", 5, "east")))
    assert totals(database) == {"": (3, 1, 0, 0), "east": (8, 2, 0, 0)}
    commit(ledger, ship(1, ("B", 2)))
    assert totals(database) == {"": (3, 1, 0, 0), "east": (6, 2, 0, 0)}, "C of the same order remains, not loaded"
    commit(ledger, ship(1, ("C", 1)))
    assert totals(database) == {"": (3, 1, 0, 0), "east": (5, 1, 0, 0)}, "A remains, of another partner"
    commit(ledger, ship(1, ("A", 3)), ship(2))
    assert totals(database) == {"": (0, 0, 0, 0), "east": (0, 0, 0, 0)}


def test_lines_are_counted_when_they_are_complete(database: Database, ledger: Ledger) -> None:
    lines = ("A", 2, "east"), ("B", 1, "east"), ("A", 1, None)
    commit(ledger, due(1, *lines, ship_by=NOW), due(2, *lines, ship_by=NOW - 1), due(3, *lines))
    commit(ledger, *(ship(order_id, ("A", 1)) for order_id in (1, 2, 3)))
    assert totals(database)["east"][2:] == (0, 0)
    commit(ledger, *(ship(order_id) for order_id in (1, 2, 3)))
    assert totals(database) == {"": (0, 0, 1, 1), "east": (0, 0, 2, 2)}


def test_an_order_that_comes_and_is_shipped_in_one_batch_is_counted(database: Database, ledger: Ledger) -> None:
    commit(ledger, due(1, ("A", 1, "east"), ship_by=NOW + DAY), due(2, ("A", 4, None)), ship(1), ship(2, ("A", 3)))
    assert totals(database) == {"": (1, 1, 0, 0), "east": (0, 0, 1, 0)}


@pytest.mark.parametrize(
    "broken",
    [
        lambda change, *asked: None,
        lambda change, open_before, open_after: TotalsChange.__dict__["_settle"](change, open_before, []),
    ],
    ids=["shares in doubt are not counted", "what was not loaded is taken for complete"],
)
def test_check_finds_totals_that_were_kept_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: object
) -> None:
    monkeypatch.setattr(partner_totals.TotalsChange, "_settle", TotalsChange.settle, raising=False)
    monkeypatch.setattr(partner_totals.TotalsChange, "settle", broken)
    ledger = new_ledger(tmp_path / "ledger.db")
    commit(ledger, due(1, ("A", 1, "east"), ("B", 1, "east"), ("C", 1, None)), due(2, ("A", 1, "east"), ("B", 1, None)))
    commit(ledger, ship(1, ("A", 1)), ship(2, ("A", 1)))
    ledger.close()
    assert [finding.invariant for finding in check_ledger(tmp_path / "ledger.db") if finding.broken] == [
        "a partner's totals are what its lines amount to"
    ]
