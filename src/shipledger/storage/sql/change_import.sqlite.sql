UPDATE imports
SET rows = ?, taken = ?, repeated = ?, rejected = ?, finished_at = ?, undone_at = ?
WHERE id = ?
