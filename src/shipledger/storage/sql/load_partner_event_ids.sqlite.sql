-- ?1: the partner, ?2: the place after which, ?3: the place before which, ?4: how many
SELECT event_id FROM partner_events WHERE partner = ?1 AND event_id > ?2 AND event_id < ?3 ORDER BY event_id LIMIT ?4
