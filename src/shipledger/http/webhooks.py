"""Webhooks: register a receiver, change it, see what became of what was sent, and have it sent again."""

from functools import partial

from shipledger.document import endpoint_document
from shipledger.http.answer import Answer, Refused, json_answer, refusal_answer, refused
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.listing import ListSpec, answer_list, id_filter
from shipledger.http.parameters import not_found, path_id, require_known_parameters
from shipledger.http.replay_request import events_to_replay, read_replay
from shipledger.http.webhook_request import read_change_endpoint, read_create_endpoint
from shipledger.limits import REPLAYED_EVENTS_MAX
from shipledger.outcome import Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import AttemptFilter
from shipledger.webhook import DeleteEndpoint, Endpoint, RotateSecret, Sealed

LIST = ListSpec("webhooks", {}, dict)
ATTEMPTS = ListSpec(
    "attempts",
    {"event_id": id_filter("event_id", "The attempts at telling of this event.")},
    AttemptFilter,
    position_length=2,
)


async def create(call: Call) -> Answer:
    """Register a receiver; its secret is in this answer and nowhere else."""
    require_known_parameters(call, frozenset())
    sealed, secret = _new_secret(call)
    command = await read_create_endpoint(call, Findings(), sealed)
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    location = (b"location", b"/v1/webhooks/%d" % (outcome.made_id or 0))
    return json_answer({**outcome.body, "secret": secret}, 201, [location])


async def change(call: Call) -> Answer:
    """Change a receiver. Enabled again, it is sent what was held for it."""
    require_known_parameters(call, frozenset())
    command = await read_change_endpoint(call, Findings(), path_id(call, Reason.NOT_FOUND))
    return _answered(command if isinstance(command, Refusal) else await call.services.submit(command))


async def delete(call: Call) -> Answer:
    """Send nothing to a receiver any more."""
    require_known_parameters(call, frozenset())
    return _answered(await call.services.submit(DeleteEndpoint(call.origin, path_id(call, Reason.NOT_FOUND))))


async def rotate(call: Call) -> Answer:
    """Sign with a new secret, which is in this answer and nowhere else; for a day the old one signs, too."""
    require_known_parameters(call, frozenset())
    sealed, secret = _new_secret(call)
    outcome = await call.services.submit(RotateSecret(call.origin, path_id(call, Reason.NOT_FOUND), sealed))
    return refusal_answer(outcome) if isinstance(outcome, Refusal) else json_answer({**outcome.body, "secret": secret})


async def read(call: Call) -> Answer:
    """One receiver."""
    require_known_parameters(call, frozenset())
    return json_answer(endpoint_document(await _endpoint(call)))


async def list_(call: Call) -> Answer:
    """Receivers, newest first."""
    return await answer_list(call, LIST, call.services.webhook_reading.endpoints_listed)


async def attempts(call: Call) -> Answer:
    """What became of each attempt, newest first. What the receiver answered is for operators."""
    endpoint = await _endpoint(call)
    return await answer_list(call, ATTEMPTS, partial(call.services.webhook_reading.attempts, endpoint.id))


async def ping(call: Call) -> Answer:
    """Send a message that tells of nothing, at once and once, and answer what came of it."""
    require_known_parameters(call, frozenset())
    attempt = await call.services.webhooks.ping(await _endpoint(call))
    shown = {"taken": attempt.is_taken, "status": attempt.status, "error": attempt.error}
    return json_answer({**shown, "duration_ms": attempt.duration_ms})


async def replay(call: Call) -> Answer:
    """Have events sent again: some, a range, or all that was given up since a moment."""
    require_known_parameters(call, frozenset())
    asked = read_replay(call.body, call.services.zone, Findings())
    if isinstance(asked, Refusal):
        return refusal_answer(asked)
    endpoint = await _endpoint(call)
    events = await events_to_replay(call, endpoint, asked)
    replayed = await call.services.webhooks.replay(endpoint.id, events[:REPLAYED_EVENTS_MAX])
    goes_on_after = events[REPLAYED_EVENTS_MAX - 1] if len(events) > REPLAYED_EVENTS_MAX else None
    return json_answer({"replayed": replayed, "goes_on_after": goes_on_after})


async def _endpoint(call: Call) -> Endpoint:
    endpoint_id = path_id(call, Reason.NOT_FOUND)
    for endpoint in await call.read(call.services.webhook_reading.endpoints, call.origin.partner):
        if endpoint.id == endpoint_id:
            return endpoint
    raise not_found(Reason.NOT_FOUND)


def _new_secret(call: Call) -> tuple[Sealed, str]:
    found = call.services.webhooks.new_secret()
    if found is None:
        raise _no_server_key()
    return found


def _no_server_key() -> Refused:
    message = (
        "This server has no key to derive secrets from: set SHIPLEDGER_WEBHOOK_KEY to 32 characters or more that nobody"
        " can guess, the same on every node."
    )
    return refused(409, message, code="webhook_key_missing", title="Webhooks Not Set Up")


def _answered(outcome: Outcome) -> Answer:
    return refusal_answer(outcome) if isinstance(outcome, Refusal) else json_answer(outcome.body)
