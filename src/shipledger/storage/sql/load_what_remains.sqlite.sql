-- ?1: order ids, as a JSON array
SELECT line.order_id, ifnull(line.partner, ''), count(*), sum(line.ordered - line.fulfilled - line.cancelled)
FROM json_each(?1) AS wanted
JOIN order_lines AS line ON line.order_id = wanted.value
WHERE line.fulfilled + line.cancelled < line.ordered
GROUP BY 1, 2
ORDER BY 1, 2
