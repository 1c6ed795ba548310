SELECT event_id FROM event_positions WHERE position > %s AND position < %s ORDER BY position LIMIT %s
