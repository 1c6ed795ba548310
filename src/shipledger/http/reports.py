"""Reports for the operator: what is late, and how each partner does."""

from shipledger.http.answer import Answer, json_answer
from shipledger.http.call import Call
from shipledger.http.clock import now
from shipledger.http.listing import ListSpec, answer_list, text_filter
from shipledger.http.parameters import require_known_parameters
from shipledger.limits import PARTNER_CHARS_MAX
from shipledger.storage.port import LateFilter

LATE = ListSpec(
    "late_orders",
    {"partner": text_filter("partner", "Late orders of which something of this partner's remains.", PARTNER_CHARS_MAX)},
    LateFilter,
    position_length=2,
)


async def late(call: Call) -> Answer:
    """Orders that are late, the longest first."""
    read, moment = call.services.reading.late_orders, now()
    # Reports are the operator's alone: no partner's key may ask.
    return await answer_list(call, LATE, lambda wanted, after, limit, _: read(moment, wanted, after, limit))


async def partners(call: Call) -> Answer:
    """How each partner does."""
    require_known_parameters(call, frozenset())
    return json_answer({"partners": await call.read(call.services.reading.partners)})
