"""The examples of the OpenAPI document: requests that can be sent as they are, and the answers that they get.

The demonstration's orders are the ones that they name, so that each is a success there, one after another.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shipledger.http import key_schemas, schemas, schemas_changes
from shipledger.http.answer import TITLE_OF
from shipledger.http.documentation.change_examples import CHANGE_REQUESTS, TIMELINE
from shipledger.http.documentation.upload_examples import UPLOAD_ANSWERS, UPLOAD_ERRORS
from shipledger.http.documentation.webhook_examples import WEBHOOK_ANSWERS, WEBHOOK_REQUESTS
from shipledger.http.route import Route
from shipledger.limits import BODY_BYTES_MAX, PAGE_MAX, QUANTITY_MAX
from shipledger.refusal import Reason

Examples = dict[str, dict[str, Any]]
"""Examples by name, as OpenAPI writes them: a summary and a value."""

NUMBER = "1ZE356F8YW01937117"
_SHARED_NUMBER = "1ZE356F8YW01937135"
_PAGE = "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums="
_MOMENT = "2024-04-30T12:00:00Z"
_LINE = {"sku": "RPBF24-1941", "quantity": 1}

PATH_IDS = {"orders": 450789469, "fulfillments": 1, "keys": 2, "webhooks": 1}
"""The id that the examples of a resource's paths have."""

REQUESTS: Mapping[type[Any], Examples] = {
    schemas.PutPartner: {
        "rules": {
            "summary": "A sku, a family of skus, and a channel",
            "value": {"skus": ["RPBF24-1941"], "sku_prefixes": ["SOAP-"], "channels": ["amazon"]},
        },
    },
    schemas.CreateFulfillment: {
        "one_order": {
            "summary": "One order",
            "value": {"order_id": 450789469, "line_items": [_LINE], "tracking_number": NUMBER},
        },
        "everything_that_remains": {
            "summary": "Everything that remains of an order",
            "value": {"order_id": "#1001", "tracking_number": "1ZE356F8YW01937126", "carrier": "UPS"},
        },
        "several_orders": {
            "summary": "Several orders in one parcel",
            "value": {
                "line_items_by_fulfillment_order": [
                    {"order_id": 1003, "line_items": [{"sku": "SOAP-3", "quantity": 2}]},
                    {"order_id": "#1004"},
                ],
                "tracking_number": _SHARED_NUMBER,
            },
        },
    },
    schemas.CreateOrder: {
        "order": {
            "summary": "An order of the source's own id",
            "value": {
                "id": 450789470,
                "reference": "#1002",
                "channel": "web",
                "deliver_by": "2030-05-03",
                "line_items": [{"sku": "RPBF24-1941", "title": "Rain jacket, blue", "quantity": 2}],
            },
        }
    },
    key_schemas.CreateKey: {
        "operator": {
            "summary": "An operator's key, which may do everything",
            "value": {"name": "back office", "role": "operator"},
        },
        "partner": {
            "summary": "A partner's key, for its own lines alone",
            "value": {
                "name": "acme, warehouse 2",
                "role": "partner",
                "partner": "acme",
                "scopes": ["orders:read", "fulfillments:read", "fulfillments:write"],
                "rate_limit": 100,
            },
        },
    },
    key_schemas.RotateKey: {
        "rotation": {"summary": "Let the old key live on for an hour", "value": {"overlap_seconds": 3600}}
    },
    **WEBHOOK_REQUESTS,
    **CHANGE_REQUESTS,
}
_PARCELS = [
    {"order_id": 1003, "line_items": [{"sku": "SOAP-3", "quantity": 1}], "tracking_number": "1ZE356F8YW01937141"},
    {"order_id": 1003, "line_items": [{"sku": "SOAP-3", "quantity": 9}], "tracking_number": "1ZE356F8YW01937158"},
]
_ORDERS = [
    {"id": id_, "reference": f"#{id_}", "line_items": [{"sku": "SOAP-3", "quantity": 1}]}
    for id_ in (450789471, 450789472)
]
BULK_REQUESTS: Mapping[type[Any], Examples] = {
    schemas.BulkFulfillment: {
        "two_parcels": {
            "summary": "Two parcels, of which the second cannot be",
            "value": [{**item, "idempotency_key": f"parcel-{number}"} for number, item in enumerate(_PARCELS, start=1)],
        }
    },
    schemas.BulkOrder: {"two_orders": {"summary": "Two orders", "value": _ORDERS}},
}
"""Of the bodies that are arrays of items."""

