UPDATE orders
SET fulfilled = change.fulfilled, cancelled = change.cancelled, event_count = change.event_count
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS change (fulfilled, cancelled, event_count, id)
WHERE orders.id = change.id
