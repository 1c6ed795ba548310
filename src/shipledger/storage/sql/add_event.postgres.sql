WITH added AS (
    INSERT INTO events (id, order_id, sequence, type, created_at, actor, key_id, request_id, data)
    SELECT *
    FROM unnest(
        %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::text[],
        %b::text[]
    )
    RETURNING id, order_id
)
INSERT INTO unnumbered_events (event_id)
SELECT id FROM added WHERE order_id IS NOT NULL
