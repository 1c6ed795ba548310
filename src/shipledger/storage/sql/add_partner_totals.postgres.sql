-- Each writer adds to rows of its own, lest all nodes wait for each other's commits: totals are the sums over slots.
INSERT INTO partner_totals AS total (
    partner, slot, open_quantity, open_orders, lines_on_time, lines_late, numbers, numbers_failed
)
SELECT added.partner, mod(pg_backend_pid(), 64), added.open_quantity, added.open_orders, added.lines_on_time,
    added.lines_late, added.numbers, added.numbers_failed
FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS added (partner, open_quantity, open_orders, lines_on_time, lines_late, numbers, numbers_failed)
ON CONFLICT (partner, slot) DO UPDATE
SET open_quantity = total.open_quantity + excluded.open_quantity,
    open_orders = total.open_orders + excluded.open_orders,
    lines_on_time = total.lines_on_time + excluded.lines_on_time, lines_late = total.lines_late + excluded.lines_late,
    numbers = total.numbers + excluded.numbers, numbers_failed = total.numbers_failed + excluded.numbers_failed
