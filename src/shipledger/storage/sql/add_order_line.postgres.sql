INSERT INTO order_lines (order_id, sku, position, ordered, fulfilled, cancelled, partner, title, on_time)
SELECT *
FROM unnest(
    %b::bigint[], %b::text[], %b::integer[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::text[],
    %b::boolean[]
)
