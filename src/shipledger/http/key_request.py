"""From the JSON of `/v1/keys` to a command."""

import secrets
from datetime import tzinfo
from typing import Any

from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.lookalikes import Vocabulary
from shipledger.key import PUBLIC_BYTES, SECRET_BYTES, CreateKey, Credential, Role, RotateKey, Scope, mint
from shipledger.limits import (
    KEY_NAME_CHARS_MAX,
    KEY_OVERLAP_SECONDS_DEFAULT,
    KEY_OVERLAP_SECONDS_MAX,
    KEY_RATE_LIMIT_MAX,
    PARTNER_CHARS_MAX,
)
from shipledger.origin import Origin
from shipledger.refusal import Refusal
from shipledger.validity import is_partner_name

_ANSWERED = frozenset(
    {"id", "secret", "starts_with", "created_at", "last_used_at", "revoked_at", "replaced_by", "warnings"}
)
KEY = Vocabulary(
    frozenset({"name", "role", "partner", "scopes", "expires_at", "rate_limit"}),
    _ANSWERED,
    {"scope": "scopes", "permissions": "scopes", "expires": "expires_at", "expiry": "expires_at", "label": "name"},
)
ROTATION = Vocabulary(
    frozenset({"overlap_seconds", "expires_at"}),
    _ANSWERED | KEY.fields,
    {"overlap": "overlap_seconds", "expires": "expires_at", "expiry": "expires_at"},
)


def new_key() -> tuple[str, Credential]:
    """A key's text, to be shown once, and what is stored of it."""
    return mint(secrets.token_bytes(PUBLIC_BYTES + SECRET_BYTES))


def read_create_key(
    values: dict[str, Any],
    origin: Origin,
    zone: tzinfo,
    findings: Findings,
    credential: Credential,
    *,
    idempotency_key: str | None = None,
) -> CreateKey | Refusal:
    """The command that a request means. `findings` may hold faults already, of its headers and its query."""
    fields = Fields(values, KEY, findings)
    name = fields.text("name", KEY_NAME_CHARS_MAX, required=True)
    role = _role(fields, findings)
    partner = fields.text("partner", PARTNER_CHARS_MAX)
    if partner is not None and not is_partner_name(partner):
        findings.fault("not_a_partner", "partner", "partner must be a short name of a-z, 0-9, - and _, e.g. acme-east.")
    scopes = _scopes(fields, findings)
    expires_at = fields.moment("expires_at", zone)
    rate_limit = _number(fields, findings, "rate_limit", 1, KEY_RATE_LIMIT_MAX)
    return findings.refusal() or CreateKey(
        origin,
        credential,
        name or "",
        role,
        partner,
        scopes,
        expires_at,
        rate_limit,
        idempotency_key,
        tuple(findings.cautions),
    )


def read_rotate_key(
    values: dict[str, Any],
    origin: Origin,
    zone: tzinfo,
    findings: Findings,
    credential: Credential,
    *,
    key_id: int,
    idempotency_key: str | None = None,
) -> RotateKey | Refusal:
    """The command that a request means, as `read_create_key`."""
    fields = Fields(values, ROTATION, findings)
    overlap = _number(fields, findings, "overlap_seconds", 0, KEY_OVERLAP_SECONDS_MAX)
    expires_at = fields.moment("expires_at", zone)
    return findings.refusal() or RotateKey(
        origin,
        key_id,
        credential,
        KEY_OVERLAP_SECONDS_DEFAULT if overlap is None else overlap,
        expires_at,
        idempotency_key,
        tuple(findings.cautions),
    )


def _role(fields: Fields, findings: Findings) -> Role:
    value = fields.value("role")
    if isinstance(value, str) and value in set(Role):
        return Role(value)
    code = "required" if value is None else "not_a_role"
    findings.fault(code, "role", f"role must be {' or '.join(Role)}.")
    return Role.OPERATOR


def _scopes(fields: Fields, findings: Findings) -> frozenset[Scope] | None:
    """The scopes asked for; None where they are omitted."""
    value = fields.value("scopes")
    if value is None:
        return None
    if not isinstance(value, list) or not value or len(value) > len(Scope):
        findings.fault("not_scopes", "scopes", f"scopes must be a list of some of {', '.join(Scope)}.")
        return frozenset()
    known = set(Scope)
    for index, scope in enumerate(value):
        if not isinstance(scope, str) or scope not in known:
            findings.fault("not_a_scope", f"scopes[{index}]", f"scopes[{index}] must be one of {', '.join(Scope)}.")
    return frozenset(Scope(scope) for scope in value if isinstance(scope, str) and scope in known)


def _number(fields: Fields, findings: Findings, name: str, first: int, last: int) -> int | None:
    value = fields.value(name)
    if value is None:
        return None
    number = whole_number(value)
    if number is not None and first <= number <= last:
        return number
    findings.fault(f"{name}_invalid", name, f"{name} must be an integer from {first} to {last}.")
    return None
