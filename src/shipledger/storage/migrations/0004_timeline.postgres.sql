-- What was heard of a parcel on its way, for ever. Positions count a fulfillment's events as they came.
CREATE TABLE carrier_events (
    fulfillment_id bigint NOT NULL REFERENCES fulfillments (id),
    position integer NOT NULL CHECK (position > 0),
    status text NOT NULL CHECK (
        status IN ('created', 'in_transit', 'out_for_delivery', 'delivered', 'failed', 'returned')
    ),
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    message text,
    location text,
    PRIMARY KEY (fulfillment_id, position)
);
