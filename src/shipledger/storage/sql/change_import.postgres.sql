UPDATE imports
SET rows = changed.rows, taken = changed.taken, repeated = changed.repeated, rejected = changed.rejected,
    finished_at = changed.finished_at, undone_at = changed.undone_at
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS changed (rows, taken, repeated, rejected, finished_at, undone_at, id)
WHERE imports.id = changed.id
