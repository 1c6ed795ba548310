"""Every URL on one page: method, path, handler, scope, request, answers. The OpenAPI document is made from it."""

from shipledger.http import fulfillments, meta, orders, schemas
from shipledger.http.route import PUBLIC, Route

_BAD = schemas.DetailedError
_PLAIN = schemas.Error

ROUTES = (
    Route(
        "POST",
        "/v1/fulfillments",
        fulfillments.create,
        "fulfillments:write",
        "Create a fulfillment",
        {
            200: schemas.Fulfillment | schemas.Parcel,
            400: _BAD,
            404: _PLAIN,
            409: _BAD,
            413: _PLAIN,
            415: _PLAIN,
            422: _BAD,
        },
        description="Records what was shipped in one parcel: whole, exactly once, and durably before it is answered.",
        request=schemas.CreateFulfillment,
        aliases=("/fulfillments", "/fulfillments/create", "/v1/fulfillments/create"),
        query={"dry_run": "Answer what would be created, and write nothing."},
        takes_key=True,
    ),
    Route(
        "GET",
        "/v1/fulfillments",
        fulfillments.list_,
        "fulfillments:read",
        "List fulfillments",
        {200: schemas.FulfillmentList, 400: _BAD},
        list_spec=fulfillments.LIST,
    ),
    Route(
        "GET",
        "/v1/fulfillments/{id}",
        fulfillments.read,
        "fulfillments:read",
        "Read a fulfillment",
        {200: schemas.Fulfillment, 400: _BAD, 404: _PLAIN},
    ),
    Route(
        "POST",
        "/v1/orders",
        orders.create,
        "orders:write",
        "Create an order",
        {200: schemas.Order, 201: schemas.Order, 400: _BAD, 409: _BAD, 413: _PLAIN, 415: _PLAIN, 422: _BAD},
        description="The same order sent again is answered with its present state (200); another one under its id or"
        " reference is refused (409).",
        request=schemas.CreateOrder,
        takes_key=True,
    ),
    Route(
        "GET",
        "/v1/orders",
        orders.list_,
        "orders:read",
        "List orders",
        {200: schemas.OrderList, 400: _BAD},
        list_spec=orders.LIST,
    ),
    Route(
        "GET",
        "/v1/orders/{id}",
        orders.read,
        "orders:read",
        "Read an order",
        {200: schemas.Order, 400: _BAD, 404: _PLAIN},
    ),
    Route("GET", "/", meta.welcome, PUBLIC, "Where to go next", {200: schemas.Welcome | str}),
    Route("GET", "/healthz", meta.alive, PUBLIC, "Whether the server is alive", {200: schemas.Health}),
    Route(
        "GET",
        "/readyz",
        meta.ready,
        PUBLIC,
        "Whether the server can read its ledger",
        {200: schemas.Health, 503: _PLAIN},
    ),
    Route("GET", "/openapi.json", meta.openapi, PUBLIC, "This API as an OpenAPI document", {200: dict[str, object]}),
    Route("GET", "/docs", meta.docs, PUBLIC, "This API as a page to read", {200: str}),
)
