"""From the JSON of a replay to the events that it means."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from shipledger.http.answer import refused
from shipledger.http.call import Call
from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import ID_MAX, REPLAYED_EVENTS_MAX
from shipledger.refusal import Refusal
from shipledger.timestamp import Microseconds
from shipledger.webhook import Endpoint

REPLAY = Vocabulary(
    frozenset({"event_ids", "after", "before", "failed_since"}),
    frozenset(),
    {"ids": "event_ids", "events": "event_ids", "since": "failed_since", "failed": "failed_since"},
)


@dataclass(frozen=True, slots=True)
class Replay:
    """One of: these events; those between two events of the feed; those that were given up since a moment."""

    event_ids: list[int] | None
    after: int | None
    before: int | None
    failed_since: Microseconds | None


def read_replay(values: dict[str, Any], zone: tzinfo, findings: Findings) -> Replay | Refusal:
    """What a request asks for."""
    fields = Fields(values, REPLAY, findings)
    asked = Replay(
        _event_ids(fields, findings),
        _event_id(fields, findings, "after", 0),
        _event_id(fields, findings, "before", 1),
        fields.moment("failed_since", zone),
    )
    ways = sum(
        fields.value(name) is not None or fields.value(other) is not None
        for name, other in (("event_ids", "event_ids"), ("after", "before"), ("failed_since", "failed_since"))
    )
    if ways != 1:
        message = "Name event_ids, or after and before (ids of events), or failed_since (a moment): one of the three."
        findings.fault("not_one_way", "", message)
    return findings.refusal() or asked


async def events_to_replay(call: Call, endpoint: Endpoint, asked: Replay) -> list[int]:
    """The ids of the events, and one more than can be replayed at once, where there is one."""
    reading, limit = call.services.webhook_reading, REPLAYED_EVENTS_MAX + 1
    if asked.event_ids is not None:
        return asked.event_ids
    if asked.failed_since is not None:
        return await call.read(reading.dead_messages, endpoint.id, asked.failed_since, limit)
    events = await call.read(reading.event_ids, asked.after or 0, asked.before, limit, call.origin.partner)
    if events is None:
        message = "after and before must be ids of events of this ledger."
        raise refused(400, message, code="event_unknown", at="after" if asked.after else "before")
    return events


def _event_ids(fields: Fields, findings: Findings) -> list[int] | None:
    value = fields.value("event_ids")
    if value is None:
        return None
    numbers = [whole_number(one) for one in value] if isinstance(value, list) else []
    found = [number for number in numbers if number is not None and 0 < number <= ID_MAX]
    if not found or len(found) != len(numbers) or len(found) > REPLAYED_EVENTS_MAX:
        message = f"event_ids must be a list of 1 to {REPLAYED_EVENTS_MAX} ids of events."
        findings.fault("not_event_ids", "event_ids", message)
    return sorted(set(found))


def _event_id(fields: Fields, findings: Findings, name: str, first: int) -> int | None:
    value = fields.value(name)
    if value is None:
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else whole_number(value)
    if number is None or not first <= number <= ID_MAX:
        findings.fault("not_an_event_id", name, f"{name} must be the id of an event.")
        return None
    return number
