"""The rules of API keys: who may hold what, and how a key ends."""

import re
from typing import Any

import pytest

from shipledger.commit.batch import commit_batch
from shipledger.key import (
    PUBLIC_BYTES,
    SECRET_BYTES,
    CreateKey,
    Key,
    KeyCommand,
    NoteKeyUse,
    RevokeKey,
    Role,
    RotateKey,
    Scope,
    digest_of,
    mint,
)
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.rules.asking import origin
from tests.rules.desk import Desk, body, reason
from tests.rules.key_asking import create
from tests.rules.memory_ledger import MemoryLedger

NOON = 1_714_478_400 * MICROSECONDS_A_SECOND
HOUR = 3_600 * MICROSECONDS_A_SECOND


class Office(Desk):
    """A desk that takes commands about keys, each at its own time."""

    def ask(self, command: KeyCommand, now: int = NOON) -> Outcome | Fault:
        return commit_batch(self.ledger, [command], now)[0]

    def key(self, key_id: int) -> Key:
        assert isinstance(self.stored, MemoryLedger)
        return self.stored.keys[key_id]

    @property
    def told(self) -> list[tuple[str, int]]:
        """What the audit trail holds: the type of each event, and the key that it tells of."""
        return [(str(event.type), event.data["id"]) for event in self.ledger.events if event.data is not None]


@pytest.fixture
def office() -> Office:
    """A ledger with an operator's key (1) and a partner's (2)."""
    office = Office()
    assert isinstance(office.ask(create(1)), Done)
    assert isinstance(office.ask(create(2, Role.PARTNER, "acme")), Done)
    return office


def rotate(key_id: int, number: int = 9, overlap_seconds: int = 3_600, **rest: Any) -> RotateKey:
    _, credential = mint(bytes([number]) * (PUBLIC_BYTES + SECRET_BYTES))
    return RotateKey(origin(), key_id, credential, overlap_seconds, **rest)


def codes(outcome: Outcome | Fault) -> list[str]:
    assert isinstance(outcome, Refusal), outcome
    return [detail.code for detail in outcome.details]


def test_a_key_s_text_is_its_public_part_and_a_secret_of_which_the_hash_is_stored() -> None:
    chance = bytes(range(PUBLIC_BYTES + SECRET_BYTES))
    text, credential = mint(chance)
    found = re.fullmatch(r"sl_([0-9A-Za-z]{11})_([0-9A-Za-z]{43})", text)
    assert found is not None
    assert credential.public_part == found[1]
    assert credential.digest == digest_of(found[2].encode())
    assert text.startswith(credential.starts_with)


def test_each_bit_of_chance_makes_another_key() -> None:
    size = PUBLIC_BYTES + SECRET_BYTES
    texts = {mint((1 << bit).to_bytes(size))[0] for bit in range(8 * size)}
    assert len(texts) == 8 * size
    assert {len(text) for text in (*texts, mint(b"\xff" * size)[0])} == {len("sl_") + 11 + 1 + 43}


def test_the_first_key_is_an_operator_s() -> None:
    office = Office()
    refused = office.ask(create(1, Role.PARTNER, "acme"))
    assert (reason(refused), codes(refused)) == (Reason.INVALID_REQUEST, ["first_key_not_operators"])
    assert not office.ledger.events
    assert isinstance(office.ask(create(1)), Done)
    assert isinstance(office.ask(create(2, Role.PARTNER, "acme")), Done)


def test_the_first_key_is_first_within_a_batch_too() -> None:
    office = Office()
    outcomes = commit_batch(office.ledger, [create(1, Role.PARTNER, "a"), create(2), create(3, Role.PARTNER, "a")], 1)
    assert [type(outcome) for outcome in outcomes] == [Refusal, Done, Done]


def test_a_later_key_may_be_a_partner_s_when_all_were_revoked(office: Office) -> None:
    for key_id in (1, 2):
        office.ask(RevokeKey(origin(), key_id))
    assert isinstance(office.ask(create(3, Role.PARTNER, "acme")), Done)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (create(3, Role.PARTNER), ["required"]),
        (create(3, Role.OPERATOR, "acme"), ["not_for_operators"]),
        (create(3, Role.PARTNER, "acme", scopes=frozenset({Scope.KEYS})), ["scope_not_allowed"]),
        (create(3, Role.PARTNER, "acme", scopes=frozenset({Scope.ORDERS_WRITE})), ["scope_not_allowed"]),
        (create(3, Role.PARTNER, "acme", scopes=frozenset(Scope)), ["scope_not_allowed", "scope_not_allowed"]),
        (create(3, expires_at=NOON), ["in_the_past"]),
        (create(3, Role.PARTNER, expires_at=1), ["required", "in_the_past"]),
    ],
)
def test_what_a_key_may_not_be(office: Office, asked: CreateKey, expected: list[str]) -> None:
    before = len(office.ledger.events)
    assert codes(office.ask(asked)) == expected
    assert len(office.ledger.events) == before


