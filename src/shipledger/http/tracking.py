"""What a tracking number tells."""

from shipledger.document import Document, caution_documents
from shipledger.http.answer import Answer, json_answer
from shipledger.http.call import Call
from shipledger.http.parameters import not_found, require_known_parameters
from shipledger.limits import TRACKING_NUMBER_CHARS_MAX
from shipledger.refusal import Reason
from shipledger.text import tidy
from shipledger.tracking import Candidate, candidates, understood
from shipledger.validity import text_fault

_UNDECODABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands in a path for bytes that are not UTF-8."""


async def explain(call: Call) -> Answer:
    """The carriers that a number may belong to, and what is odd about it."""
    require_known_parameters(call, frozenset())
    number = _number(call)
    cautions = understood(number).cautions
    found = [_document(candidate) for candidate in candidates(number)]
    return json_answer({"candidates": found, "warnings": caution_documents(cautions)})


def _number(call: Call) -> str:
    """The number in the path. Raises Refused (404) for what no fulfillment can have, and for mere dots."""
    number = tidy(call.request.path_params["number"])
    if not number.strip(".") or _UNDECODABLE in number or text_fault(number, TRACKING_NUMBER_CHARS_MAX):
        raise not_found(Reason.NOT_FOUND)
    return number


def _document(candidate: Candidate) -> Document:
    return {
        "carrier": candidate.carrier.code,
        "name": candidate.carrier.name,
        "check_digit": str(candidate.check),
        "tracking_url": candidate.tracking_url,
    }
