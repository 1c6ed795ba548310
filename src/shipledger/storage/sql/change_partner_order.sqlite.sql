-- By how much the totals change: the rest of the partner's lines need not be known.
UPDATE partner_orders
SET fulfilled = fulfilled + ?, cancelled = cancelled + ?
WHERE order_id = ? AND partner = ?
