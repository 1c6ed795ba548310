SELECT position FROM event_positions WHERE event_id = %s
