"""API keys: make one, list them, revoke one, put another in its place."""

from shipledger.command import Command
from shipledger.document import key_document
from shipledger.http.answer import Answer, Header, json_answer, refusal_answer
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.key_request import new_key, read_create_key, read_rotate_key
from shipledger.http.listing import ListSpec, answer_list, choice_filter, text_filter
from shipledger.http.parameters import idempotency_key, not_found, path_id, require_known_parameters
from shipledger.key import RevokeKey, Role
from shipledger.limits import PARTNER_CHARS_MAX
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import KeyFilter

LIST = ListSpec(
    "keys",
    {
        "role": choice_filter("role", "Keys of this role.", Role),
        "partner": text_filter("partner", "Keys of this partner.", PARTNER_CHARS_MAX),
    },
    KeyFilter,
)
_NOT_SHOWN = {
    "code": "secret_not_shown",
    "at": "secret",
    "message": "The secret was shown in the first answer, and is not kept. If it was lost, rotate this key.",
}


async def create(call: Call) -> Answer:
    """Make a key; its secret is in this answer and nowhere else."""
    require_known_parameters(call, frozenset())
    findings, (secret, credential) = Findings(), new_key()
    key = idempotency_key(call, findings)
    zone = call.services.zone
    command = read_create_key(call.body, call.origin, zone, findings, credential, idempotency_key=key)
    return await _answer_with_secret(call, command, secret)


async def rotate(call: Call) -> Answer:
    """Make a key in the place of another; its secret is in this answer and nowhere else."""
    require_known_parameters(call, frozenset())
    findings, (secret, credential) = Findings(), new_key()
    key, key_id = idempotency_key(call, findings), path_id(call, Reason.NOT_FOUND)
    command = read_rotate_key(
        call.body, call.origin, call.services.zone, findings, credential, key_id=key_id, idempotency_key=key
    )
    return await _answer_with_secret(call, command, secret)


async def _answer_with_secret(call: Call, command: Command | Refusal, secret: str) -> Answer:
    outcome = command if isinstance(command, Refusal) else await _carried_out(call, command)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    headers: list[Header] = [(b"location", b"/v1/keys/%d" % (outcome.made_id or 0))]
    if outcome.replayed:
        warnings = [*outcome.body.get("warnings", []), _NOT_SHOWN]
        headers.append((b"idempotent-replayed", b"true"))
        return json_answer({**outcome.body, "secret": None, "warnings": warnings}, 201, headers)
    return json_answer({**outcome.body, "secret": secret}, 201, headers)


async def revoke(call: Call) -> Answer:
    """End a key. When this is answered, no node lets it in any more."""
    require_known_parameters(call, frozenset())
    outcome = await _carried_out(call, RevokeKey(call.origin, path_id(call, Reason.NOT_FOUND)))
    return refusal_answer(outcome) if isinstance(outcome, Refusal) else json_answer(outcome.body)


async def _carried_out(call: Call, command: Command) -> Outcome:
    """The outcome of a command, when every node heeds it."""
    outcome = await call.services.submit(command)
    if isinstance(outcome, Done):
        await call.services.keys.refresh()
    return outcome


async def read(call: Call) -> Answer:
    """One key, without its secret."""
    require_known_parameters(call, frozenset())
    key_id = path_id(call, Reason.NOT_FOUND)
    for key in await call.read(call.services.reading.keys):
        if key.id == key_id:
            return json_answer(key_document(key))
    raise not_found(Reason.NOT_FOUND)


async def list_(call: Call) -> Answer:
    """Keys, newest first, without their secrets."""
    return await answer_list(call, LIST, call.services.reading.keys_listed)
