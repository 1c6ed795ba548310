-- A secret is stored as its SHA-256 alone. Scopes are a JSON array. Rows are never removed: events name their ids.
CREATE TABLE keys (
    id INTEGER PRIMARY KEY,
    public_part TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('operator', 'partner')),
    partner TEXT,
    scopes TEXT NOT NULL,
    rate_limit INTEGER CHECK (rate_limit > 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    replaced_by INTEGER,
    CHECK ((role = 'partner') = (partner IS NOT NULL)),
    CHECK (role = 'operator' OR (scopes NOT LIKE '%"keys"%' AND scopes NOT LIKE '%"orders:write"%'))
) STRICT;
