-- ?1: how many events. From which place, to which one; no row where nobody listens or nothing happened.
WITH mark AS (
    SELECT max(ifnull((SELECT place FROM feed_marks WHERE name = 'fanned_out'), 0), min(starts_after)) AS place
    FROM webhook_endpoints
    WHERE deleted_at IS NULL
    HAVING count(*) > 0
)
SELECT mark.place, (SELECT max(id) FROM (SELECT id FROM events WHERE id > mark.place ORDER BY id LIMIT ?1)) AS last
FROM mark
WHERE last IS NOT NULL
