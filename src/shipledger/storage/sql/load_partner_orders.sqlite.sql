-- ?1: [order id, partner] pairs, as a JSON array
SELECT seen.order_id, seen.partner
FROM json_each(?1) AS wanted
JOIN partner_orders AS seen ON seen.order_id = wanted.value ->> 0 AND seen.partner = wanted.value ->> 1
