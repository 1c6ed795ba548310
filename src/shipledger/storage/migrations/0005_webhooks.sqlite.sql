-- Secrets are derived from the server's own key and these salts: nothing here signs anything.
CREATE TABLE webhook_endpoints (
    id INTEGER PRIMARY KEY,
    partner TEXT,
    url TEXT NOT NULL,
    description TEXT,
    -- Names between spaces; a star stands for all.
    event_types TEXT NOT NULL,
    is_ordered INTEGER NOT NULL CHECK (is_ordered IN (0, 1)),
    created_at INTEGER NOT NULL,
    starts_after INTEGER NOT NULL,
    salt BLOB NOT NULL,
    previous_salt BLOB,
    previous_until INTEGER,
    key_check BLOB NOT NULL,
    disabled_at INTEGER,
    disabled_because TEXT CHECK (
        disabled_because = 'by_hand' OR disabled_because = 'gone' OR disabled_because = 'failing'
    ),
    deleted_at INTEGER,
    failing_since INTEGER,
    in_order_up_to INTEGER NOT NULL,
    leased_by TEXT,
    leased_until INTEGER,
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
) STRICT;

CREATE TABLE webhook_messages (
    endpoint_id INTEGER NOT NULL REFERENCES webhook_endpoints (id),
    event_id INTEGER NOT NULL REFERENCES events (id),
    place INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status = 'pending' OR status = 'sent' OR status = 'dead'),
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (endpoint_id, event_id),
    CHECK ((status = 'pending') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_messages_by_due ON webhook_messages (endpoint_id, due_at, place) WHERE status = 'pending';
CREATE INDEX webhook_messages_by_order ON webhook_messages (endpoint_id, order_id, place) WHERE status = 'pending';
CREATE INDEX webhook_messages_by_death ON webhook_messages (endpoint_id, finished_at) WHERE status = 'dead';

CREATE TABLE webhook_attempts (
    endpoint_id INTEGER NOT NULL REFERENCES webhook_endpoints (id),
    attempted_at INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    answer TEXT NOT NULL,
    PRIMARY KEY (endpoint_id, attempted_at, event_id)
) STRICT, WITHOUT ROWID;

-- How far the feed was turned into messages, and up to where the data of its events was removed.
CREATE TABLE feed_marks (
    name TEXT PRIMARY KEY,
    place INTEGER NOT NULL
) STRICT;
