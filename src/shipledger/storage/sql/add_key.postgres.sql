INSERT INTO keys (
    id, public_part, digest, name, role, partner, scopes, rate_limit, created_at, expires_at, last_used_at, revoked_at,
    replaced_by
)
SELECT *
FROM unnest(
    %b::bigint[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[]
)
