UPDATE webhook_endpoints SET leased_by = NULL, leased_until = NULL
WHERE id = ANY(%b::bigint[]) AND leased_by = %s
