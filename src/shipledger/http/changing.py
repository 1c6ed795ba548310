"""How every change of something that was recorded is answered: with the thing as it is now."""

from collections.abc import Callable
from typing import Any

from shipledger.command import Command
from shipledger.http.answer import Answer, json_answer, refusal_answer
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.nearest_skus import nearest_skus
from shipledger.http.parameters import idempotency_key, path_id, require_known_parameters
from shipledger.refusal import Reason, Refusal


async def answer_change(call: Call, read: Callable[..., Command | Refusal], id_name: str, missing: Reason) -> Answer:
    """Read the command from the request, submit it, and answer with what became of the thing in its path.

    `read` takes the body, the origin and the findings, and by name the idempotency key and, under `id_name`, the id.
    """
    require_known_parameters(call, frozenset())
    named: dict[str, Any] = {id_name: path_id(call, missing)}
    findings = Findings()
    named["key"] = idempotency_key(call, findings)
    command = read(call.body, call.origin, findings=findings, **named)
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome, await nearest_skus(call, outcome))
    return json_answer(outcome.body, headers=[(b"idempotent-replayed", b"true")] if outcome.replayed else [])
