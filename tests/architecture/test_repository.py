"""The repository names no registry's host and no machine's path, locks what it fetches, and leaves nothing undone."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source_tree import REPOSITORY, expect_none

# One letter of each name stands in brackets, so that this file does not hold what it looks for.
REGISTRY_HOST = re.compile(
    r"pyp[i]\.(org|python)|pythonhoste[d]\.|npmj[s]\.|(deb|security|snapshot)\.debia[n]\.|archive\.ubunt[u]\."
    r"|ghc[r]\.io|docke[r]\.io|crate[s]\.io|jsdeliv[r]\.net|unpk[g]\.com"
)
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(wor[k]|far[m]|roo[t]|hom[e])/", re.MULTILINE)
UNDONE = re.compile(r"\b(TODO|FIXME|XXX)\b")
PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^-].*?)?( --hash=sha256:[0-9a-f]{64})+")


def list_files(repository: Path) -> list[Path]:
    """The files of a repository, those not committed yet included and those that git ignores left out."""
    if not (repository / ".git").exists():
        return sorted(path for path in repository.rglob("*") if path.is_file() and ".venv" not in path.parts)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.split("\0")
    return [repository / name for name in names if name and (repository / name).is_file()]


def find_in_files(repository: Path, pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in list_files(repository):
        content = path.read_bytes()
        if b"\0" not in content:
            lines = content.decode("utf-8", "replace").splitlines()
            found += [f"{path.relative_to(repository)}:{n}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def find_loose_requirements(requirements: Path) -> list[str]:
    found = []
    for path in sorted(requirements.glob("*.txt")):
        logical_lines = re.sub(r"\s*\\\n\s*", " ", path.read_text(encoding="utf-8")).splitlines()
        found += [f"{path.name}: {line[:60]}" for line in logical_lines if line.strip() and not PINNED.fullmatch(line)]
    return found


def has_unreleased_section(changelog: Path) -> bool:
    return "\n## [Unreleased]\n" in changelog.read_text(encoding="utf-8")


def test_no_registry_host_is_named() -> None:
    expect_none(find_in_files(REPOSITORY, REGISTRY_HOST))


def test_no_path_of_a_machine_is_named() -> None:
    expect_none(find_in_files(REPOSITORY, MACHINE_PATH))


def test_nothing_in_src_is_left_undone() -> None:
    expect_none([place for place in find_in_files(REPOSITORY, UNDONE) if place.startswith("src/")])


def test_every_requirement_has_a_version_and_a_hash() -> None:
    expect_none(find_loose_requirements(REPOSITORY / "requirements"))


def test_changelog_has_an_unreleased_section() -> None:
    assert has_unreleased_section(REPOSITORY / "CHANGELOG.md")


@pytest.mark.parametrize("host", ["pyp" + "i.org", "files.pythonhoste" + "d.org", "registry.npmj" + "s.org"])
def test_registry_host_is_caught(tmp_path: Path, host: str) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = https://{host}/simple\n", encoding="utf-8")
    assert find_in_files(tmp_path, REGISTRY_HOST) == ["pip.conf:2"]


@pytest.mark.parametrize("folder", ["wor" + "k", "roo" + "t", "hom" + "e"])
def test_path_of_a_machine_is_caught(tmp_path: Path, folder: str) -> None:
    (tmp_path / "notes.md").write_text(f"see\n`/{folder}/x`\nbut not a{folder}/x or ../{folder}/x\n", encoding="utf-8")
    assert find_in_files(tmp_path, MACHINE_PATH) == ["notes.md:2"]


def test_file_not_committed_yet_is_read_and_an_ignored_one_is_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored/\n", encoding="utf-8")
    (tmp_path / "ignored").mkdir()
    for name in ("new.py", "ignored/old.py"):
        (tmp_path / name).write_text("# FIXME\n", encoding="utf-8")
    assert find_in_files(tmp_path, UNDONE) == ["new.py:1"]


@pytest.mark.parametrize(
    "line",
    [
        "apsw>=3.54 --hash=sha256:" + "0" * 64,
        "apsw==3.54.1.0",
        "apsw @ https://example.com/apsw.whl --hash=sha256:" + "0" * 64,
        "--index-url https://example.com/simple",
        "apsw==3.54.1.0 --index-url=x --hash=sha256:" + "0" * 64,
    ],
)
def test_loose_requirement_is_caught(tmp_path: Path, line: str) -> None:
    good = "uvloop==0.23.0 ; sys_platform != 'win32' \\\n    --hash=sha256:" + "0" * 64
    (tmp_path / "run.txt").write_text(f"{good}\n{line}\n", encoding="utf-8")
    assert find_loose_requirements(tmp_path) == [f"run.txt: {line[:60]}"]


def test_changelog_without_an_unreleased_section_is_caught(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [0.1.0]\n\nUnreleased things\n", encoding="utf-8")
    assert not has_unreleased_section(tmp_path / "CHANGELOG.md")