def test_a_key_holds_the_scopes_that_were_asked_for_or_all_that_its_role_may(office: Office) -> None:
    some = frozenset({Scope.ORDERS_READ})
    assert body(office.ask(create(3, scopes=some)))["scopes"] == ["orders:read"]
    assert office.key(1).scopes == frozenset(Scope)
    assert office.key(2).scopes == frozenset(Scope) - {Scope.ORDERS_WRITE, Scope.KEYS}


def test_a_key_is_valid_until_it_expires_or_is_revoked(office: Office) -> None:
    office.ask(create(3, expires_at=NOON + HOUR))
    assert office.key(3).is_valid(NOON + HOUR - 1)
    assert not office.key(3).is_valid(NOON + HOUR)
    assert office.key(1).is_valid(NOON + 10**9 * HOUR)
    office.ask(RevokeKey(origin(), 1))
    assert not office.key(1).is_valid(NOON)


def test_revoking_is_told_once(office: Office) -> None:
    first = office.ask(RevokeKey(origin(), 2), NOON + 1)
    again = office.ask(RevokeKey(origin(), 2), NOON + HOUR)
    assert body(first) == body(again)
    assert office.key(2).revoked_at == NOON + 1
    assert office.told == [("key.created", 1), ("key.created", 2), ("key.revoked", 2)]


def test_rotation_leaves_the_old_key_its_overlap_and_gives_the_new_one_all_that_it_had(office: Office) -> None:
    made = body(office.ask(rotate(2)))
    assert made["id"] == 3
    old, new = office.key(2), office.key(3)
    assert (old.replaced_by, old.expires_at) == (3, NOON + HOUR)
    assert (new.name, new.role, new.partner, new.scopes) == (old.name, old.role, old.partner, old.scopes)
    assert new.expires_at is None
    assert new.credential != old.credential
    assert office.told[2:] == [("key.rotated", 2), ("key.created", 3)]


def test_rotation_lengthens_no_key_s_life(office: Office) -> None:
    office.ask(create(3, expires_at=NOON + 10))
    office.ask(rotate(3))
    assert office.key(3).expires_at == NOON + 10
    assert office.key(4).expires_at == NOON + 10, "unless another end is asked for, the new key has the old one's"
    office.ask(rotate(4, number=10, expires_at=NOON + HOUR))
    assert office.key(5).expires_at == NOON + HOUR


def test_without_an_overlap_the_old_key_ends_at_once(office: Office) -> None:
    office.ask(rotate(2, overlap_seconds=0))
    assert not office.key(2).is_valid(NOON)


def test_a_key_that_has_ended_is_not_rotated(office: Office) -> None:
    office.ask(create(3, expires_at=NOON + 1))
    office.ask(RevokeKey(origin(), 1))
    office.ask(rotate(2))
    for key_id, now in ((1, NOON), (2, NOON), (3, NOON + 1)):
        assert reason(office.ask(rotate(key_id, number=20 + key_id), now)) is Reason.KEY_ENDED
    assert codes(office.ask(rotate(4, number=30, expires_at=NOON))) == ["in_the_past"]


def test_a_key_that_never_was_is_not_found(office: Office) -> None:
    assert reason(office.ask(RevokeKey(origin(), 9))) is Reason.NOT_FOUND
    assert reason(office.ask(rotate(9))) is Reason.NOT_FOUND


def test_the_last_use_only_goes_forward_and_is_no_event(office: Office) -> None:
    before = len(office.ledger.events)
    for used_at in (NOON + 5, NOON + 3):
        assert isinstance(office.ask(NoteKeyUse(origin(), ((1, used_at), (9, used_at)))), Done)
    assert office.key(1).last_used_at == NOON + 5
    assert len(office.ledger.events) == before


def test_a_retry_under_a_key_makes_no_second_key(office: Office) -> None:
    first = office.ask(create(3, name="same", idempotency_key="k"))
    again = office.ask(create(4, name="same", idempotency_key="k"))
    assert isinstance(again, Done)
    assert again.replayed
    assert body(first) == body(again)
    assert 4 not in office.stored.keys
    assert reason(office.ask(create(5, name="other", idempotency_key="k"))) is Reason.KEY_REUSED


def test_no_event_and_no_answer_holds_what_lets_anyone_in(office: Office) -> None:
    office.ask(rotate(1))
    shown = repr([event.data for event in office.ledger.events]) + repr(office.stored.kept)
    for number in (1, 2, 9):
        text, credential = mint(bytes([number]) * (PUBLIC_BYTES + SECRET_BYTES))
        assert credential.starts_with in shown
        assert text not in shown
        assert text.rpartition("_")[2] not in shown
        assert repr(credential.digest) not in shown
