"""Any commands in any order, on real databases: the state machine of the rules, with a ledger that is stored."""

import itertools
from pathlib import Path

import pytest

from shipledger.boot.ledgers import check_ledger, migrate, open_ledger
from shipledger.storage.port import Ledger
from tests.postgres_server import empty
from tests.rules.test_state_machine import LedgerMachine, run

EXAMPLES = {"sqlite": 40, "postgres": 40}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_stored_ledger_does_what_the_model_does(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    numbers = itertools.count()
    url = str(request.getfixturevalue("postgres_url")) if database == "postgres" else ""

    class Machine(LedgerMachine):
        def open_ledger(self) -> Ledger:
            if url:
                empty(url)
            self.place = url or tmp_path / f"{next(numbers)}.db"
            migrate(self.place)
            return open_ledger(self.place)

        def teardown(self) -> None:
            super().teardown()
            assert [finding for finding in check_ledger(self.place) if finding.broken] == []

    run(Machine, EXAMPLES[database])
