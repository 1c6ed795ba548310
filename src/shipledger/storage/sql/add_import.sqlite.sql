INSERT INTO imports (id, file, content, created_at, rows, taken, repeated, rejected, finished_at, undone_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
