UPDATE events AS event
SET data = json_build_object('id', CAST(CAST(event.data AS json) ->> 'id' AS bigint))::text
FROM event_positions AS place
WHERE place.position > %s AND place.position <= %s AND event.id = place.event_id
