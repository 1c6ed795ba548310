-- What a partner sees of an order: the totals of its own lines, and the status that they amount to.
CREATE TABLE partner_orders (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    partner TEXT NOT NULL,
    ordered INTEGER NOT NULL CHECK (ordered > 0),
    fulfilled INTEGER NOT NULL CHECK (fulfilled >= 0),
    cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN ordered = fulfilled + cancelled THEN CASE WHEN fulfilled > 0 THEN 'fulfilled' ELSE 'cancelled' END
            WHEN fulfilled > 0 THEN 'partially_fulfilled'
            ELSE 'unfulfilled'
        END
    ) VIRTUAL,
    PRIMARY KEY (order_id, partner),
    CHECK (fulfilled + cancelled <= ordered)
) STRICT, WITHOUT ROWID;
CREATE INDEX partner_orders_by_age ON partner_orders (partner, created_at, order_id);
CREATE INDEX partner_orders_by_status ON partner_orders (partner, status, created_at, order_id);

-- What is routed to a partner, as JSON: all of it is read at once, by each batch that brings orders.
CREATE TABLE partners (
    name TEXT PRIMARY KEY,
    rules TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each partner is told of, by itself: its feed takes no longer for all that others do.
CREATE TABLE partner_events (
    partner TEXT NOT NULL,
    event_id INTEGER NOT NULL REFERENCES events (id),
    PRIMARY KEY (partner, event_id)
) STRICT, WITHOUT ROWID;
