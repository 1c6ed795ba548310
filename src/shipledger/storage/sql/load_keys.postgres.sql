SELECT id, public_part, digest, name, role, partner, scopes, rate_limit, created_at, expires_at, last_used_at, revoked_at,
    replaced_by
FROM keys
ORDER BY id
