-- Of a copied ledger, whose events keep the ids that they had as their places. Who is told of what: see docs/api.md.
INSERT INTO partner_events (partner, position, event_id)
SELECT seen.partner, event.id, event.id
FROM events AS event
JOIN partner_orders AS seen ON seen.order_id = event.order_id
WHERE event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
    OR starts_with(event.type, 'fulfillment.')
    AND EXISTS (
        SELECT 1 FROM fulfillment_lines AS line
        WHERE line.fulfillment_id = CAST(CAST(event.data AS json) ->> 'id' AS bigint) AND line.partner = seen.partner
    )
