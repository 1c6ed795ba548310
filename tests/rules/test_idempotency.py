"""A key makes a request safe to repeat: the first success under it is its answer for ever."""

from dataclasses import replace
from typing import Any

import pytest

from shipledger.commit import batch
from shipledger.outcome import Crashed, Done
from shipledger.refusal import Reason
from tests.rules.asking import Group, Parcel, line, order
from tests.rules.desk import Desk, body, faults, items, reason

ONE_OF_A = (("A", 1),)
PARCEL = Parcel(((1, ONE_OF_A),), key="k")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.order(1, line("A", 9), reference="#1")
    desk.order(2, line("A", 9))
    return desk


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("groups", [((1, ONE_OF_A),), ((1, ONE_OF_A), (2, None))], ids=["one order", "two orders"])
def test_the_first_answer_is_given_again(desk: Desk, groups: tuple[Group, ...], is_one_batch: bool) -> None:
    parcel = Parcel(groups, key="k")
    outcomes = desk.send(parcel, parcel) if is_one_batch else [*desk.send(parcel), *desk.send(parcel)]
    first, again = outcomes
    assert isinstance(first, Done)
    assert again == replace(first, replayed=True)
    assert desk.fulfilled(1) == [1]
    assert len(desk.ledger.fulfillments) == len(groups)


def test_warnings_are_given_again_too(desk: Desk) -> None:
    desk.ship((1, ONE_OF_A))
    first, again = desk.send(PARCEL, PARCEL)
    assert body(first)["warnings"] == body(again)["warnings"]


@pytest.mark.parametrize("change", ["hold", "cancel"])
def test_it_is_given_again_whatever_became_of_the_order(desk: Desk, change: str) -> None:
    (first,) = desk.send(PARCEL)
    getattr(desk, change)(1)
    assert body(desk.send(PARCEL)[0]) == body(first)


@pytest.mark.parametrize(
    "another",
    [
        replace(PARCEL, number="T2"),
        replace(PARCEL, groups=((1, (("A", 2),)),)),
        replace(PARCEL, groups=((1, None),)),
        replace(PARCEL, groups=(("#1", ONE_OF_A),)),
        replace(PARCEL, groups=((99, ONE_OF_A),)),
        replace(PARCEL, groups=((1, (("UNKNOWN", 1),)),)),
        order(3, line("A", 1), key="k"),
    ],
    ids=["number", "quantity", "omitted", "reference", "unknown order", "unknown sku", "an order"],
)
def test_a_key_of_another_request_is_refused_before_anything_is_looked_up(desk: Desk, another: Any) -> None:
    desk.send(PARCEL)
    before = desk.snapshot()
    (outcome,) = desk.send(another)
    assert reason(outcome) is Reason.KEY_REUSED
    assert faults(outcome) == [("idempotency_key_reused", "Idempotency-Key", None, None, None)]
    assert desk.snapshot() == before


def test_a_refusal_is_not_kept_and_can_be_mended_under_its_key(desk: Desk) -> None:
    assert reason(desk.ship((1, (("A", 99),)), key="k")) is Reason.INVALID_LINES
    assert items(body(desk.ship((1, (("A", 9),)), key="k"))) == {"A": 9}


def test_a_crash_is_not_kept_and_the_request_can_be_sent_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*asked: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(batch, "keep_answer", crash)
        crashed, other = desk.send(PARCEL, Parcel(((2, ONE_OF_A),), key="other"))
    assert isinstance(crashed, Crashed)
    assert isinstance(other, Crashed)
    assert (desk.fulfilled(1), desk.ledger.fulfillments, desk.stored.kept) == ([0], [], {})
    assert items(body(desk.send(PARCEL)[0])) == {"A": 1}


def test_a_dry_run_ignores_the_key(desk: Desk) -> None:
    dry_run = replace(PARCEL, dry_run=True)
    before, real, after = desk.send(dry_run, PARCEL, dry_run)
    assert [body(outcome)["status"] for outcome in (before, real, after)] == ["dry_run", "created", "dry_run"]
    assert isinstance(after, Done)
    assert not after.replayed
    another = replace(dry_run, groups=((1, None),))
    assert body(desk.send(another)[0])["status"] == "dry_run"


def test_an_order_is_recorded_once_under_its_key(desk: Desk) -> None:
    nameless = order(None, line("A", 1), key="k")
    first, again = desk.send(nameless, nameless)
    assert isinstance(first, Done)
    assert again == replace(first, replayed=True)
    assert len(desk.stored.orders) == 3


def test_different_keys_are_different_requests(desk: Desk) -> None:
    desk.send(PARCEL, replace(PARCEL, key="K"), replace(PARCEL, key=None))
    assert desk.fulfilled(1) == [3]
