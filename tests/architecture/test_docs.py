"""The documents know everything that there is: routes, filters, refusals, events, settings, commands, rooms."""

import re
from pathlib import Path

import pytest

from shipledger.boot.settings import SETTINGS
from shipledger.cli.main import COMMANDS
from shipledger.event import EventType
from shipledger.http.routes import ROUTES
from shipledger.refusal import Reason
from tests.architecture.source_tree import REPOSITORY

API = REPOSITORY / "docs" / "api.md"
OPERATING = REPOSITORY / "docs" / "operating.md"


def _missing(document: Path, words: list[str]) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return [word for word in words if word not in text]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (API, [f"{route.method} {route.path}" for route in ROUTES]),
        (API, [alias for route in ROUTES for alias in route.aliases]),
        (API, [name for route in ROUTES if route.list_spec for name in route.list_spec.filters]),
        (API, [reason.title for reason in Reason]),
        (API, [str(event) for event in EventType]),
        (OPERATING, [setting.variable for setting in SETTINGS]),
        (OPERATING, [f"`{setting.default}`" for setting in SETTINGS]),
        (OPERATING, [f"shipledger {command}" for command in COMMANDS]),
    ],
    ids=["routes", "aliases", "filters", "refusals", "events", "settings", "defaults", "commands"],
)
def test_everything_is_documented(document: Path, words: list[str]) -> None:
    assert words
    assert not _missing(document, words)


def test_what_is_not_documented_is_found(tmp_path: Path) -> None:
    document = tmp_path / "api.md"
    document.write_text("GET /v1/orders")
    assert _missing(document, ["GET /v1/orders", "GET /v1/parcels"]) == ["GET /v1/parcels"]


def test_every_link_of_the_documents_leads_somewhere() -> None:
    assert not list(_dead_links(REPOSITORY))


def _dead_links(repository: Path) -> list[str]:
    documents = [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]
    return [
        f"{document.name}: {link}"
        for document in documents
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]


def test_every_decision_is_listed() -> None:
    decisions = REPOSITORY / "docs" / "decisions"
    pages = [page.name for page in decisions.glob("0*.md")]
    assert pages
    assert not _missing(decisions / "README.md", pages)


def test_the_architecture_names_every_module_of_the_domain() -> None:
    modules = [page.name for page in (REPOSITORY / "src" / "shipledger").glob("*.py") if not page.name.startswith("_")]
    assert not _missing(REPOSITORY / "ARCHITECTURE.md", modules)


def _unproven(document: str) -> list[str]:
    """The tests that a document names and that are not there: a file or folder, or a function of a file."""
    missing = []
    for path, function in re.findall(r"`(tests/[\w/.]*)(?:::(\w+))?`", document):
        place = REPOSITORY / path
        is_there = place.exists() and (not function or f"def {function}(" in place.read_text(encoding="utf-8"))
        missing += [] if is_there else [f"{path}::{function}" if function else path]
    return missing


def test_every_answer_to_the_owasp_top_ten_names_a_test_that_exists() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| API(\d+) .*$", text, flags=re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, 11))
    assert all("`tests/" in row for row in re.findall(r"^\| API\d+ .*$", text, flags=re.MULTILINE))
    assert _unproven(text) == []


def test_a_test_that_is_named_and_missing_is_found() -> None:
    named = "`tests/architecture/test_docs.py::test_none`, `tests/none.py`, `tests/architecture/test_docs.py`"
    assert _unproven(named) == ["tests/architecture/test_docs.py::test_none", "tests/none.py"]
