DELETE FROM imported_fulfillments
USING unnest(%b::bigint[], %b::bigint[]) AS forgotten (import_id, fulfillment_id)
WHERE imported_fulfillments.import_id = forgotten.import_id
    AND imported_fulfillments.fulfillment_id = forgotten.fulfillment_id
