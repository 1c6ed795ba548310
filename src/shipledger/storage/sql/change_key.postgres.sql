UPDATE keys
SET expires_at = changed.expires_at, last_used_at = changed.last_used_at, revoked_at = changed.revoked_at,
    replaced_by = changed.replaced_by
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS changed (expires_at, last_used_at, revoked_at, replaced_by, id)
WHERE keys.id = changed.id
