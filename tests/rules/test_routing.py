"""Where lines of new orders go: a line's own partner, an exact sku, the longest prefix, the channel; else nowhere."""

from dataclasses import replace
from typing import Any

import pytest

from shipledger.command import CreateOrder
from shipledger.commit.batch import commit_batch
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason
from shipledger.routing import PutPartner, Rules, routing_of
from tests.rules.asking import line, origin
from tests.rules.desk import NOON, Desk, body, reason

RULES = {
    "exact": Rules(skus=("RED-1", "BLUE")),
    "red": Rules(sku_prefixes=("RED-",)),
    "redder": Rules(sku_prefixes=("RED-9", "R")),
    "shop": Rules(channels=("shop",)),
}


def put(name: str, rules: Rules, **options: Any) -> PutPartner:
    return PutPartner(origin(), name, rules, **options)


def order(order_id: int | None, *lines: OrderedLine, channel: str | None = None) -> CreateOrder:
    return CreateOrder(origin(), OrderContent(order_id, lines, channel=channel))


def send(desk: Desk, *commands: Any) -> list[Outcome | Fault]:
    return commit_batch(desk.ledger, commands, NOON)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    assert all(isinstance(done, Done) for done in send(desk, *(put(name, rules) for name, rules in RULES.items())))
    return desk


@pytest.mark.parametrize(
    ("sku", "channel", "partner"),
    [
        ("RED-1", None, "exact"),
        ("RED-1", "shop", "exact"),
        ("RED-2", None, "red"),
        ("RED-", None, "red"),
        ("RED-9", None, "redder"),
        ("RED-99", "shop", "redder"),
        ("RE", "shop", "redder"),
        ("red-2", None, None),
        ("red-2", "shop", "shop"),
        ("BLUE-2", None, None),
        ("GREEN", "shop", "shop"),
        ("GREEN", "Shop", None),
    ],
)
def test_the_strongest_rule_wins(desk: Desk, sku: str, channel: str | None, partner: str | None) -> None:
    shown = body(send(desk, order(1, line(sku, 1), channel=channel))[0])["line_items"]
    assert [item["partner"] for item in shown] == [partner]


def test_a_line_s_own_partner_always_wins(desk: Desk) -> None:
    send(desk, order(1, line("RED-1", 1, "own"), line("RED-1", 1), line("X", 1), channel="shop"))
    assert [one.partner for one in desk.stored.orders[1].lines] == ["own", "exact", "shop"]
    assert desk.ledger.events[-1].data is not None
    assert [one["partner"] for one in desk.ledger.events[-1].data["line_items"]] == ["own", "exact", "shop"]


def test_without_rules_lines_stay_the_operator_s() -> None:
    desk = Desk()
    send(desk, order(1, line("RED-1", 1), channel="shop"))
    assert [one.partner for one in desk.stored.orders[1].lines] == [None]
    assert routing_of([]).holder_of("skus", "RED-1") is None


def test_rules_are_applied_once_when_an_order_is_created(desk: Desk) -> None:
    send(desk, order(1, line("RED-1", 1)))
    send(desk, put("exact", Rules()), put("red", Rules(skus=("RED-1",))))
    again, _ = send(desk, order(1, line("RED-1", 1)), order(2, line("RED-1", 1)))
    assert isinstance(again, Done)
    assert not again.is_new, "the same order, as its sender said it"
    assert [desk.stored.orders[i].lines[0].partner for i in (1, 2)] == ["exact", "red"]


def test_within_a_batch_an_order_is_routed_by_what_came_before_it(desk: Desk) -> None:
    send(desk, order(1, line("NEW", 1)), put("late", Rules(skus=("NEW",))), order(2, line("NEW", 1)))
    assert [desk.stored.orders[i].lines[0].partner for i in (1, 2)] == [None, "late"]


def test_a_rule_belongs_to_one_partner(desk: Desk) -> None:
    before = desk.snapshot()
    refused = send(desk, put("thief", Rules(skus=("FREE", "RED-1"), sku_prefixes=("RED-",), channels=("shop",))))[0]
    assert reason(refused) is Reason.RULE_TAKEN
    assert [fault.at for fault in refused.details] == ["skus[1]", "sku_prefixes[0]", "channels[0]"]  # type: ignore[union-attr]
    assert desk.snapshot() == before
    free = put("exact", Rules(skus=("BLUE",))), put("heir", Rules(skus=("RED-1",), sku_prefixes=("RED-1",)))
    assert all(isinstance(done, Done) for done in send(desk, *free)), "once it is free, another may have it"


def test_the_same_rules_again_change_nothing(desk: Desk) -> None:
    before = desk.snapshot()
    (again,) = send(desk, put("exact", RULES["exact"]))
    assert isinstance(again, Done)
    assert not again.is_new
    assert desk.snapshot() == before
    assert body(again) == {
        "name": "exact", "skus": ["RED-1", "BLUE"], "sku_prefixes": [], "channels": [],
        "changed_at": "2024-04-30T12:00:00Z",
    }  # fmt: skip


def test_each_change_is_in_the_audit_trail_and_of_no_order(desk: Desk) -> None:
    send(desk, put("exact", Rules()))
    event = desk.ledger.events[-1]
    assert (event.type, event.order_id, event.sequence) == ("partner.changed", None, None)
    assert event.data == {
        "name": "exact", "skus": [], "sku_prefixes": [], "channels": [], "changed_at": "2024-04-30T12:00:00Z",
    }  # fmt: skip


def test_a_partner_neither_brings_orders_nor_routes(desk: Desk) -> None:
    before = desk.snapshot()
    commands = order(None, line("A", 1, "red")), order(1, line("A", 1)), put("red", Rules())
    refused = send(desk, *(replace(command, origin=origin("red")) for command in commands))
    assert {reason(outcome) for outcome in refused} == {Reason.NOT_FOUND}
    assert desk.snapshot() == before


def test_a_partner_sees_an_order_that_was_routed_to_it(desk: Desk) -> None:
    send(desk, order(1, line("RED-1", 2), line("RED-2", 1)))
    assert isinstance(desk.ship((1, None), partner="exact"), Done)
    assert desk.fulfilled(1) == [2, 0]
