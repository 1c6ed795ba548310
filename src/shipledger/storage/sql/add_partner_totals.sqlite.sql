INSERT INTO partner_totals (
    partner, slot, open_quantity, open_orders, lines_on_time, lines_late, numbers, numbers_failed
)
VALUES (?, 0, ?, ?, ?, ?, ?, ?)
ON CONFLICT (partner, slot) DO UPDATE
SET open_quantity = open_quantity + excluded.open_quantity, open_orders = open_orders + excluded.open_orders,
    lines_on_time = lines_on_time + excluded.lines_on_time, lines_late = lines_late + excluded.lines_late,
    numbers = numbers + excluded.numbers, numbers_failed = numbers_failed + excluded.numbers_failed
