"""What the fields of imports, exports and reports mean, where name and type do not say it all."""

from collections.abc import Mapping

REPORT_NOTES: Mapping[str, Mapping[str, str]] = {
    "BeginImport": {
        "file": "The file's name, which is only shown.",
        "fingerprint": "A hash of what is in the file: the same again goes on with the import that it began.",
    },
    "ImportRows": {
        "rows": "Rows of the file.",
        "taken": "Rows that were recorded.",
        "repeated": "Rows that the ledger had.",
        "rejected": "Rows that could not be taken.",
    },
    "ImportParcels": {
        "fulfillments": "Parcels of the file, each of one order and with its line_items, of all rows with its tracking"
        " number.",
    },
    "ImportedParcel": {"past": "Of a parcel that another ledger recorded: what became of it there."},
    "ParcelPast": {
        "id": "Its id there, by which it is known.",
        "created_at": "When it was recorded there. If that was before the order came here, no hold is in its way.",
        "status": "Its status there, which counts where no events are told.",
        "taken_from": "Which lines of the order it holds something of. Omitted: the first of each sku.",
        "events": "Its timeline, in the order in which it was heard of.",
        "nth": "Of parcels of one file that hold the same under one number, which it is.",
    },
    "TakenFrom": {"position": "The line's place in the order, from 0.", "quantity": "How much of it."},
    "PastEvent": {
        "status": "What happened.",
        "occurred_at": "When. Omitted: the moment at which it is recorded here.",
        "message": "What was said of it.",
        "location": "Where.",
    },
    "OrderPast": {
        "cancelled": "How much of each line was cancelled, in the order of line_items.",
        "cancelled_at": "When all that remained was cancelled.",
        "hold_reason": "Why it is on hold.",
    },
    "ImportResult": {
        "code": "Why it was refused; null where it was not.",
        "id": "The fulfillment, also where the ledger had it.",
        "is_new": "Whether it was recorded by this request.",
    },
    "Upload": {
        "file": "What its sender calls it.",
        "status": "previewed: nothing of it is recorded. running, done, failed: its import. undone: taken back.",
        "expires_at": "Until then it is kept, unless newer files need the room or the server ends.",
        "read_as": "What the file was taken for, e.g. CSV, utf-8, comma.",
        "unused_columns": "Columns that nothing is read from.",
        "rows_done": "Rows that the import has decided, of those that could be read.",
        "reasons": "Of all rejected rows, the most frequent first.",
        "verdicts": "Of the first rows, as they were looked through.",
        "import_id": "The import that it became: POST /v1/imports/{id}/undo takes that back.",
        "message": "Why it failed, and how to go on.",
    },
    "UploadVerdict": {"line": "The line on which the row begins; in a JSON document its place, from 1."},
    "CreateReconciliation": {
        "from": "The first moment that is looked at. A bare date means its start.",
        "to": "The last one. A bare date means its end.",
        "fulfillments": "All that was shipped in this time. Entries of one order and tracking number are one parcel.",
    },
    "BelievedFulfillment": {
        "order_id": "The order's id, or its reference.",
        "tracking_number": "The parcel's number.",
        "line_items": "What was in it. Omitted: it is not compared.",
        "status": "Where it is. Omitted: it is enough that it was not cancelled.",
    },
    "ReconciliationCounts": {
        "named": "Parcels in the request.",
        "recorded": "Fulfillments of this time in the ledger that were not cancelled.",
        "equal": "Parcels that both know alike.",
    },
    "MissingFulfillment": {"index": "Its place in the request, from 0."},
    "DifferentFulfillment": {"index": "Its place in the request, from 0.", "recorded": "As the ledger has it."},
    "Reconciliation": {
        "missing": "Believed, and not recorded.",
        "extra": "Recorded in this time, and not named.",
        "different": "Known to both, with other line_items or another status.",
    },
    "LateOrder": {
        "due_by": "ship_by, or, where there is none, deliver_by.",
        "remaining": "Over all lines.",
        "partners": "What remains, by whose lines it is.",
    },
    "PartnerReport": {
        "partner": "null: the operator's own lines.",
        "open_orders": "Orders of which something of these lines remains.",
        "open_quantity": "How much of these lines remains.",
        "lines_on_time": "Lines that were completed by the date of their order.",
        "lines_late": "Lines that were completed after it.",
        "on_time_share": "Lines on time, of all that were completed and had a date; null where there are none.",
        "numbers": "Tracking numbers that were sent with new fulfillments.",
        "numbers_failed": "Those whose check digit was wrong.",
        "numbers_failed_share": "Of all numbers; null where there are none.",
    },
}
