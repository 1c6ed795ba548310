"""Reconciliations: what a sender believes to have shipped, held against the ledger."""

from datetime import tzinfo
from typing import Any

from shipledger.fulfillment import FulfillmentStatus
from shipledger.http.answer import Answer, json_answer, refusal_answer, refused
from shipledger.http.call import Call
from shipledger.http.fields import Fields, Findings
from shipledger.http.fulfillment_request import TRACKING_SYNONYMS, read_group
from shipledger.http.lookalikes import Vocabulary
from shipledger.http.parameters import require_known_parameters
from shipledger.limits import LINES_MAX, RECONCILED_IN_RANGE_MAX, RECONCILED_MAX, TRACKING_NUMBER_CHARS_MAX
from shipledger.reconciliation import Believed, Reconcile, reconcile
from shipledger.refusal import Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND

TOP = Vocabulary(frozenset({"from", "to", "fulfillments"}))
FULFILLMENT = Vocabulary(
    frozenset({"order_id", "tracking_number", "line_items", "status"}),
    frozenset({"id", "created_at", "carrier", "tracking_url", "warnings"}),
    {**TRACKING_SYNONYMS, "items": "line_items", "lines": "line_items"},
)


async def create(call: Call) -> Answer:
    """Say what is missing, extra and different. A partner's are its own fulfillments alone."""
    require_known_parameters(call, frozenset())
    asked = _read(call, call.services.zone)
    if isinstance(asked, Refusal):
        return refusal_answer(asked)
    recorded = await call.read(call.services.reading.recorded_for, asked)
    if recorded is None:
        message = (
            f"More than {RECONCILED_IN_RANGE_MAX} fulfillments were recorded from then to then: ask for less time."
        )
        raise refused(400, message, code="too_many", at="from")
    return json_answer(await call.read(reconcile, asked, recorded))


def _read(call: Call, zone: tzinfo) -> Reconcile | Refusal:
    findings = Findings()
    top = Fields(call.body, TOP, findings)
    first, last = top.moment("from", zone, start_of_day=True), top.moment("to", zone)
    for name in ("from", "to"):
        if top.value(name) is None:
            findings.fault("required", name, f"{name} is required.")
    if first is not None and last is not None and first > last:
        findings.fault("empty", "to", "to lies before from.")
    believed = _fulfillments(top, findings)
    refusal = findings.refusal()
    if refusal is not None:
        return refusal
    first, last = first or 0, last or 0
    # Moments are shown in seconds, so that one without a fraction means all of its second.
    last = last if last % MICROSECONDS_A_SECOND else last + MICROSECONDS_A_SECOND - 1
    account = None if call.origin.partner is None else call.origin.account
    return Reconcile(first, last, tuple(believed), account)


def _fulfillments(top: Fields, findings: Findings) -> list[Believed]:
    given = top.value("fulfillments")
    if not isinstance(given, list) or len(given) > RECONCILED_MAX:
        message = f"fulfillments must be a list of at most {RECONCILED_MAX} objects."
        findings.fault("not_a_list", "fulfillments", message)
        return []
    read = [_believed(values, index, findings) for index, values in enumerate(given)]
    return [believed for believed in read if believed is not None]


def _believed(values: Any, index: int, findings: Findings) -> Believed | None:
    place = f"fulfillments[{index}]"
    if not isinstance(values, dict):
        findings.fault("not_an_object", place, f"{place} must be an object with order_id and tracking_number.")
        return None
    fields = Fields(values, FULFILLMENT, findings, place)
    share = read_group(fields, findings, [LINES_MAX])
    number = fields.text("tracking_number", TRACKING_NUMBER_CHARS_MAX, required=True)
    status = fields.text("status", TRACKING_NUMBER_CHARS_MAX)
    if status is not None and status not in set(FulfillmentStatus):
        findings.fault("not_a_status", fields.at("status"), f"{fields.at('status')} is no status of a fulfillment.")
    if share is None or number is None:
        return None
    quantities = None if share.lines is None else {line.sku: line.quantity for line in share.lines}
    return Believed(index, share.order, number, quantities, status)
