"""Where the table tests send their requests: a ledger in memory behind the real commit path."""

from dataclasses import replace
from typing import Any

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.order import OrderedLine
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.rules.asking import Group, Parcel, order
from tests.rules.memory_ledger import MemoryLedger, WatchedLedger

NOON = 1_714_478_400 * MICROSECONDS_A_SECOND
"""2024-04-30T12:00:00Z"""


class Desk:
    """Takes requests; several sent at once are one batch."""

    def __init__(self) -> None:
        self.stored = MemoryLedger()
        self.ledger = WatchedLedger(self.stored)

    def send(self, *requests: Parcel | Command) -> list[Outcome | Fault]:
        commands = [request.command() if isinstance(request, Parcel) else request for request in requests]
        sound = [command for command in commands if not isinstance(command, Refusal)]
        outcomes = iter(commit_batch(self.ledger, sound, NOON))
        return [command if isinstance(command, Refusal) else next(outcomes) for command in commands]

    def order(self, order_id: int, *lines: OrderedLine, reference: str | None = None) -> None:
        """Have this order in the ledger."""
        assert isinstance(self.send(order(order_id, *lines, reference=reference))[0], Done)

    def ship(self, *groups: Group, **options: Any) -> Outcome | Fault:
        """Send a parcel of these orders."""
        return self.send(Parcel(groups, **options))[0]

    def fulfilled(self, order_id: int) -> list[int]:
        """What was shipped of each line of an order."""
        return [line.fulfilled for line in self.stored.orders[order_id].lines]

    def events(self, order_id: int) -> list[str]:
        """The types of an order's events."""
        return [str(event.type) for event in self.ledger.events if event.order_id == order_id]

    def hold(self, order_id: int) -> None:
        self.stored.orders[order_id] = replace(self.stored.orders[order_id], on_hold=True)

    def cancel(self, order_id: int) -> None:
        self.stored.orders[order_id] = replace(self.stored.orders[order_id], cancelled_at=NOON)

    def snapshot(self) -> str:
        """All that is stored."""
        return repr((self.stored.orders, self.stored.fulfillments, self.stored.kept, self.ledger.events))


def body(outcome: Outcome | Fault) -> dict[str, Any]:
    """The answer of a command that was carried out."""
    assert isinstance(outcome, Done), outcome
    return outcome.body


def warnings(outcome: Outcome | Fault) -> list[str]:
    """The codes of the warnings in an answer, but for that the short numbers of tests are no carrier's."""
    codes = [warning["code"] for warning in body(outcome).get("warnings", [])]
    return [code for code in codes if code != "tracking_format_unknown"]


def items(document: dict[str, Any]) -> dict[str, int]:
    """What a fulfillment holds."""
    return {item["sku"]: item["quantity"] for item in document["line_items"]}


def reason(outcome: Outcome | Fault) -> Reason:
    """Why a command was refused."""
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


def faults(outcome: Outcome | Fault) -> list[tuple[str, str, str | None, int | None, int | None]]:
    """The details of a refusal: code, at, sku, requested, remaining."""
    assert isinstance(outcome, Refusal), outcome
    return [(fault.code, fault.at, fault.sku, fault.requested, fault.remaining) for fault in outcome.details]
