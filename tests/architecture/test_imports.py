"""Imports run one way: cli -> boot -> http, console, outbox, importing, bench, commit -> storage -> root."""

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGE, SRC, expect_none, read_imports, read_modules, write_modules

ROOT = "root"
SIBLINGS = ("http", "console", "outbox", "importing", "bench", "commit")
MAY_IMPORT: dict[str, set[str]] = {
    ROOT: {ROOT},
    "storage": {"storage", ROOT},
    **{sibling: {sibling, "storage", ROOT} for sibling in SIBLINGS},
    "boot": {"boot", *SIBLINGS, "storage", ROOT},
    "cli": {"cli", "boot", *SIBLINGS, "storage", ROOT},
}


def room_of(name: str) -> str:
    parts = name.split(".")
    if parts[1:] == ["__main__"]:
        return "cli"
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else ROOT


def find_wrong_directions(src: Path) -> list[str]:
    modules = read_modules(src)
    return [
        f"{name} imports {imported}: {room_of(name)} may not import {room_of(imported)}"
        for name, module in modules.items()
        for imported in sorted(read_imports(module, modules))
        if imported.split(".")[0] == PACKAGE and room_of(imported) not in MAY_IMPORT[room_of(name)]
    ]


def find_third_parties_in_root(src: Path) -> list[str]:
    modules = read_modules(src)
    return [
        f"{name} imports {imported}: the domain knows the standard library only"
        for name, module in modules.items()
        if room_of(name) == ROOT
        for imported in sorted(read_imports(module, modules))
        if imported.split(".")[0] not in {PACKAGE, *sys.stdlib_module_names}
    ]


def find_cycles(src: Path) -> list[str]:
    modules = read_modules(src)
    graph = {name: read_imports(module, modules) & modules.keys() for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        return [" <- ".join(cycle.args[1])]
    return []


def test_imports_run_one_way() -> None:
    expect_none(find_wrong_directions(SRC))


def test_domain_imports_only_the_standard_library() -> None:
    expect_none(find_third_parties_in_root(SRC))


def test_no_module_imports_itself_by_a_detour() -> None:
    expect_none(find_cycles(SRC))


def test_everything_found_is_told() -> None:
    offenders = [f"shipledger.module_{number} imports shipledger.cli" for number in range(50)]
    with pytest.raises(AssertionError) as told:
        expect_none(offenders)
    assert str(told.value).splitlines()[1:51] == offenders


@pytest.mark.parametrize(
    ("file", "text", "rooms"),
    [
        ("order.py", "import shipledger.storage.port", "root may not import storage"),
        ("order.py", "from shipledger import cli", "root may not import cli"),
        ("order.py", "from .commit import idempotency", "root may not import commit"),
        ("storage/sqlite.py", "from ..http.routes import ROUTES", "storage may not import http"),
        ("http/orders.py", "from shipledger.commit.batch_committer import X", "http may not import commit"),
        ("commit/__init__.py", "from ..outbox import relay", "commit may not import outbox"),
        ("console/pages.py", "def late():\n    import shipledger.importing", "console may not import importing"),
        ("importing/orders.py", "from shipledger.boot import settings", "importing may not import boot"),
        ("boot/assemble.py", "import shipledger.cli.main as m", "boot may not import cli"),
        ("boot/assemble.py", "import_module('shipledger.cli.main')", "boot may not import cli"),
        ("outbox/relay.py", "RUN = 'shipledger.http.routes:app'", "outbox may not import http"),
    ],
)
def test_wrong_direction_is_caught(tmp_path: Path, file: str, text: str, rooms: str) -> None:
    (message,) = find_wrong_directions(write_modules(tmp_path, {file: text}))
    assert message.endswith(rooms)


def test_every_right_direction_is_allowed(tmp_path: Path) -> None:
    files = {
        "__main__.py": "from shipledger.cli.main import main",
        "cli/main.py": "from shipledger.boot import assemble\nfrom shipledger.importing import orders",
        "boot/assemble.py": "from shipledger.http import routes\nfrom ..commit import batch_committer",
        "http/routes.py": "import starlette\nfrom shipledger.storage.port import Storage\nfrom . import orders",
        "http/orders.py": "from shipledger import order",
        "storage/port.py": "from .. import order\nfrom ..refusal import Refusal",
        "order.py": "import json, collections.abc\nfrom shipledger.event import Event",
    }
    src = write_modules(tmp_path, files)
    assert find_wrong_directions(src) == []
    assert find_third_parties_in_root(src) == []
    assert find_cycles(src) == []


def test_third_party_in_the_domain_is_caught(tmp_path: Path) -> None:
    src = write_modules(tmp_path, {"order.py": "def f():\n    import msgspec", "http/orders.py": "import msgspec"})
    (message,) = find_third_parties_in_root(src)
    assert message.startswith("shipledger.order imports msgspec")


def test_cycle_is_caught(tmp_path: Path) -> None:
    files = {
        "order.py": "from shipledger import event",
        "event.py": "import shipledger.refusal",
        "refusal.py": "def late():\n    from .order import Order",
    }
    (cycle,) = find_cycles(write_modules(tmp_path, files))
    assert {part.strip() for part in cycle.split("<-")} == {
        "shipledger.order",
        "shipledger.event",
        "shipledger.refusal",
    }
