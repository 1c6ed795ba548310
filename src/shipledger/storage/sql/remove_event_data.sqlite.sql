-- ?1: the place after which, ?2: the place up to which. Who did what when stays, and what it was done to.
UPDATE events SET data = json_object('id', data ->> 'id') WHERE id > ?1 AND id <= ?2 AND order_id IS NOT NULL
