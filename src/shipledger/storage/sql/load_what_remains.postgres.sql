SELECT order_id, coalesce(partner, '') COLLATE "C", count(*), sum(ordered - fulfilled - cancelled)
FROM order_lines
WHERE order_id = ANY(%b::bigint[]) AND fulfilled + cancelled < ordered
GROUP BY 1, 2
ORDER BY 1, 2
