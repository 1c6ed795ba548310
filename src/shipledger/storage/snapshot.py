"""The ledger at one moment, as the reading side asks it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shipledger.storage.loading import Query
from shipledger.storage.rows import Row


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger at one moment: `query` runs a statement by its name, `select` one with question marks for values."""

    query: Query
    select: Callable[[str, Sequence[Any]], Iterable[Row]]
