"""What the fields of requests and answers mean, for those whose name and type do not say it all.

Kept beside the structs, not in them: the structs say what is valid, and these sentences are for readers of the docs.
"""

from collections.abc import Mapping

from shipledger.fulfillment import FulfillmentStatus
from shipledger.http.documentation.change_examples import CHANGE_NOTES
from shipledger.http.documentation.report_notes import REPORT_NOTES
from shipledger.http.documentation.webhook_notes import WEBHOOK_NOTES
from shipledger.order import OrderStatus

_LINES_OMITTED = "Omitted or null: everything that remains of the order. An empty list is refused."
_FULFILLMENT_STATUS = f"One of {', '.join(FulfillmentStatus)}; dry_run where nothing was written."

_KEY = {
    "role": "Whose key it is: operator or partner.",
    "scopes": "What it may do.",
    "rate_limit": "Requests a second; null: the server's own limit.",
    "starts_with": "How the key begins. It lets nobody in.",
    "expires_at": "When it ends, or ended, by itself; null: never.",
    "last_used_at": "When it was last used, give or take a minute.",
    "revoked_at": "When it was revoked.",
    "replaced_by": "The id of the key that a rotation made in its place.",
}

FIELD_NOTES: Mapping[str, Mapping[str, str]] = {
    "RequestedLine": {"quantity": "How many were shipped. The same sku on two lines is added up."},
    "RequestedGroup": {"line_items": f"What was shipped of this order. {_LINES_OMITTED}"},
    "CreateFulfillment": {
        "order_id": "An integer is the order's id; a string is its reference, or else its id in digits.",
        "line_items": f"What was shipped. {_LINES_OMITTED}",
        "line_items_by_fulfillment_order": "What was shipped of each order. Groups of one order are merged."
        " Several orders are one parcel: all of them are recorded, or none.",
        "tracking_number": "The parcel's number, kept as it was sent, trimmed. It is never refused for its look.",
        "tracking_url": "Where the parcel can be followed: an http or https URL. Omitted: the page of its carrier.",
        "carrier": "Who carries the parcel. Omitted: the carrier that the number most likely belongs to.",
    },
    "FulfilledLine": {"quantity": "How many were recorded as shipped."},
    "PutPartner": {
        "skus": "Skus that go to the partner. The strongest rule: it is looked for first.",
        "sku_prefixes": "What skus begin with that go to the partner. The longest prefix wins.",
        "channels": "Channels whose orders go to the partner, as far as no sku or prefix says otherwise.",
    },
    "Partner": {
        "name": "The short name, as lines and keys have it.",
        "skus": "Skus that go to the partner.",
        "sku_prefixes": "What skus begin with that go to the partner.",
        "channels": "Channels whose orders go to the partner.",
        "changed_at": "When its rules were last changed.",
        "warnings": "Only where there is something to know.",
    },
    "Warning": {
        "code": "What was noticed, for programs.",
        "at": "The field that it is about.",
        "message": "The same for people.",
    },
    "Fulfillment": {
        "order_id": "The order's id, also where the request named its reference.",
        "status": _FULFILLMENT_STATUS,
        "tracking_number": "The parcel's number.",
        "created_at": "When it was recorded, in UTC.",
        "id": "The fulfillment's id; null for a dry run.",
        "line_items": "What was really recorded: also where the request omitted its lines.",
        "carrier": "Who carries the parcel; null where it is not known.",
        "tracking_url": "Where the parcel can be followed; null where it is not known.",
        "warnings": "Only where there is something to know.",
    },
    "Parcel": {
        "status": _FULFILLMENT_STATUS,
        "tracking_number": "The parcel's number, the same in each fulfillment.",
        "created_at": "When it was recorded, in UTC.",
        "fulfillments": "One for each order, in the order of the request.",
        "warnings": "Only where there is something to know.",
    },
    "FulfillmentList": {"next_cursor": "Send it as cursor for the next page; null on the last."},
    "Candidate": {
        "carrier": "The carrier's short name, as fulfillments have it.",
        "name": "The carrier's name.",
        "check_digit": "verified where the number's check digit is right; none where numbers of this form have none.",
        "tracking_url": "Where the carrier shows this number; null where it has no such page.",
    },
    "TrackingNumber": {
        "candidates": "Each carrier once, the best first; a wrong check digit excludes one. Empty: no one is known.",
        "warnings": "What is odd about the number; empty where nothing is.",
    },
    "OrderedLine": {
        "sku": "A string, or an integer, which is taken as its digits.",
        "quantity": "How many were ordered.",
        "title": "What people call it.",
        "partner": "The short name of the partner who ships this line. Without one, it is the operator's.",
    },
    "CreateOrder": {
        "line_items": "What was ordered. The same sku may stand on several lines.",
        "id": "The id at the order's source. Without one, the ledger assigns it.",
        "reference": "The number that people know the order by. Unique.",
        "channel": "Where the order was placed, e.g. a shop or a marketplace.",
        "email": "The customer's address.",
        "shipping_address": "Kept as it was sent.",
        "shipping_service": "What the customer chose, e.g. express.",
        "ship_by": "The moment by which it must leave. A bare date means the end of that day.",
        "deliver_by": "The moment by which it must arrive. A bare date means the end of that day.",
        "metadata": "Anything of yours, kept as it was sent.",
    },
    "BulkLine": {
        "index": "The item's place in the request, from 0. Lines come in this order.",
        "status": "The status that a request of its own would be answered with; 424 where another item failed it.",
        "body": "The body that a request of its own would be answered with.",
        "replayed": "true where the first answer to the item's key is given again.",
        "code": "outcome_unknown where the database was lost while it committed, and could not tell what became of it.",
    },
    "BulkSummary": {
        "items": "How many were answered.",
        "taken": "How many were answered 200 or 201, replayed ones included.",
        "refused": "How many were answered otherwise.",
        "statuses": "How many were answered with each status.",
        "complete": "Whether the body was read to its end. Where it was not, what came behind was not applied.",
        "message": "Only where the body was not read to its end.",
    },
    "Totals": {"remaining": "Neither fulfilled nor cancelled."},
    "OrderLine": {"remaining": "Neither fulfilled nor cancelled."},
    "ListedOrder": {
        "status": f"One of {', '.join(OrderStatus)}.",
        "on_hold": "Whether fulfilling is forbidden for now. A flag beside the status, not a status.",
        "hold_reason": "Why it is held; null where it is not.",
        "created_at": "When it was recorded, in UTC.",
        "cancelled_at": "When it was cancelled; null where it was not.",
        "totals": "Over all lines.",
        "line_items": "What was ordered, and how far each line is.",
    },
    "OrderList": {"next_cursor": "Send it as cursor for the next page; null on the last."},
    "Event": {
        "id": "Given when the change is committed. A webhook that tells of it has the same id.",
        "type": "What happened.",
        "created_at": "When it happened, in UTC.",
        "order_id": "The order that it happened to.",
        "sequence": "Counts the events of this order from 1; null for a partner, which is not told of all of them.",
        "data": "The fulfillment as GET answers it, or the order without its fulfillments, as it was then. Never an"
        " e-mail or an address.",
    },
    "EventList": {
        "events": "Oldest first. Empty where nothing happened after the event.",
        "next_cursor": "Send it as after, to go on behind the last event of this answer.",
    },
    "Gone": {
        "error": "The title, for programs.",
        "message": "A sentence for people.",
        "oldest": "The id of the oldest event that is kept.",
    },
    "CreateKey": {
        "name": "Who holds it. The audit trail shows this name.",
        "role": "Whose key it is.",
        "partner": "The partner's short name, for a partner's key alone.",
        "scopes": "What it may do; omitted: all that its role may. A partner's may not hold orders:write or keys.",
        "expires_at": "When it ends by itself.",
        "rate_limit": "Requests a second; omitted: the server's own limit.",
    },
    "RotateKey": {
        "overlap_seconds": "How long the old key lives on; omitted: a day.",
        "expires_at": "When the new key ends by itself; omitted: when the old one would have.",
    },
    "Key": _KEY,
    "NewKey": {
        **_KEY,
        "secret": "The key as it is to be sent. Null where the answer is given again: it is not kept.",
        "warnings": "Only where there is something to know.",
    },
    "KeyList": {"next_cursor": "Send it as cursor for the next page; null on the last."},
    "Change": {
        "type": "What happened.",
        "actor": "The name of the key; host (a command on the server's machine), open (before there was a key) or"
        " import.",
        "key_id": "The key; null where none was used.",
        "request_id": "The X-Request-Id of the request.",
        "order_id": "The order; null for administration.",
        "sequence": "Counts the events of this order from 1; null for administration.",
        "data": "The thing as it was then.",
    },
    "AuditList": {"next_cursor": "Send it as cursor for the next page; null on the last."},
    "Error": {"error": "The title, for programs.", "message": "A sentence for people."},
    "DetailedError": {
        "error": "The title, for programs.",
        "message": "A sentence for people.",
        "details": "Every fault that was found, not only the first.",
    },
    "Detail": {
        "code": "What is wrong, for programs.",
        "at": "Where it is, e.g. line_items[0].quantity.",
        "message": "A sentence that says how to mend it.",
        "sku": "The sku that was asked for.",
        "requested": "How many were asked for.",
        "remaining": "How many remain.",
        "nearest_sku": "The sku of the order that resembles an unknown one most.",
    },
}
_ITEM_KEY = {
    "idempotency_key": "Makes the item safe to repeat, for ever, in bulk or alone, as the header Idempotency-Key does."
}
_ORDER_PAST = {"past": "Of an order that another ledger had: how it stood there."}
# What an order is shown with in a list, it is shown with alone; what may be sent alone may be sent in bulk.
FIELD_NOTES = {
    **FIELD_NOTES,
    "BulkFulfillment": {**FIELD_NOTES["CreateFulfillment"], **_ITEM_KEY},
    "BulkOrder": {**FIELD_NOTES["CreateOrder"], **_ITEM_KEY, **_ORDER_PAST},
    **CHANGE_NOTES,
    "ChangedOrder": {**FIELD_NOTES["ListedOrder"], "warnings": "Only where there is something to know."},
    "Order": {
        **FIELD_NOTES["ListedOrder"],
        "fulfillments": "The newest of its parcels.",
        "fulfillments_url": "Where all of its parcels are listed.",
        "warnings": "Only where there is something to know.",
    },
}
FIELD_NOTES = {**FIELD_NOTES, **WEBHOOK_NOTES, **REPORT_NOTES}
