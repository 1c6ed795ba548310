UPDATE orders
SET reference = change.reference, shipping_address = change.shipping_address, ship_by = change.ship_by,
    deliver_by = change.deliver_by, metadata = change.metadata
FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[])
    AS change (reference, shipping_address, ship_by, deliver_by, metadata, id)
WHERE orders.id = change.id
