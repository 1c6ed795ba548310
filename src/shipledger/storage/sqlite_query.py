"""How the embedded ledger's statements are run, by the side that writes and the side that reads."""

from collections.abc import Iterable
from typing import Any

import apsw

from shipledger.storage.rows import Row, encode_json
from shipledger.storage.statements import load_statements

STATEMENTS = load_statements("sqlite")


def query(connection: apsw.Connection, name: str, *values: Any) -> Iterable[Row]:
    """The rows of a statement; lists among the values go in as JSON."""
    return connection.execute(
        STATEMENTS[name], [encode_json(value).decode() if isinstance(value, list) else value for value in values]
    )
