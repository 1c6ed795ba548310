"""The shapes of requests and answers about webhooks, for the OpenAPI document."""

from typing import Annotated

from msgspec import Meta, Struct

from shipledger.http.schemas import Id, Moment
from shipledger.http.schemas import Warning as Noticed
from shipledger.limits import REPLAYED_EVENTS_MAX, WEBHOOK_DESCRIPTION_CHARS_MAX, WEBHOOK_URL_CHARS_MAX

Url = Annotated[str, Meta(min_length=1, max_length=WEBHOOK_URL_CHARS_MAX, examples=["https://example.com/shipledger"])]
EventTypes = Annotated[list[str], Meta(min_length=1, examples=[["fulfillment.created"]])]
Description = Annotated[str, Meta(max_length=WEBHOOK_DESCRIPTION_CHARS_MAX)]


class CreateWebhook(Struct):
    """A receiver of events: where they are sent, and which."""

    url: Url
    event_types: EventTypes | None = None
    description: Description | None = None
    ordered: bool | None = None


class ChangeWebhook(Struct):
    """What is to be changed of a receiver; what is omitted stays as it is."""

    url: Annotated[str, Meta(max_length=WEBHOOK_URL_CHARS_MAX)] | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    ordered: bool | None = None
    enabled: bool | None = None


class Webhook(Struct):
    """A receiver of events."""

    id: int
    url: str
    description: str | None
    event_types: list[str]
    ordered: bool
    partner: str | None
    enabled: bool
    disabled_at: Moment | None
    disabled_because: str | None
    failing_since: Moment | None
    old_secret_signs_until: Moment | None
    created_at: Moment
    warnings: list[Noticed] = []


class WebhookWithSecret(Webhook, kw_only=True):
    """A receiver of events, and the secret by which it knows them for ours: shown once."""

    secret: str


class WebhookList(Struct):
    """A page of receivers, newest first. `next_cursor` is null on the last."""

    webhooks: list[Webhook]
    next_cursor: str | None


class WebhookAttempt(Struct):
    """One attempt at telling a receiver of an event."""

    event_id: int
    attempted_at: Moment
    duration_ms: int
    status: int | None
    error: str | None
    answer: str | None = None


class WebhookAttemptList(Struct):
    """A page of attempts, newest first. `next_cursor` is null on the last."""

    attempts: list[WebhookAttempt]
    next_cursor: str | None


class Ping(Struct):
    """What came of a ping."""

    taken: bool
    status: int | None
    error: str | None
    duration_ms: int


class ReplayWebhook(Struct):
    """What to send again: these events, those between two, or those that were given up since a moment."""

    event_ids: Annotated[list[Id], Meta(min_length=1, max_length=REPLAYED_EVENTS_MAX)] | None = None
    after: Annotated[int, Meta(ge=0)] | None = None
    before: Id | None = None
    failed_since: Moment | None = None


class Replayed(Struct):
    """How many events are sent again, and after which to ask for more where there are more than fit."""

    replayed: int
    goes_on_after: int | None
