-- ?1: [order id, partner] pairs, as a JSON array: those of which something remains
SELECT wanted.value ->> 0, wanted.value ->> 1
FROM json_each(?1) AS wanted
WHERE EXISTS (
    SELECT 1
    FROM order_lines
    WHERE order_id = wanted.value ->> 0 AND ifnull(partner, '') = wanted.value ->> 1 AND fulfilled + cancelled < ordered
)
