WITH mark AS (
    SELECT greatest((SELECT place FROM feed_marks WHERE name = 'fanned_out'), min(starts_after)) AS place
    FROM webhook_endpoints
    WHERE deleted_at IS NULL
    HAVING count(*) > 0
), step AS (
    SELECT position FROM event_positions WHERE position > (SELECT place FROM mark) ORDER BY position LIMIT %s
)
SELECT (SELECT place FROM mark), max(position) FROM step HAVING count(*) > 0
