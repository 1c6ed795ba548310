"""The locks hold what pyproject.toml asks for, and agree with one another."""

import re
import tomllib
from pathlib import Path
from typing import Any

from tests.architecture.source_tree import REPOSITORY, expect_none

# Which lock is made of what: the project's dependencies or not, and the dependency groups.
LOCKS = {"run": (True, ["build"]), "dev": (True, ["dev"]), "lock": (False, ["lock"])}


def name_of(requirement: str) -> str:
    name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> dict[str, str]:
    pins = re.findall(r"^(\S+?)(?:\[.*?\])?==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name_of(name): version for name, version in pins}


def read_group(project: dict[str, Any], group: str) -> set[str]:
    names: set[str] = set()
    for entry in project["dependency-groups"][group]:
        names |= {name_of(entry)} if isinstance(entry, str) else read_group(project, entry["include-group"])
    return names


def find_missing(repository: Path) -> list[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    direct = {name_of(entry) for entry in project["project"]["dependencies"] + project["build-system"]["requires"]}
    missing = []
    for lock, (with_project, groups) in LOCKS.items():
        wanted = set[str]().union(*(read_group(project, group) for group in groups), direct if with_project else ())
        pins = read_lock(repository / "requirements" / f"{lock}.txt")
        missing += [f"{lock}.txt lacks {name}" for name in sorted(wanted - pins.keys())]
    return missing


def find_disagreements(repository: Path) -> list[str]:
    """Serving must run what the tests ran."""
    run, dev = (read_lock(repository / "requirements" / f"{name}.txt") for name in ("run", "dev"))
    return [f"{name}: run.txt {run[name]}, dev.txt {dev.get(name)}" for name in run if run[name] != dev.get(name)]


def test_locks_hold_every_direct_dependency() -> None:
    expect_none(find_missing(REPOSITORY))


def test_tests_run_the_versions_that_serve() -> None:
    expect_none(find_disagreements(REPOSITORY))


def write_repository(path: Path, locks: dict[str, str]) -> Path:
    (path / "requirements").mkdir()
    (path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\n'
        '[project]\ndependencies = ["apsw>=3", "Typing_Extensions; python_version < \'3.12\'"]\n'
        '[dependency-groups]\nbuild = ["editables"]\ndev = [{include-group = "build"}, "pytest"]\nlock = ["uv"]\n',
        encoding="utf-8",
    )
    for name, text in locks.items():
        (path / "requirements" / f"{name}.txt").write_text(text, encoding="utf-8")
    return path


def test_missing_and_disagreeing_pins_are_caught(tmp_path: Path) -> None:
    run = "apsw==3.54 \\\n    --hash=sha256:0\neditables==0.6\nhatchling==1.33.0\ntyping-extensions==4.16.0\n"
    locks = {"run": run, "dev": run.replace("3.54", "3.55").replace("hatchling==1.33.0\n", ""), "lock": ""}
    repository = write_repository(tmp_path, locks)
    assert find_missing(repository) == ["dev.txt lacks hatchling", "dev.txt lacks pytest", "lock.txt lacks uv"]
    assert find_disagreements(repository) == [
        "apsw: run.txt 3.54, dev.txt 3.55",
        "hatchling: run.txt 1.33.0, dev.txt None",
    ]
