"""Imports of fulfillments from files: what a command that reads a file asks of the server that holds the ledger."""

import asyncio
from typing import Any

from shipledger.file_import import TakeBack, UndoImport
from shipledger.http.answer import Answer, json_answer, refusal_answer
from shipledger.http.call import Call
from shipledger.http.import_request import Parcel, read_begin, read_finish, read_parcels
from shipledger.http.parameters import not_found, path_id, require_known_parameters
from shipledger.outcome import Crashed, Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal

TAKEN_BACK_MAX = 256
"""Fulfillments that one request to undo an import takes back."""
AT_ONCE_MAX = 64
"""Parcels of a file that are handed to the committer together: others have their turn in between."""


async def begin(call: Call) -> Answer:
    """Begin an import, or go on with the one that the same file began."""
    require_known_parameters(call, frozenset())
    command = read_begin(call)
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    return json_answer(outcome.body, 201 if outcome.is_new else 200)


async def finish(call: Call) -> Answer:
    """Remember what became of the rows."""
    require_known_parameters(call, frozenset())
    command = read_finish(call, path_id(call, Reason.NOT_FOUND))
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    return refusal_answer(outcome) if isinstance(outcome, Refusal) else json_answer(outcome.body)


async def list_(call: Call) -> Answer:
    """Every import, the oldest first."""
    require_known_parameters(call, frozenset())
    return json_answer({"imports": await call.read(call.services.reading.imports)})


async def undo(call: Call) -> Answer:
    """Take back some of what an import made; when nothing is left of it, it is undone."""
    require_known_parameters(call, frozenset())
    import_id = path_id(call, Reason.NOT_FOUND)
    made = await call.read(call.services.reading.imported, import_id, TAKEN_BACK_MAX)
    for first in range(0, len(made), AT_ONCE_MAX):
        part = made[first : first + AT_ONCE_MAX]
        await asyncio.gather(*(call.services.submit(TakeBack(call.origin, each)) for each in part))
    is_left = bool(await call.read(call.services.reading.imported, import_id, 1))
    if not is_left:
        outcome = await call.services.submit(UndoImport(call.origin, import_id))
        if isinstance(outcome, Refusal):
            return refusal_answer(outcome)
    return json_answer({"taken_back": len(made), "is_undone": not is_left})


async def add(call: Call) -> Answer:
    """Record parcels of a file: an answer for each, in their order."""
    require_known_parameters(call, frozenset())
    import_id = path_id(call, Reason.NOT_FOUND)
    known = await call.read(call.services.reading.imports)
    if not any(one["id"] == import_id and one["undone_at"] is None for one in known):
        raise not_found(Reason.NOT_FOUND)
    commands = read_parcels(call, import_id)
    if isinstance(commands, Refusal):
        return refusal_answer(commands)
    results: list[dict[str, Any]] = []
    for first in range(0, len(commands), AT_ONCE_MAX):
        part = commands[first : first + AT_ONCE_MAX]
        results += [_result(outcome) for outcome in await asyncio.gather(*(_outcome(call, each) for each in part))]
    return json_answer({"results": results})


async def _outcome(call: Call, command: Parcel | Refusal) -> Outcome | Crashed:
    if isinstance(command, Refusal):
        return command
    try:
        return await call.services.submit(command)
    except Crashed as crashed:
        return crashed


def _result(outcome: Outcome | Crashed) -> dict[str, Any]:
    if isinstance(outcome, Done):
        return {"code": None, "id": outcome.made_id, "is_new": outcome.is_new and not outcome.replayed}
    if isinstance(outcome, Fault):
        return {"code": "not_recorded", "id": None, "is_new": False}
    code = outcome.details[0].code if outcome.details else outcome.reason.name.lower()
    return {"code": code, "id": None, "is_new": False}
