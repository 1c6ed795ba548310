-- An order's events are committed one after the other, and their ids grow: by id, each order's events stay in order.
WITH committed AS (
    DELETE FROM unnumbered_events
    WHERE event_id IN (SELECT event_id FROM unnumbered_events ORDER BY event_id LIMIT %s)
    RETURNING event_id
)
INSERT INTO event_positions (position, event_id)
SELECT
    (SELECT coalesce(max(position), 0) FROM event_positions) + row_number() OVER (ORDER BY event_id),
    event_id
FROM committed
