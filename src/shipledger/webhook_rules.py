"""The rules of webhook endpoints. Each belongs to who made it; an operator sees them all."""

from shipledger.command import Origin
from shipledger.document import endpoint_document, with_warnings
from shipledger.event import EventType
from shipledger.limits import WEBHOOKS_MAX
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.webhook import (
    ROTATION_SECONDS,
    ChangeEndpoint,
    CreateEndpoint,
    DeleteEndpoint,
    Disabled,
    Endpoint,
    EndpointCommand,
    RotateSecret,
)
from shipledger.working_set import WorkingSet


def decide_endpoint(command: EndpointCommand, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """What becomes of a command about endpoints."""
    match command:
        case CreateEndpoint():
            return create_endpoint(command, working_set, now)
        case ChangeEndpoint():
            return change_endpoint(command, working_set, now)
        case DeleteEndpoint():
            return delete_endpoint(command, working_set, now)
        case RotateSecret():
            return rotate_secret(command, working_set, now)


def create_endpoint(command: CreateEndpoint, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Begin to tell a receiver what happens from now on."""
    partner = command.origin.partner
    own = [other for other in working_set.endpoints.values() if other.partner == partner and other.deleted_at is None]
    if len(own) >= WEBHOOKS_MAX:
        message = f"There may be at most {WEBHOOKS_MAX} webhooks; delete one that is not needed any more."
        return Refusal(Reason.INVALID_REQUEST, (Detail("too_many_webhooks", "", message),))
    endpoint = Endpoint(
        id=max(working_set.endpoints, default=0) + 1,
        partner=partner,
        url=command.url,
        description=command.description,
        event_types=command.event_types,
        is_ordered=command.is_ordered,
        created_at=now,
        starts_after=working_set.feed_end,
        sealed=command.sealed,
    )
    working_set.add_endpoint(endpoint)
    return _told(command, working_set, endpoint, EventType.WEBHOOK_CREATED, now)


def change_endpoint(command: ChangeEndpoint, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Change what was asked for. Once it is enabled, what was held is sent in order."""
    endpoint, changes = _find(working_set, command.origin, command.endpoint_id), command.changes
    if endpoint is None:
        return Refusal(Reason.NOT_FOUND)
    for name in ("url", "event_types", "is_ordered"):
        value = getattr(changes, name)
        if value is not None:
            working_set.change_endpoint(endpoint, name, value)
    if changes.description is not None:
        working_set.change_endpoint(endpoint, "description", changes.description or None)
    if changes.is_enabled is True and endpoint.disabled_at is not None:
        working_set.change_endpoint(endpoint, "disabled_at", None)
        working_set.change_endpoint(endpoint, "disabled_because", None)
        working_set.change_endpoint(endpoint, "failing_since", None)
        working_set.change_endpoint(endpoint, "in_order_up_to", working_set.feed_end_to_be)
        working_set.resume_messages(endpoint)
    elif changes.is_enabled is False and endpoint.disabled_at is None:
        _disable(working_set, endpoint, now)
    return _told(command, working_set, endpoint, EventType.WEBHOOK_CHANGED, now)


def delete_endpoint(command: DeleteEndpoint, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Tell a receiver nothing any more. Its attempts stay on record."""
    endpoint = _find(working_set, command.origin, command.endpoint_id)
    if endpoint is None:
        return Refusal(Reason.NOT_FOUND)
    if endpoint.disabled_at is None:
        _disable(working_set, endpoint, now)
    working_set.change_endpoint(endpoint, "deleted_at", now)
    return _told(command, working_set, endpoint, EventType.WEBHOOK_DELETED, now)


def rotate_secret(command: RotateSecret, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Sign with another secret from now on, and with the old one beside it until its receiver has changed over.

    One that another server key derived cannot sign any more.
    """
    endpoint = _find(working_set, command.origin, command.endpoint_id)
    if endpoint is None:
        return Refusal(Reason.NOT_FOUND)
    can_sign = endpoint.sealed.key_check == command.sealed.key_check
    until = now + ROTATION_SECONDS * MICROSECONDS_A_SECOND
    working_set.change_endpoint(endpoint, "previous_salt", endpoint.sealed.salt if can_sign else None)
    working_set.change_endpoint(endpoint, "previous_until", until if can_sign else None)
    working_set.change_endpoint(endpoint, "sealed", command.sealed)
    return _told(command, working_set, endpoint, EventType.WEBHOOK_ROTATED, now)


def _find(working_set: WorkingSet, origin: Origin, endpoint_id: int) -> Endpoint | None:
    endpoint = working_set.endpoints.get(endpoint_id)
    if endpoint is None or endpoint.deleted_at is not None or origin.partner not in {None, endpoint.partner}:
        return None
    return endpoint


def _disable(working_set: WorkingSet, endpoint: Endpoint, now: Microseconds) -> None:
    working_set.change_endpoint(endpoint, "disabled_at", now)
    working_set.change_endpoint(endpoint, "disabled_because", Disabled.BY_HAND)


def _told(
    command: EndpointCommand,
    working_set: WorkingSet,
    endpoint: Endpoint,
    type_: EventType,
    now: Microseconds,
) -> Done:
    document = endpoint_document(endpoint)
    working_set.add_administrative_event(command.origin, type_, document, now)
    cautions = command.cautions if isinstance(command, CreateEndpoint | ChangeEndpoint) else ()
    return Done(with_warnings(document, cautions), endpoint.id)
