"""Partners and what is routed to them."""

from shipledger.http.answer import Answer, json_answer, refusal_answer
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.parameters import not_found, require_known_parameters
from shipledger.http.partner_request import read_put_partner
from shipledger.refusal import Reason, Refusal


async def put(call: Call) -> Answer:
    """Say what is routed to a partner."""
    require_known_parameters(call, frozenset())
    command = read_put_partner(call.body, call.request.path_params["name"], call.origin, Findings())
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    return refusal_answer(outcome) if isinstance(outcome, Refusal) else json_answer(outcome.body)


async def read(call: Call) -> Answer:
    """What is routed to one partner."""
    require_known_parameters(call, frozenset())
    found = await call.read(call.services.reading.routed_to, call.request.path_params["name"])
    if not found:
        raise not_found(Reason.NOT_FOUND)
    return json_answer(found[0])


async def list_(call: Call) -> Answer:
    """Every partner that something was routed to."""
    require_known_parameters(call, frozenset())
    return json_answer({"partners": await call.read(call.services.reading.routed_to, None), "next_cursor": None})
