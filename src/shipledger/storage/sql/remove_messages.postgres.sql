DELETE FROM webhook_messages AS message
USING webhook_endpoints AS endpoint, event_positions AS place
WHERE place.position > %s AND place.position <= %s
    AND message.endpoint_id = endpoint.id AND message.event_id = place.event_id
