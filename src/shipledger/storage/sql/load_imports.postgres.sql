SELECT id, file, content, created_at, rows, taken, repeated, rejected, finished_at, undone_at
FROM imports
ORDER BY id
