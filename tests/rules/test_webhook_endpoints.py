"""The rules of webhook endpoints: whose they are, and what becomes of them."""

from dataclasses import replace

import pytest

from shipledger.commit.batch import commit_batch
from shipledger.event import Event
from shipledger.limits import WEBHOOKS_MAX
from shipledger.origin import Origin
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.webhook import (
    ChangeEndpoint,
    CreateEndpoint,
    DeleteEndpoint,
    Disabled,
    Endpoint,
    EndpointChanges,
    EndpointCommand,
    RotateSecret,
    Sealed,
)
from tests.rules.asking import origin
from tests.rules.memory_ledger import MemoryLedger, WatchedLedger

NOW = 1_700_000_000_000_000
DAY = 24 * 3_600 * 1_000_000
ACME = replace(origin(), account="partner:acme", partner="acme")
OTHER = replace(origin(), account="partner:other", partner="other")
OLD, NEW = Sealed(b"old", b"the key"), Sealed(b"new", b"the key")


class Desk:
    def __init__(self) -> None:
        self.memory = MemoryLedger()
        self.ledger = WatchedLedger(self.memory)

    def ask(self, command: EndpointCommand, now: int = NOW) -> Outcome:
        (outcome,) = commit_batch(self.ledger, [command], now)
        assert not isinstance(outcome, Fault), outcome
        return outcome

    def create(self, who: Origin | None = None, sealed: Sealed = OLD) -> Endpoint:
        outcome = self.ask(CreateEndpoint(who or origin(), "https://example.com/", None, ("*",), False, sealed))
        assert isinstance(outcome, Done)
        return self.endpoint(outcome.made_id or 0)

    def endpoint(self, endpoint_id: int) -> Endpoint:
        return self.memory.endpoints[endpoint_id]

    @property
    def told(self) -> list[Event]:
        return self.ledger.events


@pytest.fixture
def desk() -> Desk:
    return Desk()


def every_command(who: Origin, endpoint_id: int) -> tuple[EndpointCommand, ...]:
    return (
        ChangeEndpoint(who, endpoint_id, EndpointChanges(url="https://example.org/")),
        RotateSecret(who, endpoint_id, NEW),
        DeleteEndpoint(who, endpoint_id),
    )


def test_a_partner_s_endpoint_is_its_own_and_the_operator_s(desk: Desk) -> None:
    endpoint = desk.create(ACME)
    assert endpoint.partner == "acme"
    for command in every_command(OTHER, endpoint.id):
        assert desk.ask(command) == Refusal(Reason.NOT_FOUND)
    for command in every_command(origin(), endpoint.id)[:2] + every_command(ACME, endpoint.id):
        assert isinstance(desk.ask(command), Done)


def test_the_operator_s_endpoint_is_no_partner_s(desk: Desk) -> None:
    endpoint = desk.create()
    for command in every_command(ACME, endpoint.id):
        assert desk.ask(command) == Refusal(Reason.NOT_FOUND)


def test_what_was_deleted_is_not_there_and_its_id_is_not_given_again(desk: Desk) -> None:
    endpoint = desk.create()
    assert isinstance(desk.ask(DeleteEndpoint(origin(), endpoint.id)), Done)
    for command in every_command(origin(), endpoint.id):
        assert desk.ask(command) == Refusal(Reason.NOT_FOUND)
    assert desk.create().id == endpoint.id + 1


def test_each_account_has_so_many_and_no_more(desk: Desk) -> None:
    for _ in range(WEBHOOKS_MAX):
        desk.create(ACME)
    outcome = desk.ask(CreateEndpoint(ACME, "https://example.com/", None, ("*",), False, OLD))
    assert isinstance(outcome, Refusal)
    assert outcome.details[0].code == "too_many_webhooks"
    assert desk.create(OTHER).partner == "other"
    desk.ask(DeleteEndpoint(ACME, 1))
    assert desk.create(ACME).partner == "acme"


def test_disabling_and_enabling_are_remembered(desk: Desk) -> None:
    endpoint = desk.create()
    desk.ask(ChangeEndpoint(origin(), endpoint.id, EndpointChanges(is_enabled=False)), NOW + 1)
    disabled = desk.endpoint(endpoint.id)
    assert (disabled.disabled_at, disabled.disabled_because) == (NOW + 1, Disabled.BY_HAND)
    desk.ask(ChangeEndpoint(origin(), endpoint.id, EndpointChanges(is_enabled=False)), NOW + 2)
    assert desk.endpoint(endpoint.id).disabled_at == NOW + 1
    place = desk.told[-1].id
    desk.ask(ChangeEndpoint(origin(), endpoint.id, EndpointChanges(is_enabled=True)), NOW + 3)
    enabled = desk.endpoint(endpoint.id)
    assert (enabled.disabled_at, enabled.disabled_because, enabled.in_order_up_to) == (None, None, place)


def test_what_a_change_does_not_name_stays(desk: Desk) -> None:
    endpoint = desk.create()
    desk.ask(ChangeEndpoint(origin(), endpoint.id, EndpointChanges(description="ours", is_ordered=True)))
    desk.ask(ChangeEndpoint(origin(), endpoint.id, EndpointChanges(event_types=("order.created",))))
    changed = desk.endpoint(endpoint.id)
    assert changed == replace(endpoint, description="ours", is_ordered=True, event_types=("order.created",))


def test_a_replaced_secret_signs_for_a_day_if_it_can(desk: Desk) -> None:
    endpoint = desk.create()
    desk.ask(RotateSecret(origin(), endpoint.id, NEW))
    rotated = desk.endpoint(endpoint.id)
    assert (rotated.sealed, rotated.previous_salt, rotated.previous_until) == (NEW, b"old", NOW + DAY)
    desk.ask(RotateSecret(origin(), endpoint.id, Sealed(b"newer", b"another key")))
    rotated = desk.endpoint(endpoint.id)
    assert (rotated.previous_salt, rotated.previous_until) == (None, None)


def test_every_change_is_told_to_the_audit_and_never_with_a_salt(desk: Desk) -> None:
    endpoint = desk.create(ACME)
    for command in every_command(ACME, endpoint.id):
        desk.ask(command)
    types = ["webhook.created", "webhook.changed", "webhook.rotated", "webhook.deleted"]
    assert [str(event.type) for event in desk.told] == types
    for event in desk.told:
        assert (event.order_id, event.sequence, event.origin) == (None, None, ACME)
        assert not any(isinstance(value, bytes) for value in (event.data or {}).values())
