-- Secrets are derived from the server's own key and these salts: nothing here signs anything.
CREATE TABLE webhook_endpoints (
    id bigint PRIMARY KEY,
    partner text,
    url text NOT NULL,
    description text,
    -- Names between spaces; a star stands for all.
    event_types text NOT NULL,
    is_ordered boolean NOT NULL,
    created_at bigint NOT NULL,
    starts_after bigint NOT NULL,
    salt bytea NOT NULL,
    previous_salt bytea,
    previous_until bigint,
    key_check bytea NOT NULL,
    disabled_at bigint,
    disabled_because text CHECK (disabled_because IN ('by_hand', 'gone', 'failing')),
    deleted_at bigint,
    failing_since bigint,
    in_order_up_to bigint NOT NULL,
    leased_by text,
    leased_until bigint,
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
);

CREATE TABLE webhook_messages (
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoints (id),
    event_id bigint NOT NULL REFERENCES events (id),
    place bigint NOT NULL,
    order_id bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'sent', 'dead')),
    attempts bigint NOT NULL,
    due_at bigint NOT NULL,
    added_at bigint NOT NULL,
    finished_at bigint,
    PRIMARY KEY (endpoint_id, event_id),
    CHECK ((status = 'pending') = (finished_at IS NULL))
);
CREATE INDEX webhook_messages_by_due ON webhook_messages (endpoint_id, due_at, place) WHERE status = 'pending';
CREATE INDEX webhook_messages_by_order ON webhook_messages (endpoint_id, order_id, place) WHERE status = 'pending';
CREATE INDEX webhook_messages_by_death ON webhook_messages (endpoint_id, finished_at) WHERE status = 'dead';

CREATE TABLE webhook_attempts (
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoints (id),
    attempted_at bigint NOT NULL,
    event_id bigint NOT NULL,
    duration_ms bigint NOT NULL,
    status bigint,
    error text,
    answer text NOT NULL,
    PRIMARY KEY (endpoint_id, attempted_at, event_id)
);

-- How far the feed was turned into messages, and up to where the data of its events was removed.
CREATE TABLE feed_marks (
    name text PRIMARY KEY,
    place bigint NOT NULL
);
