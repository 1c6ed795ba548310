"""The examples about files that are uploaded."""

from collections.abc import Mapping
from typing import Any

from shipledger.http import schemas_uploads
from shipledger.http.upload_request import SEND_A_FILE, TOO_LARGE

UPLOAD_ANSWERS: Mapping[Any, Any] = {
    schemas_uploads.Upload: {
        "id": 6119730894320671,
        "file": "shipped.csv",
        "status": "previewed",
        "created_at": "2024-04-30T12:00:00Z",
        "expires_at": "2024-04-30T13:00:00Z",
        "read_as": "CSV, utf-8, comma",
        "columns": [
            {"field": "order", "column": "Order No"},
            {"field": "sku", "column": "SKU"},
            {"field": "quantity", "column": "Qty shipped"},
            {"field": "tracking_number", "column": "Tracking"},
        ],
        "unused_columns": ["Warehouse"],
        "rows": 2,
        "rows_done": 0,
        "taken": 1,
        "repeated": 0,
        "rejected": 1,
        "reasons": [{"reason": "the ledger has no order with this number", "rows": 1}],
        "verdicts": [
            {"line": 2, "verdict": "taken", "reason": None},
            {"line": 3, "verdict": "rejected", "reason": "the ledger has no order with this number"},
        ],
        "import_id": None,
        "message": None,
    }
}

UPLOAD_ERRORS: Mapping[int, str] = {413: TOO_LARGE, 415: SEND_A_FILE}
