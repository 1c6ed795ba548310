-- What was heard of a parcel on its way, for ever. Positions count a fulfillment's events as they came.
CREATE TABLE carrier_events (
    fulfillment_id INTEGER NOT NULL REFERENCES fulfillments (id),
    position INTEGER NOT NULL CHECK (position > 0),
    status TEXT NOT NULL CHECK (
        status = 'created' OR status = 'in_transit' OR status = 'out_for_delivery' OR status = 'delivered'
        OR status = 'failed' OR status = 'returned'
    ),
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    message TEXT,
    location TEXT,
    PRIMARY KEY (fulfillment_id, position)
) STRICT, WITHOUT ROWID;
