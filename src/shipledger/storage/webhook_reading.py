"""What the relay of webhooks reads: whom to tell of what, and what is due."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import msgspec

from shipledger.document import Document, endpoint_document
from shipledger.limits import ID_MAX
from shipledger.partner_view import Partner
from shipledger.storage.event_reading import is_told, told_to_partner
from shipledger.storage.port import AttemptFilter, Page, Position
from shipledger.storage.rows import Row, encode_json
from shipledger.storage.snapshot import Snapshot
from shipledger.storage.webhook_rows import endpoint_from_row
from shipledger.timestamp import Microseconds, show
from shipledger.webhook import Endpoint


@dataclass(frozen=True, slots=True)
class DueEndpoint:
    """An endpoint that there is something to send to."""

    id: int
    partner: Partner
    url: str
    salt: bytes
    previous_salt: bytes | None
    previous_until: Microseconds | None
    key_check: bytes
    is_ordered: bool
    in_order_up_to: int
    """Messages up to this place in the feed were held; they are sent one after the other."""
    failing_since: Microseconds | None
    due_at: Microseconds
    """Since when the first of its messages is due."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to send. `attempts` is how many were made before; `body` is the same each time."""

    event_id: int
    place: int
    attempts: int
    due_at: Microseconds
    body: bytes


class WebhookReading:
    """Any thread may use it."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Snapshot]]) -> None:
        self._snapshot = snapshot

    def fan_out_range(self, limit: int) -> tuple[int, int] | None:
        """The next events of the feed that messages are to be made of: after the one place, up to the other."""
        with self._snapshot() as ledger:
            return next(((first, last) for first, last in ledger.query("fan_out_range", limit)), None)

    def retention_range(self, before: Microseconds, limit: int) -> tuple[int, int] | None:
        """What the feed may forget of what happened before: after the one place, up to the other."""
        with self._snapshot() as ledger:
            return next(((first, last) for first, last in ledger.query("retention_range", before, limit)), None)

    def due_endpoints(self, now: Microseconds, asking: str) -> list[DueEndpoint]:
        """Those that have a message to send, unless someone else than who asks has taken them."""
        with self._snapshot() as ledger:
            return [_due_endpoint(row) for row in ledger.query("load_due_endpoints", now, asking)]

    def due_messages(
        self, endpoint: DueEndpoint, asking: str, now: Microseconds, limit: int, known: frozenset[int]
    ) -> list[DueMessage]:
        """The messages to send to an endpoint that is taken by who asks, in the order in which to begin with them.

        Those of `known` events are left out: who asks has them already.
        """
        most = limit + len(known)
        with self._snapshot() as ledger:
            due = ledger.query("load_due_messages", endpoint.id, now, most, endpoint.is_ordered, asking)
            rows = [row for row in due if row[0] not in known]
            bodies = _bodies(ledger, [row[4:] for row in rows], endpoint.partner)
        return [DueMessage(row[0], row[1], row[2], row[3], body) for row, body in zip(rows, bodies, strict=True)]

    def endpoints(self, partner: Partner) -> list[Endpoint]:
        """Those of a partner, or, for None, everybody's, the oldest first."""
        with self._snapshot() as ledger:
            found = [endpoint_from_row(row) for row in ledger.query("load_endpoints")]
        return [one for one in found if one.deleted_at is None and partner in {None, one.partner}]

    def endpoints_listed(self, _: object, after: Position | None, limit: int, partner: Partner) -> Page:
        """A page of them, newest first. They are few, and read whole."""
        found = [one for one in reversed(self.endpoints(partner)) if after is None or one.id < after[0]]
        documents = [endpoint_document(endpoint) for endpoint in found[:limit]]
        return Page(documents, (found[limit - 1].id,) if found[limit:] else None)

    def attempts(
        self, endpoint_id: int, wanted: AttemptFilter, after: Position | None, limit: int, partner: Partner
    ) -> Page:
        """The attempts at handing messages to an endpoint, newest first; its answers are for the operator."""
        sql, values = _ATTEMPTS, [endpoint_id, *(after or (ID_MAX, ID_MAX))]
        if wanted.event_id is not None:
            sql, values = f"{sql} AND event_id = ?", [*values, wanted.event_id]
        sql = f"{sql} ORDER BY attempted_at DESC, event_id DESC LIMIT ?"
        with self._snapshot() as ledger:
            rows = list(ledger.select(sql, [*values, limit + 1]))
        return Page(
            [_attempt_document(row, shows_answer=partner is None) for row in rows[:limit]],
            (rows[limit - 1][1], rows[limit - 1][0]) if rows[limit:] else None,
        )

    def event_ids(self, after_id: int, before_id: int | None, limit: int, partner: Partner) -> list[int] | None:
        """The events between two of the feed, neither included. None where one of them is none of this ledger's, or
        none that the partner is told of.
        """
        with self._snapshot() as ledger:
            places = [0, ID_MAX]
            for at, event_id in enumerate((after_id or None, before_id)):
                if event_id is not None:
                    found = list(ledger.query("event_place", event_id))
                    if not found or not is_told(ledger, found[0][0], partner):
                        return None
                    ((places[at],),) = found
            if partner is None:
                return [event_id for (event_id,) in ledger.query("load_event_ids", *places, limit)]
            return [event_id for (event_id,) in ledger.query("load_partner_event_ids", partner, *places, limit)]

    def dead_messages(self, endpoint_id: int, since: Microseconds, limit: int) -> list[int]:
        """The events of messages that were given up since then."""
        with self._snapshot() as ledger:
            return [event_id for (event_id,) in ledger.query("load_dead_messages", endpoint_id, since, limit)]


_ATTEMPTS = """
    SELECT event_id, attempted_at, duration_ms, status, error, answer FROM webhook_attempts
    WHERE endpoint_id = ? AND (attempted_at, event_id) < (?, ?)
"""


def _attempt_document(row: Row, *, shows_answer: bool) -> Document:
    event_id, attempted_at, duration_ms, status, error, answer = row
    document = {
        "event_id": event_id,
        "attempted_at": show(attempted_at),
        "duration_ms": duration_ms,
        "status": status,
        "error": error,
    }
    return {**document, "answer": answer} if shows_answer else document


def _due_endpoint(row: Row) -> DueEndpoint:
    id_, partner, url, salt, previous_salt, previous_until, key_check, is_ordered, *rest = row
    return DueEndpoint(id_, partner, url, salt, previous_salt, previous_until, key_check, bool(is_ordered), *rest)


def _bodies(ledger: Snapshot, events: list[Row], partner: Partner) -> list[bytes]:
    """Each event as the feed tells it to whom it is told, from the columns of `load_events` after the first."""
    if partner is None:
        return [_body(event) for event in events]
    placed = told_to_partner(ledger, [(0, *event) for event in events], partner)
    return [encode_json(one.document) for one in placed]


def _body(row: Row) -> bytes:
    """The event as the feed tells it, to the byte: its data goes in as it is stored."""
    id_, type_, created_at, order_id, sequence, data = row
    return encode_json(
        {
            "id": id_,
            "type": type_,
            "created_at": show(created_at),
            "order_id": order_id,
            "sequence": sequence,
            "data": msgspec.Raw(data.encode()),
        }
    )
