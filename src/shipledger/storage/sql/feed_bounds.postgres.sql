-- The last place, and the last one when all that is committed has its place.
SELECT coalesce(max(position), 0), coalesce(max(position), 0) + (SELECT count(*) FROM unnumbered_events)
FROM event_positions
