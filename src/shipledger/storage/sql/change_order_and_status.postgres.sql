UPDATE orders
SET fulfilled = change.fulfilled, cancelled = change.cancelled, on_hold = change.on_hold,
    hold_reason = change.hold_reason, cancelled_at = change.cancelled_at, event_count = change.event_count,
    status = change.status
FROM unnest(
    %b::bigint[], %b::bigint[], %b::boolean[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[]
) AS change (fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, status, id)
WHERE orders.id = change.id
