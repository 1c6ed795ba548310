-- Texts sort by their bytes: skus and references are compared, never shown in order.
-- An order's phase is `open`, or the status that it closed with. It changes once in most orders, and is in indexes; the
-- status may change with each parcel, and is in none.
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('unfulfilled', 'partially_fulfilled', 'fulfilled', 'cancelled')),
    phase text NOT NULL CHECK (phase IN ('open', 'fulfilled', 'cancelled')),
    ordered bigint NOT NULL CHECK (ordered > 0),
    fulfilled bigint NOT NULL CHECK (fulfilled >= 0),
    cancelled bigint NOT NULL CHECK (cancelled >= 0),
    on_hold boolean NOT NULL,
    event_count bigint NOT NULL,
    content bytea NOT NULL,
    created_at bigint NOT NULL,
    cancelled_at bigint,
    hold_reason text,
    reference text COLLATE "C",
    channel text,
    email text,
    shipping_address text,
    shipping_service text,
    ship_by bigint,
    deliver_by bigint,
    metadata text,
    CHECK (fulfilled + cancelled <= ordered)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX orders_by_reference ON orders (reference);
CREATE INDEX orders_by_age ON orders (created_at, id);
CREATE INDEX orders_by_phase ON orders (phase, created_at, id);
CREATE INDEX orders_on_hold ON orders (created_at, id) WHERE on_hold;
CREATE INDEX orders_by_deliver_by ON orders (deliver_by) WHERE deliver_by IS NOT NULL;
CREATE INDEX open_orders_by_due ON orders (coalesce(ship_by, deliver_by), id)
    WHERE phase = 'open' AND coalesce(ship_by, deliver_by) IS NOT NULL;

CREATE TABLE order_lines (
    order_id bigint NOT NULL REFERENCES orders (id),
    sku text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    ordered bigint NOT NULL CHECK (ordered > 0),
    fulfilled bigint NOT NULL CHECK (fulfilled >= 0),
    cancelled bigint NOT NULL CHECK (cancelled >= 0),
    partner text,
    title text,
    on_time boolean,
    PRIMARY KEY (order_id, sku, position),
    CHECK (fulfilled + cancelled <= ordered),
    CHECK (on_time IS NULL OR fulfilled + cancelled = ordered)
) WITH (fillfactor = 80);
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id);

-- Whoever writes a parcel, its lines or an event has locked their order, or writes it in the same transaction. No reference
-- proves that anew for each row, which takes PostgreSQL a tenth of a fulfillment's time or more; `check` does.
CREATE TABLE fulfillments (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL,
    status text NOT NULL CHECK (
        status IN ('created', 'in_transit', 'out_for_delivery', 'delivered', 'failed', 'returned', 'cancelled')
    ),
    tracking_number text COLLATE "C" NOT NULL,
    tracking_url text,
    carrier text,
    tracking_check text NOT NULL CHECK (tracking_check IN ('verified', 'failed', 'none')),
    account text NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX fulfillments_by_order ON fulfillments (order_id, id);
CREATE INDEX fulfillments_by_tracking_number ON fulfillments (tracking_number, order_id, id);

CREATE TABLE fulfillment_lines (
    fulfillment_id bigint NOT NULL,
    position integer NOT NULL,
    sku text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    partner text,
    PRIMARY KEY (fulfillment_id, position)
);
CREATE INDEX fulfillment_lines_by_partner ON fulfillment_lines (partner, fulfillment_id) WHERE partner IS NOT NULL;

-- Facts about administration are of no order. They are in the audit trail, and never in the feed.
CREATE TABLE events (
    id bigint PRIMARY KEY,
    order_id bigint,
    sequence bigint CHECK (sequence > 0),
    type text NOT NULL,
    created_at bigint NOT NULL,
    actor text NOT NULL,
    key_id bigint,
    request_id text NOT NULL,
    data text NOT NULL,
    CHECK ((order_id IS NULL) = (sequence IS NULL))
);
CREATE INDEX events_of_administration ON events (id) WHERE order_id IS NULL;
-- Two nodes that changed an order at once would give the same sequence twice: a second guard beside the locks.
CREATE UNIQUE INDEX events_by_order ON events (order_id, sequence);

-- Events become visible out of order when several nodes write. One sequencer at a time numbers those that are committed;
-- the feed reads numbered events only.
CREATE TABLE unnumbered_events (
    event_id bigint PRIMARY KEY
);
CREATE TABLE event_positions (
    position bigint PRIMARY KEY,
    event_id bigint NOT NULL UNIQUE
);

CREATE TABLE kept_answers (
    account text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    body text NOT NULL,
    made_id bigint,
    is_new boolean NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (account, key)
);

-- A batch adds its row with its changes. After a lost COMMIT, adding it once more tells whether the batch was committed.
CREATE TABLE commit_batches (
    id uuid PRIMARY KEY,
    is_resolved boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX commit_batches_by_age ON commit_batches (created_at);

CREATE SEQUENCE fulfillment_ids;
CREATE SEQUENCE event_ids;
CREATE SEQUENCE order_ids START 1000000000000000;
