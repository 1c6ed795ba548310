"""Schemathesis over the OpenAPI document of a real server: no 5xx, answers as documented, nothing written on a 4xx."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shipledger.event import EventType
from tests.http.key_holders import close_server
from tests.http.ledger_dump import dump
from tests.http.orders_to_ship import (
    FUZZED_FULFILLMENTS,
    FUZZED_LEDGER,
    FUZZED_ORDERS,
    FUZZED_SKU,
    FUZZERS_KEY,
    parcel,
    record_order,
)
from tests.serving import Server, running

REPOSITORY = Path(__file__).resolve().parents[2]
# Of each operation and phase; some 3,000 requests in 30 s. More: SHIPLEDGER_TEST_FUZZ_EXAMPLES=1000.
EXAMPLES = int(os.environ.get("SHIPLEDGER_TEST_FUZZ_EXAMPLES", "40"))
IS_LONG = EXAMPLES > 40

# Whether a request that fits the document is accepted depends on what the ledger holds.
EXCLUDED = "positive_data_acceptance"
# A bulk request, or a part of an import, is answered 200, whatever its items are; a long body is 413, whatever it says.
# An import that was undone is no longer there.
# An upload is any text at all. A key that was revoked is still there to be looked at.
CONFIGURATION = """
[cache]
enabled = false
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]
[[operations]]
include-path-regex = "/bulk$|^/v1/imports/|^/v1/uploads$"
checks.negative_data_rejection.enabled = false
checks.ensure_resource_availability.enabled = false
[[operations]]
include-path-regex = "^/v1/keys/"
checks.use_after_free.enabled = false
"""


def fuzz(server: Server, folder: Path, *options: str, examples: int = EXAMPLES) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with an operator's key; its seed is fixed, unless more examples than usual are wanted."""
    for order in FUZZED_ORDERS:
        record_order(server, (FUZZED_SKU, 10**9), **order)
    for order in FUZZED_ORDERS[:FUZZED_FULFILLMENTS]:
        assert server.post("/v1/fulfillments", parcel(order["id"], (FUZZED_SKU, 1))).status == 200
    operator = close_server(server)
    assert operator.id == FUZZERS_KEY
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    code = "from schemathesis.cli import schemathesis; schemathesis()"
    command = [sys.executable, "-c", code, "--no-color", "--config-file", str(folder / "schemathesis.toml")]
    command += ["run", f"{server.url}/openapi.json", "--exclude-checks", EXCLUDED, "--max-examples", str(examples)]
    command += ["--header", f"Authorization: Bearer {operator.key}"]
    command += [] if IS_LONG else ["--generation-deterministic"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.http.fuzz_checks",
        FUZZED_LEDGER: str(server.database),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONHASHSEED": "0",
    }
    return subprocess.run(
        [*command, *options], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )


@pytest.mark.timeout(120 + 10 * EXAMPLES)
def test_no_request_is_answered_otherwise_than_documented(server: Server, tmp_path: Path) -> None:
    """Takes about 30 s: with fewer examples, hardly any request comes as far as a fulfillment."""
    result = fuzz(server, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    sent = re.search(r"(\d+) generated", result.stdout)
    rows = dump(server.database)
    made, told = len(rows["fulfillments"]), {row[3] for row in rows["events"]}
    print("requests:", sent and sent[1], "fulfillments made:", made, "told of:", sorted(told))
    assert sent is not None
    assert int(sent[1]) > 500, "what is not sent proves nothing"
    assert made > FUZZED_FULFILLMENTS + 10, "nor what never comes as far as the rules"
    assert told >= {str(type_) for type_ in EventType if type_.startswith(("order.", "fulfillment."))}


BROKEN = {
    "a type is not looked at, and so a 500": (
        "Server error",
        "import shipledger.http.fields as fields; fields.whole_number = lambda value: value",
    ),
    "a refusal is committed": (
        "was committed",
        """
import shipledger.storage.sqlite as sqlite
real = sqlite.SqliteLedger.save
def save(self, working_set):
    real(self, working_set)
    self._is_changed = True
    self._connection.execute("UPDATE orders SET event_count = event_count + 1")
sqlite.SqliteLedger.save = save
""",
    ),
    "an answer misses a field": (
        "Response violates schema",
        """
import shipledger.document as document
real = document.fulfillment_document
document.fulfillment_document = lambda it: {name: value for name, value in real(it).items() if name != "status"}
""",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_build_is_caught(tmp_path: Path, name: str) -> None:
    """The controls, each broken as its process starts."""
    said, broken = BROKEN[name]
    (tmp_path / "sitecustomize.py").write_text(broken)
    with running(tmp_path / "ledger.db", PYTHONPATH=str(tmp_path)) as server:
        result = fuzz(
            server, tmp_path, "--phases", "examples,fuzzing", "--include-path", "/v1/fulfillments", examples=20
        )
    assert result.returncode == 1, result.stdout + result.stderr
    assert said in result.stdout
