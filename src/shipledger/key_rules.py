"""The rules of API keys. The first one ever made is an operator's, and closes the server for good."""

from shipledger.document import key_document, with_warnings
from shipledger.event import EventType
from shipledger.key import ALLOWED_TO, CreateKey, Key, NoteKeyUse, RevokeKey, Role, RotateKey
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.working_set import WorkingSet


def create_key(command: CreateKey, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Make a key, unless a key of its role may not be what was asked for."""
    faults = [*_faults_of_role(command), *_faults_of_expiry(command.expires_at, now)]
    if not working_set.keys and command.role is not Role.OPERATOR:
        message = "The first key must be an operator's: with it the others are made."
        faults.append(Detail("first_key_not_operators", "role", message))
    if faults:
        return Refusal(Reason.INVALID_REQUEST, tuple(faults))
    key = Key(
        id=_next_id(working_set),
        credential=command.credential,
        name=command.name,
        role=command.role,
        partner=command.partner,
        scopes=ALLOWED_TO[command.role] if command.scopes is None else command.scopes,
        rate_limit=command.rate_limit,
        created_at=now,
        expires_at=command.expires_at,
    )
    working_set.add_key(key)
    working_set.add_administrative_event(command.origin, EventType.KEY_CREATED, key_document(key), now)
    return Done(with_warnings(key_document(key), command.cautions), key.id)


def revoke_key(command: RevokeKey, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """End a key. One that was revoked before stays as it is."""
    key = working_set.keys.get(command.key_id)
    if key is None:
        return Refusal(Reason.NOT_FOUND)
    if key.revoked_at is not None:
        return Done(key_document(key), key.id, is_new=False)
    working_set.change_key(key, "revoked_at", now)
    working_set.add_administrative_event(command.origin, EventType.KEY_REVOKED, key_document(key), now)
    return Done(key_document(key), key.id)


def rotate_key(command: RotateKey, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Make a key in the place of another, once: the old one ends when the overlap is over, or as it would have."""
    old = working_set.keys.get(command.key_id)
    if old is None:
        return Refusal(Reason.NOT_FOUND)
    if old.replaced_by is not None or not old.is_valid(now):
        detail = Detail("key_ended", "id", Reason.KEY_ENDED.sentence)
        return Refusal(Reason.KEY_ENDED, (detail,))
    if faults := _faults_of_expiry(command.expires_at, now):
        return Refusal(Reason.INVALID_REQUEST, tuple(faults))
    new = Key(
        id=_next_id(working_set),
        credential=command.credential,
        name=old.name,
        role=old.role,
        partner=old.partner,
        scopes=old.scopes,
        rate_limit=old.rate_limit,
        created_at=now,
        expires_at=old.expires_at if command.expires_at is None else command.expires_at,
    )
    ends_at = now + command.overlap_seconds * MICROSECONDS_A_SECOND
    working_set.add_key(new)
    working_set.change_key(old, "expires_at", ends_at if old.expires_at is None else min(old.expires_at, ends_at))
    working_set.change_key(old, "replaced_by", new.id)
    working_set.add_administrative_event(command.origin, EventType.KEY_ROTATED, key_document(old), now)
    working_set.add_administrative_event(command.origin, EventType.KEY_CREATED, key_document(new), now)
    return Done(with_warnings(key_document(new), command.cautions), new.id)


def note_key_use(command: NoteKeyUse, working_set: WorkingSet, _now: Microseconds) -> Outcome:
    """Remember the latest use of each key, of which several nodes tell."""
    for key_id, used_at in command.used_at:
        key = working_set.keys.get(key_id)
        if key is not None and used_at > (key.last_used_at or 0):
            working_set.change_key(key, "last_used_at", used_at)
    return Done({})


def _faults_of_role(command: CreateKey) -> list[Detail]:
    faults = []
    if command.role is Role.PARTNER and command.partner is None:
        faults.append(Detail("required", "partner", "partner is required: a partner's key names whose it is."))
    if command.role is Role.OPERATOR and command.partner is not None:
        faults.append(Detail("not_for_operators", "partner", "An operator's key names no partner."))
    for scope in sorted((command.scopes or frozenset()) - ALLOWED_TO[command.role]):
        message = f"A {command.role}'s key may not hold the scope {scope}."
        faults.append(Detail("scope_not_allowed", "scopes", message))
    return faults


def _faults_of_expiry(expires_at: Microseconds | None, now: Microseconds) -> list[Detail]:
    if expires_at is None or expires_at > now:
        return []
    return [Detail("in_the_past", "expires_at", "expires_at must lie in the future.")]


def _next_id(working_set: WorkingSet) -> int:
    return max(working_set.keys, default=0) + 1
