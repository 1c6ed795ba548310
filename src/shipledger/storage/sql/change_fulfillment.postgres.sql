UPDATE fulfillments
SET status = change.status, tracking_number = change.tracking_number, tracking_url = change.tracking_url,
    carrier = change.carrier, tracking_check = change.tracking_check
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
    AS change (status, tracking_number, tracking_url, carrier, tracking_check, id)
WHERE fulfillments.id = change.id
