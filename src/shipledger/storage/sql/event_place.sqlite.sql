-- ?1: an event's id. The writer numbers events as it commits: an id is a place in the feed.
SELECT id FROM events WHERE id = ?1
