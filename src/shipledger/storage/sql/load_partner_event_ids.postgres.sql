SELECT event_id FROM partner_events WHERE partner = %s AND position > %s AND position < %s ORDER BY position LIMIT %s
