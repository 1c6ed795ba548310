-- Locks until the end of the transaction, taken in the order of the list.
SELECT count(pg_advisory_xact_lock(name)) FROM unnest(%b::bigint[]) AS name
