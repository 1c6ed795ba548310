-- An order's events are committed one after the other, and their ids grow: by id, each order's events stay in order.
-- Who is told of what: see docs/api.md. Where no order has a partner, no event is looked up: that is asked once.
WITH committed AS (
    DELETE FROM unnumbered_events
    WHERE event_id <= (
        SELECT max(event_id) FROM (SELECT event_id FROM unnumbered_events ORDER BY event_id LIMIT %s) AS first
    )
    RETURNING event_id
),
numbered AS (
    INSERT INTO event_positions (position, event_id)
    SELECT
        (SELECT coalesce(max(position), 0) FROM event_positions) + row_number() OVER (ORDER BY event_id),
        event_id
    FROM committed
    RETURNING position, event_id
),
told AS (
    INSERT INTO partner_events (partner, position, event_id)
    SELECT seen.partner, numbered.position, event.id
    FROM numbered
    JOIN events AS event ON event.id = numbered.event_id
    JOIN partner_orders AS seen ON seen.order_id = event.order_id
    WHERE EXISTS (SELECT 1 FROM partner_orders)
        AND (
            event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
            OR starts_with(event.type, 'fulfillment.')
            AND EXISTS (
                SELECT 1 FROM fulfillment_lines AS line
                WHERE line.fulfillment_id = CAST(CAST(event.data AS json) ->> 'id' AS bigint)
                    AND line.partner = seen.partner
            )
        )
)
SELECT count(*) FROM numbered
