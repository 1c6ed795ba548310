INSERT INTO commit_batches (id, is_resolved)
VALUES (%s, %s)
