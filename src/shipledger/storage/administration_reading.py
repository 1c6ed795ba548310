"""Reads keys and the audit trail, which are the operator's alone."""

from shipledger.document import key_document
from shipledger.key import Key
from shipledger.storage.list_sql import list_audit
from shipledger.storage.port import AuditFilter, KeyFilter, Page, Position
from shipledger.storage.rows import audit_document, key_from_row
from shipledger.storage.snapshot import Snapshot


def all_keys(ledger: Snapshot) -> list[Key]:
    """Every key, the oldest first."""
    return [key_from_row(row) for row in ledger.query("load_keys")]


def keys_page(ledger: Snapshot, wanted: KeyFilter, after: Position | None, limit: int) -> Page:
    """Keys, newest first. They are few, and read whole."""
    found = [
        key
        for key in reversed(all_keys(ledger))
        if wanted.role in {None, key.role}
        and wanted.partner in {None, key.partner}
        and (after is None or key.id < after[0])
    ]
    return Page([key_document(key) for key in found[:limit]], (found[limit - 1].id,) if found[limit:] else None)


def audit_page(ledger: Snapshot, wanted: AuditFilter, after: Position | None, limit: int) -> Page:
    """Changes, newest first."""
    rows = list(ledger.select(*list_audit(wanted, after, limit)))
    return Page([audit_document(row) for row in rows[:limit]], (rows[limit - 1][0],) if rows[limit:] else None)
