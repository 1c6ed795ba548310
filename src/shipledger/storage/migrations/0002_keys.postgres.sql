-- A secret is stored as its SHA-256 alone. Scopes are a JSON array. Rows are never removed: events name their ids.
CREATE TABLE keys (
    id bigint PRIMARY KEY,
    public_part text COLLATE "C" NOT NULL UNIQUE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'partner')),
    partner text,
    scopes text NOT NULL,
    rate_limit bigint CHECK (rate_limit > 0),
    created_at bigint NOT NULL,
    expires_at bigint,
    last_used_at bigint,
    revoked_at bigint,
    replaced_by bigint,
    CHECK ((role = 'partner') = (partner IS NOT NULL)),
    CHECK (role = 'operator' OR (scopes NOT LIKE '%"keys"%' AND scopes NOT LIKE '%"orders:write"%'))
);
