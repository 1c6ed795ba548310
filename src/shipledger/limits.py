"""Every limit of the ledger by its name. Units stand last; sizes of texts are in characters after trimming."""

ID_MIN = 1
ID_MAX = 2**63 - 1
ASSIGNED_ORDER_ID_MIN = 10**15
"""Orders that come without an id get one from here up: above what sources use, and exact in JavaScript."""

RECONCILED_MAX = 10_000
"""Fulfillments that one reconciliation names."""
RECONCILED_IN_RANGE_MAX = 20_000
"""Fulfillments of the ledger that it looks through."""
IMPORTED_PARCELS_MAX = 200
"""Parcels of a file in one request."""
IMPORT_FILE_NAME_CHARS_MAX = 255
UPLOAD_BYTES_MAX = 16 * 1024 * 1024
"""Of a file that is imported over the API; the command takes files of any size."""
UPLOADS_AT_ONCE_MAX = 4
"""Files that one serving process receives, looks through or imports at a time."""
UPLOADS_KEPT_MAX = 16
"""Files that a server keeps: the oldest makes room for a new one."""
UPLOAD_SECONDS_MAX = 60 * 60
"""How long a file that was uploaded is kept."""
UPLOAD_VERDICTS_MAX = 100
"""Rows, from the first, of which a preview says what would become of them."""
LINES_MAX = 2_000
"""Lines in one request, all its orders together."""
QUANTITY_MAX = 10**9
"""One line's quantity, and the sum of one sku's quantities in a request or an order."""

SKU_CHARS_MAX = 255
TITLE_CHARS_MAX = 255
REFERENCE_CHARS_MAX = 255
TRACKING_NUMBER_CHARS_MAX = 255
TRACKING_URL_CHARS_MAX = 2_048
CARRIER_CHARS_MAX = 255
CHANNEL_CHARS_MAX = 255
SHIPPING_SERVICE_CHARS_MAX = 255
EMAIL_CHARS_MAX = 254
PARTNER_CHARS_MAX = 63
HOLD_REASON_CHARS_MAX = 255
CARRIER_EVENT_MESSAGE_CHARS_MAX = 1_000
CARRIER_EVENT_LOCATION_CHARS_MAX = 255
ROUTING_RULES_MAX = 10_000
"""Rules of one partner, of all kinds together."""
METADATA_BYTES_MAX = 16 * 1024
ADDRESS_BYTES_MAX = 16 * 1024

IDEMPOTENCY_KEY_CHARS_MAX = 255
NEAREST_SKU_LOOKUPS_MAX = 5
"""How many unknown skus of one refusal get a suggestion: each is compared with every sku of its order."""
ORDER_FULFILLMENTS_SHOWN_MAX = 50
"""The newest fulfillments shown inside an order; the list has the rest."""

CARRIER_EVENTS_MAX = 200
"""Events on one fulfillment's timeline."""
CARRIER_EVENT_AHEAD_HOURS_MAX = 24
"""How far in the future an event may have occurred: clocks and zones differ, and the latest event is the status."""

PAGE_DEFAULT = 50
PAGE_MAX = 200
WEBHOOKS_MAX = 100
"""Webhook endpoints of the operator, and of each partner."""
WEBHOOK_URL_CHARS_MAX = 2_048
WEBHOOK_DESCRIPTION_CHARS_MAX = 255
REPLAYED_EVENTS_MAX = 1_000
"""Events that one request may have sent again."""

EVENTS_WAIT_SECONDS_MAX = 30
"""How long a reader of the feed may have its answer wait for an event."""
BODY_BYTES_MAX = 2 * 1024 * 1024
"""Of a request, and of each item of a bulk request, which itself may be of any length."""
ATOMIC_ITEMS_MAX = 1_000
ATOMIC_BYTES_MAX = 16 * 1024 * 1024
"""Items, and bytes of all of them together, of a bulk request that is taken whole or not at all."""

KEY_NAME_CHARS_MAX = 100
KEY_RATE_LIMIT_MAX = 1_000_000
"""Requests a second that a key may be limited to."""
KEY_OVERLAP_SECONDS_DEFAULT = 24 * 60 * 60
KEY_OVERLAP_SECONDS_MAX = 90 * 24 * 60 * 60
"""How long a key that was rotated may live on."""
