WITH given AS (SELECT %s::bigint AS before, %s::bigint AS many), removed AS (
    SELECT coalesce((SELECT place FROM feed_marks WHERE name = 'removed'), 0) AS place
), step AS (
    SELECT place.position, place.event_id, event.created_at
    FROM event_positions AS place
    JOIN events AS event ON event.id = place.event_id
    WHERE place.position > (SELECT place FROM removed)
    ORDER BY place.position
    LIMIT (SELECT many FROM given)
), kept AS (
    SELECT min(position) AS first FROM (
        SELECT position FROM step, given WHERE created_at >= given.before
        UNION ALL
        SELECT step.position
        FROM step
        CROSS JOIN webhook_endpoints AS endpoint
        JOIN webhook_messages AS message ON message.endpoint_id = endpoint.id AND message.event_id = step.event_id
        WHERE message.status = 'pending' AND endpoint.deleted_at IS NULL
        UNION ALL
        SELECT coalesce((SELECT place FROM feed_marks WHERE name = 'fanned_out'), 0) + 1
        FROM webhook_endpoints
        WHERE deleted_at IS NULL
    ) AS found
)
SELECT (SELECT place FROM removed), max(step.position)
FROM step, kept
WHERE kept.first IS NULL OR step.position < kept.first
HAVING count(*) > 0
