UPDATE webhook_endpoints SET failing_since = NULL WHERE id = ANY(%b::bigint[]) AND failing_since IS NOT NULL
