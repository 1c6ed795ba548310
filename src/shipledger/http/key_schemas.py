"""The shapes of requests and answers about keys and the audit trail, for the OpenAPI document."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from shipledger.http import schemas
from shipledger.http.schemas import Moment
from shipledger.limits import KEY_NAME_CHARS_MAX, KEY_OVERLAP_SECONDS_MAX, KEY_RATE_LIMIT_MAX

RoleName = Literal["operator", "partner"]
ScopeName = Literal["orders:read", "orders:write", "fulfillments:read", "fulfillments:write", "webhooks", "keys"]


class CreateKey(Struct):
    """A key: whose it is, and what it may do."""

    name: Annotated[str, Meta(min_length=1, max_length=KEY_NAME_CHARS_MAX, examples=["warehouse 2"])]
    role: RoleName
    partner: Annotated[str, Meta(pattern="^([a-z0-9][a-z0-9_-]*)?$", max_length=63)] | None = None
    scopes: Annotated[list[ScopeName], Meta(min_length=1, max_length=6)] | None = None
    expires_at: Moment | None = None
    rate_limit: Annotated[int, Meta(ge=1, le=KEY_RATE_LIMIT_MAX)] | None = None


class RotateKey(Struct):
    """How long the old key lives on, and when the new one ends."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=KEY_OVERLAP_SECONDS_MAX)] | None = None
    expires_at: Moment | None = None


class Key(Struct):
    """A key, without its secret."""

    id: int
    name: str
    role: str
    partner: str | None
    scopes: list[str]
    rate_limit: int | None
    starts_with: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None
    replaced_by: int | None


class NewKey(Key):
    """A key that was just made, with its secret, which is shown this once."""

    secret: str | None
    warnings: list[schemas.Warning] = []


class KeyList(Struct):
    """A page of keys, newest first. `next_cursor` is null on the last."""

    keys: list[Key]
    next_cursor: str | None


class Change(Struct):
    """A change, and who made it. Those of administration are of no order."""

    id: int
    type: str
    created_at: Moment
    actor: str
    key_id: int | None
    request_id: str
    order_id: int | None
    sequence: int | None
    data: dict[str, Any]


class AuditList(Struct):
    """A page of changes, newest first. `next_cursor` is null on the last."""

    audit: list[Change]
    next_cursor: str | None
