"""From the JSON of imports to commands."""

from dataclasses import replace
from typing import Any

from shipledger.command import CreateFulfillment, TakeOverFulfillment, parcel_of_file
from shipledger.file_import import BeginImport, FinishImport, RowCounts
from shipledger.http.call import Call
from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.fulfillment_request import TOP, read_create_fulfillment
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import ID_MAX, IMPORT_FILE_NAME_CHARS_MAX, IMPORTED_PARCELS_MAX
from shipledger.past import parcel_past
from shipledger.refusal import Detail, Reason, Refusal

FINGERPRINT_CHARS_MAX = 64
BEGIN = Vocabulary(frozenset({"file", "fingerprint"}))
COUNTS = Vocabulary(frozenset({"rows", "taken", "repeated", "rejected"}))
PARCELS = Vocabulary(frozenset({"fulfillments"}))
PARCEL = replace(TOP, fields=TOP.fields | {"past"})

Parcel = CreateFulfillment | TakeOverFulfillment


def read_begin(call: Call) -> BeginImport | Refusal:
    """The command that begins an import."""
    findings = Findings()
    fields = Fields(call.body, BEGIN, findings)
    file = fields.text("file", IMPORT_FILE_NAME_CHARS_MAX, required=True)
    content = fields.text("fingerprint", FINGERPRINT_CHARS_MAX, required=True)
    return findings.refusal() or BeginImport(call.origin, file or "", content or "")


def read_finish(call: Call, import_id: int) -> FinishImport | Refusal:
    """The command that ends an import."""
    findings = Findings()
    Fields(call.body, COUNTS, findings)
    counts = {}
    for name in sorted(COUNTS.fields):
        number = whole_number(call.body.get(name))
        if number is None or not 0 <= number <= ID_MAX:
            findings.fault("not_a_count", name, f"{name} must be a whole number of rows.")
        counts[name] = number or 0
    return findings.refusal() or FinishImport(call.origin, import_id, RowCounts(**counts))


def read_parcels(call: Call, import_id: int) -> list[Parcel | Refusal] | Refusal:
    """The commands that parcels of a file mean, each with the key that they have in every file."""
    findings = Findings()
    Fields(call.body, PARCELS, findings)
    given = call.body.get("fulfillments")
    if not isinstance(given, list) or not 1 <= len(given) <= IMPORTED_PARCELS_MAX:
        message = f"fulfillments must be a list of 1 to {IMPORTED_PARCELS_MAX} objects."
        findings.fault("not_a_list", "fulfillments", message)
        given = []
    return findings.refusal() or [_parcel(call, values, import_id) for values in given]


def _parcel(call: Call, values: Any, import_id: int) -> Parcel | Refusal:
    if not isinstance(values, dict):
        return _invalid("not_an_object", "A fulfillment must be an object with order_id, line_items, tracking_number.")
    command = read_create_fulfillment(values, call.origin, Findings(), vocabulary=PARCEL)
    if isinstance(command, Refusal):
        return command
    share, *more = command.orders
    if more or share.lines is None:
        return _invalid("not_one_order", "A fulfillment of a file is of one order, and names its line_items.")
    told = values.get("past")
    try:
        past = None if told is None else parcel_past(told if isinstance(told, dict) else {})
    except ValueError as error:
        return _invalid("past_invalid", f"past cannot be read: {error}.")
    return parcel_of_file(command, import_id, past)


def _invalid(code: str, message: str) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, (Detail(code, "fulfillments", message),))
