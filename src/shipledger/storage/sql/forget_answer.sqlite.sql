DELETE FROM kept_answers WHERE account = ? AND key = ?
