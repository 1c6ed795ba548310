UPDATE keys SET expires_at = ?, last_used_at = ?, revoked_at = ?, replaced_by = ? WHERE id = ?
