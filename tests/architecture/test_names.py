"""Names say what a file is about, every folder is a known room, and nothing lies dead."""

import tomllib
from pathlib import Path

from tests.architecture.source_tree import (
    PACKAGE,
    REPOSITORY,
    SRC,
    expect_none,
    read_imports,
    read_modules,
    write_modules,
)
from tests.architecture.test_imports import MAY_IMPORT, ROOT

SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
ROOMS = MAY_IMPORT.keys() - {ROOT}


def find_empty_names(directory: Path) -> list[str]:
    return [
        str(path.relative_to(directory))
        for path in sorted(directory.rglob("*"))
        if path.stem.strip("_") in SAY_NOTHING and (path.is_dir() or path.suffix == ".py")
    ]


def find_unknown_rooms(src: Path) -> list[str]:
    folders = sorted(path.name for path in (src / PACKAGE).iterdir() if path.is_dir())
    return [name for name in folders if name not in {*ROOMS, "__pycache__"}]


def find_dead_files(src: Path, entry_points: set[str]) -> list[str]:
    """Modules that no entry point reaches by imports. Of a source without its entry points nothing can be said."""
    modules = read_modules(src)
    to_visit = [name for name in modules if name in entry_points]
    if not to_visit:
        return []
    reached: set[str] = set()
    while to_visit:
        name = to_visit.pop()
        if name in modules and name not in reached:
            reached.add(name)
            to_visit += [name.rpartition(".")[0], *read_imports(modules[name], modules)]
    dead = [module for name, module in modules.items() if name not in reached and not module.is_package]
    return [str(module.path.relative_to(src)) for module in dead]


def read_entry_points() -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {target.partition(":")[0] for target in project["scripts"].values()} | {f"{PACKAGE}.__main__"}


def test_names_say_something() -> None:
    expect_none(find_empty_names(SRC))
    expect_none(find_empty_names(REPOSITORY / "tests"))


def test_every_folder_is_a_known_room() -> None:
    expect_none(find_unknown_rooms(SRC))


def test_no_file_is_dead() -> None:
    expect_none(find_dead_files(SRC, read_entry_points()))


def test_empty_name_is_caught(tmp_path: Path) -> None:
    src = write_modules(tmp_path, {"http/_helpers.py": "", "common/order.py": "", "order.py": ""})
    assert find_empty_names(src) == ["shipledger/common", "shipledger/http/_helpers.py"]


def test_unknown_room_is_caught(tmp_path: Path) -> None:
    assert find_unknown_rooms(write_modules(tmp_path, {"services/order.py": "", "storage/sql/load.sql": ""})) == [
        "services"
    ]


def test_dead_file_is_caught(tmp_path: Path) -> None:
    files = {
        "__init__.py": "",
        "cli/__init__.py": "",
        "cli/main.py": "COMMANDS = {'serve': 'shipledger.cli.serve:serve'}",
        "cli/serve.py": "def serve():\n    from shipledger import order",
        "order.py": "from .event import Event",
        "event.py": "",
        "dead.py": "from shipledger import dead_too",
        "dead_too.py": "",
    }
    src = write_modules(tmp_path, files)
    assert find_dead_files(src, {"shipledger.cli.main"}) == ["shipledger/dead.py", "shipledger/dead_too.py"]
    assert find_dead_files(src, {"shipledger.cli.not_written_yet"}) == []