_PARTNER = {"skus": ["RPBF24-1941"], "sku_prefixes": ["SOAP-"], "channels": ["amazon"]}
_FULFILLMENT = {
    "order_id": 450789469,
    "status": "created",
    "tracking_number": NUMBER,
    "created_at": _MOMENT,
    "id": 1,
    "line_items": [_LINE],
    "carrier": "ups",
    "tracking_url": _PAGE + NUMBER,
}
_QUANTITIES = {"ordered": 2, "fulfilled": 0, "cancelled": 0, "remaining": 2}
_ORDER = {
    "id": 450789470,
    "reference": "#1002",
    "status": "unfulfilled",
    "on_hold": False,
    "hold_reason": None,
    "channel": "web",
    "email": None,
    "shipping_address": None,
    "shipping_service": None,
    "ship_by": None,
    "deliver_by": "2030-05-03T23:59:59Z",
    "metadata": None,
    "created_at": _MOMENT,
    "cancelled_at": None,
    "totals": _QUANTITIES,
    "line_items": [{"sku": "RPBF24-1941", "title": "Rain jacket, blue", "partner": None, **_QUANTITIES}],
}
_KEY = {
    "id": 2,
    "name": "acme, warehouse 2",
    "role": "partner",
    "partner": "acme",
    "scopes": ["fulfillments:read", "fulfillments:write", "orders:read"],
    "rate_limit": 100,
    "starts_with": "sl_4kP9xQz71Lm_",
    "created_at": _MOMENT,
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
    "replaced_by": None,
}
_CURSOR = "q83vASNFZ4lbIm9yZGVycyJd"

ANSWERS: Mapping[Any, Any] = {
    schemas.Fulfillment: _FULFILLMENT,
    schemas.Parcel: {
        "status": "created",
        "tracking_number": _SHARED_NUMBER,
        "created_at": _MOMENT,
        "fulfillments": [
            {
                **_FULFILLMENT,
                "order_id": 1003,
                "tracking_number": _SHARED_NUMBER,
                "tracking_url": _PAGE + _SHARED_NUMBER,
                "id": 3,
                "line_items": [{"sku": "SOAP-3", "quantity": 2}],
            },
            {
                **_FULFILLMENT,
                "order_id": 1004,
                "tracking_number": _SHARED_NUMBER,
                "tracking_url": _PAGE + _SHARED_NUMBER,
                "id": 4,
                "line_items": [{"sku": "SOAP-3", "quantity": 1}, {"sku": "TOWEL", "quantity": 1}],
            },
        ],
    },
    schemas.TrackingNumber: {
        "candidates": [
            {
                "carrier": "ups",
                "name": "UPS",
                "check_digit": "verified",
                "tracking_url": _PAGE + NUMBER,
            }
        ],
        "warnings": [],
    },
    schemas.FulfillmentList: {"fulfillments": [_FULFILLMENT], "next_cursor": _CURSOR},
    schemas.Order: {**_ORDER, "fulfillments": [], "fulfillments_url": "/v1/fulfillments?order_id=450789470"},
    schemas.OrderList: {"orders": [_ORDER], "next_cursor": _CURSOR},
    schemas.EventList: {
        "events": [
            {
                "id": 1,
                "type": "fulfillment.created",
                "created_at": _MOMENT,
                "order_id": 450789469,
                "sequence": 2,
                "data": _FULFILLMENT,
            }
        ],
        "next_cursor": "1",
    },
    schemas.Partner: {"name": "acme", **_PARTNER, "changed_at": _MOMENT},
    schemas.PartnerList: {"partners": [{"name": "acme", **_PARTNER, "changed_at": _MOMENT}], "next_cursor": None},
    schemas.BulkLine: {"index": 0, "status": 200, "body": _FULFILLMENT},
    schemas.BulkEnd: {
        "summary": {
            "items": 2,
            "taken": 1,
            "replayed": 0,
            "refused": 1,
            "statuses": {"200": 1, "400": 1},
            "complete": True,
        }
    },
    key_schemas.Key: _KEY,
    key_schemas.NewKey: {**_KEY, "secret": "sl_4kP9xQz71Lm_(43 letters and digits, shown this once)"},
    key_schemas.KeyList: {"keys": [_KEY], "next_cursor": _CURSOR},
    key_schemas.AuditList: {
        "audit": [
            {
                "id": 7,
                "type": "key.created",
                "created_at": _MOMENT,
                "actor": "back office",
                "key_id": 1,
                "request_id": "0f1e2d3c4b5a6",
                "order_id": None,
                "sequence": None,
                "data": _KEY,
            }
        ],
        "next_cursor": _CURSOR,
    },
    **WEBHOOK_ANSWERS,
    **UPLOAD_ANSWERS,
    schemas.ChangedOrder: _ORDER,
    schemas_changes.Timeline: TIMELINE,
    schemas.Health: {"status": "ok"},
}


def plain_error(title: str, message: str) -> Examples:
    """An error of two keys."""
    return {_name(title): {"summary": title, "value": {"error": title, "message": message}}}


def _error(reason: Reason, code: str, at: str, message: str = "", **line: Any) -> Examples:
    """An error with one detail. An invalid request carries the sentence of its first fault."""
    detail = {"code": code, "at": at, "message": message or reason.sentence, **line}
    sentence = message if reason is Reason.INVALID_REQUEST else reason.sentence
    value = {"error": reason.title, "message": sentence, "details": [detail]}
    return {_name(reason.title): {"summary": reason.title, "value": value}}


