-- ?1: the moment before which events are old, ?2: how many. After which place, up to which one the feed may forget.
-- It keeps what nobody made messages of yet, and what a message that waits tells of.
WITH removed AS (
    SELECT ifnull((SELECT place FROM feed_marks WHERE name = 'removed'), 0) AS place
), step AS (
    SELECT id, created_at FROM events WHERE id > (SELECT place FROM removed) ORDER BY id LIMIT ?2
), kept AS (
    SELECT min(id) AS first FROM (
        SELECT id FROM step WHERE created_at >= ?1
        UNION ALL
        SELECT message.event_id
        FROM step
        CROSS JOIN webhook_endpoints AS endpoint
        JOIN webhook_messages AS message ON message.endpoint_id = endpoint.id AND message.event_id = step.id
        WHERE message.status = 'pending' AND endpoint.deleted_at IS NULL
        UNION ALL
        SELECT ifnull((SELECT place FROM feed_marks WHERE name = 'fanned_out'), 0) + 1
        FROM webhook_endpoints
        WHERE deleted_at IS NULL
    )
)
SELECT (SELECT place FROM removed), max(step.id)
FROM step, kept
WHERE kept.first IS NULL OR step.id < kept.first
HAVING count(*) > 0
