-- What a partner sees of an order: the totals of its own lines, and the status that they amount to.
CREATE TABLE partner_orders (
    order_id bigint NOT NULL REFERENCES orders (id),
    partner text COLLATE "C" NOT NULL,
    ordered bigint NOT NULL CHECK (ordered > 0),
    fulfilled bigint NOT NULL CHECK (fulfilled >= 0),
    cancelled bigint NOT NULL CHECK (cancelled >= 0),
    created_at bigint NOT NULL,
    status text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN ordered = fulfilled + cancelled THEN CASE WHEN fulfilled > 0 THEN 'fulfilled' ELSE 'cancelled' END
            WHEN fulfilled > 0 THEN 'partially_fulfilled'
            ELSE 'unfulfilled'
        END
    ) STORED,
    PRIMARY KEY (order_id, partner),
    CHECK (fulfilled + cancelled <= ordered)
) WITH (fillfactor = 80);
CREATE INDEX partner_orders_by_age ON partner_orders (partner, created_at, order_id);
CREATE INDEX partner_orders_by_status ON partner_orders (partner, status, created_at, order_id);

-- What is routed to a partner, as JSON: all of it is read at once, by each batch that brings orders.
CREATE TABLE partners (
    name text COLLATE "C" PRIMARY KEY,
    rules text NOT NULL,
    changed_at bigint NOT NULL
);

-- What each partner is told of, by itself: its feed takes no longer for all that others do. Filled as events are numbered.
CREATE TABLE partner_events (
    partner text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event_id bigint NOT NULL,
    PRIMARY KEY (partner, position)
);
