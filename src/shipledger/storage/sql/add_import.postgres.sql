INSERT INTO imports (id, file, content, created_at, rows, taken, repeated, rejected, finished_at, undone_at)
SELECT *
FROM unnest(
    %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::bigint[]
)
