"""Every URL on one page: method, path, handler, scope, request, answers. The OpenAPI document is made from it."""

from typing import Any

from shipledger.http import (
    audit,
    exports,
    feed,
    fulfillments,
    key_schemas,
    keys,
    meta,
    orders,
    partners,
    reports,
    schemas,
    schemas_reports,
    tracking,
    webhooks,
)
from shipledger.http import webhook_schemas as hooks
from shipledger.http.route import OPERATORS_ONLY, PUBLIC, Route

_HAS_DETAILS = {400, 409, 422}


def _or(*statuses: int) -> dict[int, Any]:
    """The errors that a route may answer with."""
    return {status: schemas.DetailedError if status in _HAS_DETAILS else schemas.Error for status in statuses}


# One line says what a URL is, and only what differs from others takes more.
# fmt: off
ROUTES = (
    Route("POST", "/v1/fulfillments", fulfillments.create, "fulfillments:write", "Create a fulfillment",
          {200: schemas.Fulfillment | schemas.Parcel, **_or(400, 404, 409, 413, 415, 422)},
          "Records what was shipped in one parcel: whole, exactly once, and durably before it is answered.",
          request=schemas.CreateFulfillment, takes_key=True,
          aliases=("/fulfillments", "/fulfillments/create", "/v1/fulfillments/create"),
          query={"dry_run": "Answer what would be created, and write nothing."}),
    Route("POST", "/v1/fulfillments/bulk", fulfillments.bulk_create, "fulfillments:write", "Create many fulfillments",
          {200: schemas.BulkLine | schemas.BulkEnd, **_or(400, 413, 415)},
          "Takes items one a line (NDJSON) or as one array, of any number, and answers each on a line of its own, in"
          " their order and while they still come; the last line sums up. Each is answered as a request of its own"
          " would be, and may have an idempotency_key of its own.",
          request=schemas.BulkFulfillment, is_bulk=True,
          query={"atomic": "Take all items (at most 1,000) in one transaction, or none: the good ones say 424 then.",
                 "dry_run": "Answer what would be created of each item, and write nothing."}),
    Route("GET", "/v1/fulfillments", fulfillments.list_, "fulfillments:read", "List fulfillments",
          {200: schemas.FulfillmentList, **_or(400)}, list_spec=fulfillments.LIST),
    Route("GET", "/v1/fulfillments/{id}", fulfillments.read, "fulfillments:read", "Read a fulfillment",
          {200: schemas.Fulfillment, **_or(400, 404)}),
    Route("GET", "/v1/tracking/{number}", tracking.explain, "fulfillments:read", "Explain a tracking number",
          {200: schemas.TrackingNumber, **_or(400, 404)},
          "Which carriers a number may belong to, the best first, where each shows it, and what is odd about it."),
    Route("POST", "/v1/orders", orders.create, "orders:write", "Create an order",
          {200: schemas.Order, 201: schemas.Order, **_or(400, 409, 413, 415, 422)},
          "The same order sent again is answered with its present state (200); another one under its id or reference is"
          " refused (409).", request=schemas.CreateOrder, takes_key=True),
    Route("POST", "/v1/orders/bulk", orders.bulk_create, "orders:write", "Create many orders",
          {200: schemas.BulkLine | schemas.BulkEnd, **_or(400, 413, 415)},
          "Takes items one a line (NDJSON) or as one array, of any number, and answers each on a line of its own, in"
          " their order and while they still come; the last line sums up.",
          request=schemas.BulkOrder, is_bulk=True,
          query={"atomic": "Take all items (at most 1,000) in one transaction, or none: the good ones say 424 then."}),
    Route("GET", "/v1/orders", orders.list_, "orders:read", "List orders",
          {200: schemas.OrderList, **_or(400)}, list_spec=orders.LIST),
    Route("GET", "/v1/orders/{id}", orders.read, "orders:read", "Read an order",
          {200: schemas.Order, **_or(400, 404)}),
    Route("GET", "/v1/events", feed.list_, "orders:read fulfillments:read", "Read the feed of events",
          {200: schemas.EventList, **_or(400), 410: schemas.Gone},
          "Every change once, in one order that never skips. With wait, an answer without events is held back until"
          " there is one.", parameters=feed.PARAMETERS),
    Route("GET", "/v1/exports/orders", exports.orders, "orders:read", "Export orders",
          {200: bytes, **_or(400)}, "Every order that the filters leave, newest first, streamed.",
          parameters=exports.EXPORTS["orders"].parameters),
    Route("GET", "/v1/exports/fulfillments", exports.fulfillments, "fulfillments:read", "Export fulfillments",
          {200: bytes, **_or(400)}, "Every fulfillment that the filters leave, newest first, streamed.",
          parameters=exports.EXPORTS["fulfillments"].parameters),
    Route("PUT", "/v1/partners/{name}", partners.put, "orders:write", "Say what is routed to a partner",
          {200: schemas.Partner, **_or(400, 409, 413, 415)},
          "Lines of new orders that name no partner go to the one that has their sku, the longest prefix of it, or the"
          " order's channel.", request=schemas.PutPartner),
    Route("GET", "/v1/partners", partners.list_, OPERATORS_ONLY, "List partners",
          {200: schemas.PartnerList, **_or(400)}),
    Route("GET", "/v1/partners/{name}", partners.read, OPERATORS_ONLY, "Read a partner",
          {200: schemas.Partner, **_or(400, 404)}),
    Route("GET", "/v1/reports/late", reports.late, OPERATORS_ONLY, "What is late",
          {200: schemas_reports.LateOrders, **_or(400)}, list_spec=reports.LATE),
    Route("GET", "/v1/reports/partners", reports.partners, OPERATORS_ONLY, "How each partner does",
          {200: schemas_reports.PartnerReports, **_or(400)}),
    Route("POST", "/v1/keys", keys.create, "keys", "Create an API key",
          {201: key_schemas.NewKey, **_or(400, 413, 415, 422)},
          "The secret is in this answer and nowhere else. The first key must be an operator's, and closes the server to"
          " whoever has none, for good.", request=key_schemas.CreateKey, takes_key=True),
    Route("GET", "/v1/keys", keys.list_, "keys", "List API keys",
          {200: key_schemas.KeyList, **_or(400)}, list_spec=keys.LIST),
    Route("GET", "/v1/keys/{id}", keys.read, "keys", "Read an API key", {200: key_schemas.Key, **_or(400, 404)}),
    Route("DELETE", "/v1/keys/{id}", keys.revoke, "keys", "Revoke an API key",
          {200: key_schemas.Key, **_or(400, 404)}, "When it is answered, no node lets the key in any more."),
    Route("POST", "/v1/keys/{id}/rotate", keys.rotate, "keys", "Rotate an API key",
          {201: key_schemas.NewKey, **_or(400, 404, 409, 413, 415, 422)},
          "Makes a key with the same rights; the old one lives on for an overlap, so that its holder can change over.",
          request=key_schemas.RotateKey, is_body_optional=True, takes_key=True),
    Route("GET", "/v1/audit", audit.list_, OPERATORS_ONLY, "List changes and who made them",
          {200: key_schemas.AuditList, **_or(400)}, list_spec=audit.LIST),
    Route("POST", "/v1/webhooks", webhooks.create, "webhooks", "Register a webhook",
          {201: hooks.WebhookWithSecret, **_or(400, 409, 413, 415)},
          "The answer holds the secret by which the receiver knows messages for ours, this once.",
          request=hooks.CreateWebhook),
    Route("GET", "/v1/webhooks", webhooks.list_, "webhooks", "List webhooks",
          {200: hooks.WebhookList, **_or(400)}, list_spec=webhooks.LIST),
    Route("GET", "/v1/webhooks/{id}", webhooks.read, "webhooks", "Read a webhook",
          {200: hooks.Webhook, **_or(400, 404)}),
    Route("PATCH", "/v1/webhooks/{id}", webhooks.change, "webhooks", "Change a webhook",
          {200: hooks.Webhook, **_or(400, 404, 413, 415)},
          "With enabled, a receiver is left in peace, or sent what was held for it meanwhile.",
          request=hooks.ChangeWebhook),
    Route("DELETE", "/v1/webhooks/{id}", webhooks.delete, "webhooks", "Delete a webhook",
          {200: hooks.Webhook, **_or(400, 404)}),
    Route("GET", "/v1/webhooks/{id}/attempts", webhooks.attempts, "webhooks", "List a webhook's attempts",
          {200: hooks.WebhookAttemptList, **_or(400, 404)}, list_spec=webhooks.ATTEMPTS),
    Route("POST", "/v1/webhooks/{id}/ping", webhooks.ping, "webhooks", "Ping a webhook",
          {200: hooks.Ping, **_or(400, 404)}, "Sends a signed message of type webhook.ping, at once and once."),
    Route("POST", "/v1/webhooks/{id}/rotate", webhooks.rotate, "webhooks", "Replace a webhook's secret",
          {200: hooks.WebhookWithSecret, **_or(400, 404, 409)}, "For a day the old secret signs beside the new one."),
    Route("POST", "/v1/webhooks/{id}/replay", webhooks.replay, "webhooks", "Send events again",
          {200: hooks.Replayed, **_or(400, 404, 413, 415)},
          "With the same webhook-id, and a fresh timestamp.", request=hooks.ReplayWebhook),
    Route("GET", "/", meta.welcome, PUBLIC, "Where to go next", {200: schemas.Welcome | str}),
    Route("GET", "/healthz", meta.alive, PUBLIC, "Whether the server is alive", {200: schemas.Health}),
    Route("GET", "/readyz", meta.ready, PUBLIC, "Whether the server can read its ledger",
          {200: schemas.Health, **_or(503)}),
    Route("GET", "/openapi.json", meta.openapi, PUBLIC, "This API as an OpenAPI document", {200: dict[str, object]}),
    Route("GET", "/docs", meta.docs, PUBLIC, "This API as a page to read", {200: str}),
)
# fmt: on
