-- All orders, whether their state changes or not: indexes are left alone where a column is set to what it was.
UPDATE orders
SET status = change.status, fulfilled = change.fulfilled, cancelled = change.cancelled,
    event_count = change.event_count, phase = change.phase, on_hold = change.on_hold, hold_reason = change.hold_reason,
    cancelled_at = change.cancelled_at
FROM unnest(
    %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::boolean[], %b::text[], %b::bigint[], %b::bigint[]
) AS change (status, fulfilled, cancelled, event_count, phase, on_hold, hold_reason, cancelled_at, id)
WHERE orders.id = change.id