def _name(title: str) -> str:
    return title.lower().replace(" ", "_").replace("-", "_")


_UNKNOWN_SKU = _error(
    Reason.INVALID_LINES,
    "unknown_sku",
    "line_items[0].sku",
    "The order has no line with this sku.",
    sku="RPBF24-1914",
    requested=1,
    remaining=0,
    nearest_sku="RPBF24-1941",
)
_KEY_REUSED = _error(Reason.KEY_REUSED, "idempotency_key_reused", "Idempotency-Key")
_SEND_JSON = 'Send the header "Content-Type: application/json" and a JSON body in UTF-8.'

_BY_REQUEST: Mapping[type[Any], Mapping[int, Examples]] = {
    schemas.PutPartner: {
        409: _error(
            Reason.RULE_TAKEN, "rule_taken", "skus[0]", "Partner zenith has this rule; take it from there first."
        ),
    },
    schemas.CreateFulfillment: {
        400: _UNKNOWN_SKU
        | _error(Reason.INVALID_REQUEST, "required", "tracking_number", "tracking_number is required."),
        409: _error(Reason.ORDER_CANCELLED, "order_cancelled", "order_id")
        | _error(Reason.ORDER_ON_HOLD, "order_on_hold", "order_id")
        | _error(
            Reason.FULFILLMENT_EXISTS,
            "already_fulfilled",
            "tracking_number",
            "Fulfillment 1 holds these lines already.",
        ),
    },
    schemas.CreateOrder: {
        400: _error(Reason.INVALID_REQUEST, "required", "line_items", "line_items is required.")
        | _error(
            Reason.INVALID_LINES,
            "quantity_invalid",
            "line_items[0].quantity",
            f"line_items[0].quantity must be an integer from 1 to {QUANTITY_MAX}.",
        ),
        409: _error(
            Reason.ORDER_EXISTS,
            "order_exists",
            "reference",
            "Another order has this reference; send the order as it was first sent, or under its own.",
        ),
    },
    schemas_changes.ChangeOrder: {
        409: _error(Reason.ORDER_EXISTS, "order_exists", "reference", "Another order has this reference."),
    },
    schemas_changes.ChangeTracking: {409: _error(Reason.FULFILLMENT_CANCELLED, "fulfillment_cancelled", "id")},
    schemas_changes.AddCarrierEvent: {409: _error(Reason.FULFILLMENT_CANCELLED, "fulfillment_cancelled", "id")},
}
_NO_KEY = "This server has no key to derive secrets from: set SHIPLEDGER_WEBHOOK_KEY."
_BY_STATUS: Mapping[int, Examples] = {
    400: _error(
        Reason.INVALID_REQUEST,
        "unknown_parameter",
        "query",
        "The query holds a parameter that is not known; known here: none.",
    ),
    404: plain_error(Reason.NOT_FOUND.title, Reason.NOT_FOUND.sentence),
    410: {
        "gone": {
            "summary": "Gone",
            "value": {"error": "Gone", "message": "What happened after this event is no longer kept.", "oldest": 7},
        }
    },
    409: {
        "webhooks_not_set_up": {
            "summary": "Webhooks Not Set Up",
            "value": {
                "error": "Webhooks Not Set Up",
                "message": _NO_KEY,
                "details": [{"code": "webhook_key_missing", "at": "", "message": _NO_KEY}],
            },
        }
    },
    413: plain_error(TITLE_OF[413], f"The body must have at most {BODY_BYTES_MAX} bytes."),
    415: plain_error(TITLE_OF[415], _SEND_JSON),
    422: _KEY_REUSED,
    503: plain_error(HTTPStatus(503).phrase, "The ledger cannot be read."),
}
_BAD_LIMIT = _error(Reason.INVALID_REQUEST, "limit_invalid", "query.limit", f"limit must be from 1 to {PAGE_MAX}.")
_NO_ORDER = plain_error(Reason.ORDER_NOT_FOUND.title, Reason.ORDER_NOT_FOUND.sentence)


def error_examples(route: Route, status: int) -> Examples:
    """What a route's errors of one status look like."""
    own = _BY_REQUEST.get(route.request, {}) if route.request else {}
    if status in own:
        return own[status]
    if route.is_file and status in UPLOAD_ERRORS:
        return plain_error(TITLE_OF[status], UPLOAD_ERRORS[status])
    if status == HTTPStatus.BAD_REQUEST and route.list_spec:
        return _BAD_LIMIT
    is_of_an_order = route.request is schemas.CreateFulfillment or route.path.startswith("/v1/orders/")
    if status == HTTPStatus.NOT_FOUND and is_of_an_order:
        return _NO_ORDER
    return _BY_STATUS.get(status, {})
