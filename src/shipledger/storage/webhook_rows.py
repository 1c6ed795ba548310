"""Webhook endpoints as rows, and rows as endpoints: the same for both databases."""

from collections.abc import Iterator
from typing import Any

from shipledger.webhook import Disabled, Endpoint, Sealed
from shipledger.working_set import WorkingSet

Row = tuple[Any, ...]


def endpoint_from_row(row: Row) -> Endpoint:
    """An endpoint from the columns of `load_endpoints`."""
    (
        id_, partner, url, description, event_types, is_ordered, created_at, starts_after, salt, key_check,
        previous_salt, previous_until, disabled_at, disabled_because, deleted_at, failing_since, in_order_up_to,
    ) = row  # fmt: skip
    return Endpoint(
        id_,
        partner,
        url,
        description,
        tuple(event_types.split()),
        bool(is_ordered),
        created_at,
        starts_after,
        Sealed(salt, key_check),
        previous_salt,
        previous_until,
        disabled_at,
        None if disabled_because is None else Disabled(disabled_because),
        deleted_at,
        failing_since,
        in_order_up_to,
    )


def endpoint_rows(working_set: WorkingSet) -> Iterator[tuple[str, list[Row]]]:
    """Each statement that saves what a batch did to endpoints, with its rows."""
    yield (
        "add_endpoint",
        [(new.id, new.partner, new.created_at, new.starts_after, *_changing(new)) for new in working_set.new_endpoints],
    )
    yield (
        "change_endpoint",
        [(*_changing(endpoint), endpoint.id) for endpoint in working_set.changed_endpoints.values()],
    )
    yield "resume_messages", [(endpoint.id,) for endpoint in working_set.resumed_endpoints]


def _changing(endpoint: Endpoint) -> Row:
    """What may change of an endpoint, types of events as names between spaces, so that one can be looked for."""
    because = endpoint.disabled_because
    return (
        endpoint.url, endpoint.description, f" {' '.join(endpoint.event_types)} ", endpoint.is_ordered,
        endpoint.sealed.salt, endpoint.sealed.key_check, endpoint.previous_salt, endpoint.previous_until,
        endpoint.disabled_at, None if because is None else str(because), endpoint.deleted_at, endpoint.failing_since,
        endpoint.in_order_up_to,
    )  # fmt: skip
