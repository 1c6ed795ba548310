-- Texts are compared one by one: for IN with a list, SQLite makes a table of it anew for each row that is written.
-- An order's phase is `open`, or the status that it closed with. It changes once in most orders, and is in indexes; the
-- status may change with each parcel, and is in none.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL CHECK (
        status = 'unfulfilled' OR status = 'partially_fulfilled' OR status = 'fulfilled' OR status = 'cancelled'
    ),
    phase TEXT NOT NULL CHECK (phase = 'open' OR phase = 'fulfilled' OR phase = 'cancelled'),
    ordered INTEGER NOT NULL CHECK (ordered > 0),
    fulfilled INTEGER NOT NULL CHECK (fulfilled >= 0),
    cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
    on_hold INTEGER NOT NULL CHECK (on_hold IN (0, 1)),
    event_count INTEGER NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    cancelled_at INTEGER,
    hold_reason TEXT,
    reference TEXT,
    channel TEXT,
    email TEXT,
    shipping_address TEXT,
    shipping_service TEXT,
    ship_by INTEGER,
    deliver_by INTEGER,
    metadata TEXT,
    CHECK (fulfilled + cancelled <= ordered)
) STRICT;
CREATE UNIQUE INDEX orders_by_reference ON orders (reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_by_age ON orders (created_at, id);
CREATE INDEX orders_by_phase ON orders (phase, created_at, id);
CREATE INDEX orders_on_hold ON orders (created_at, id) WHERE on_hold;
CREATE INDEX orders_by_deliver_by ON orders (deliver_by) WHERE deliver_by IS NOT NULL;
CREATE INDEX open_orders_by_due ON orders (coalesce(ship_by, deliver_by), id)
    WHERE phase = 'open' AND coalesce(ship_by, deliver_by) IS NOT NULL;

-- Lines lie in the order of their sku, so that a parcel of a long order reads only the lines it names.
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    sku TEXT NOT NULL,
    position INTEGER NOT NULL,
    ordered INTEGER NOT NULL CHECK (ordered > 0),
    fulfilled INTEGER NOT NULL CHECK (fulfilled >= 0),
    cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
    partner TEXT,
    title TEXT,
    on_time INTEGER CHECK (on_time IN (0, 1)),
    PRIMARY KEY (order_id, sku, position),
    CHECK (fulfilled + cancelled <= ordered),
    CHECK (on_time IS NULL OR fulfilled + cancelled = ordered)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id);

-- Whoever writes a parcel, its lines or an event has locked their order, or writes it in the same transaction. No reference
-- proves that anew for each row, which takes PostgreSQL a tenth of a fulfillment's time or more; `check` does.
CREATE TABLE fulfillments (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (
        status = 'created' OR status = 'in_transit' OR status = 'out_for_delivery' OR status = 'delivered'
        OR status = 'failed' OR status = 'returned' OR status = 'cancelled'
    ),
    tracking_number TEXT NOT NULL,
    tracking_url TEXT,
    carrier TEXT,
    tracking_check TEXT NOT NULL CHECK (
        tracking_check = 'verified' OR tracking_check = 'failed' OR tracking_check = 'none'
    ),
    account TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX fulfillments_by_order ON fulfillments (order_id, id);
CREATE INDEX fulfillments_by_tracking_number ON fulfillments (tracking_number, order_id, id);

CREATE TABLE fulfillment_lines (
    fulfillment_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    partner TEXT,
    PRIMARY KEY (fulfillment_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX fulfillment_lines_by_partner ON fulfillment_lines (partner, fulfillment_id) WHERE partner IS NOT NULL;

-- Facts about administration are of no order. They are in the audit trail, and never in the feed.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    order_id INTEGER,
    sequence INTEGER CHECK (sequence > 0),
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    key_id INTEGER,
    request_id TEXT NOT NULL,
    data TEXT NOT NULL,
    CHECK ((order_id IS NULL) = (sequence IS NULL))
) STRICT;
CREATE INDEX events_of_administration ON events (id) WHERE order_id IS NULL;

CREATE TABLE kept_answers (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    body TEXT NOT NULL,
    made_id INTEGER,
    is_new INTEGER NOT NULL CHECK (is_new IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX kept_answers_by_key ON kept_answers (account, key);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
