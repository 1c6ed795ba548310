"""The commands, as a shell meets them: exit status, message, and how soon."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from shipledger.cli.main import COMMANDS, cli
from shipledger.storage.migrate import migrations
from tests.serving import running

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this folder; one that ought to end but serves instead is stopped, and the test fails."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SHIPLEDGER_")}
    command = [sys.executable, "-m", "shipledger", *arguments]
    settings = {**settings, "SHIPLEDGER_PORT": "0", **environment}
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=20, check=False)


def expect_failure(result: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """The status, what is to be done, and not how the program looks inside."""
    assert (result.returncode, result.stdout) == (status, "")
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_ledger_that_is_served_is_not_written_by_another(tmp_path: Path, command: str) -> None:
    with running(tmp_path / "ledger.db") as server:
        result = run(tmp_path, command, "--database", "sqlite:///ledger.db")
        who = f"ledger.db is being written by process {server.process.pid} at {server.url}"
        expect_failure(result, FAILED, who, "Stop it first, or send the request to it.")
        assert server.get("/readyz").status == 200


def test_a_demonstration_does_not_write_a_served_ledger_either(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db"):
        expect_failure(run(tmp_path, "demo", "--keep", "ledger.db"), FAILED, "is being written by process")


def test_a_served_ledger_can_be_checked(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db"):
        assert run(tmp_path, "check", "--database", "sqlite:///ledger.db").returncode == DONE


def test_a_lock_file_that_a_killed_server_left_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db") as server:
        server.kill()
    assert (tmp_path / "ledger.db.lock").read_text()
    assert run(tmp_path, "migrate", "--database", "sqlite:///ledger.db").stdout == "up to date\n"
    with running(tmp_path / "ledger.db") as server:
        assert server.get("/readyz").status == 200


def test_a_port_that_is_taken_is_named_with_the_setting_for_another(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db") as server:
        result = run(tmp_path, "serve", "--database", "sqlite:///other.db", "--port", str(server.port))
        expect_failure(result, FAILED, f"127.0.0.1:{server.port}", "in use", "SHIPLEDGER_PORT")


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    first, second = (run(tmp_path, "migrate", "--database", "sqlite:///new/ledger.db") for _ in range(2))
    applied = [f"applied {migration.version:04} {migration.name}\n" for migration in migrations("sqlite")]
    assert (first.returncode, first.stdout) == (DONE, "".join(applied))
    assert applied[0] == "applied 0001 orders_and_fulfillments\n"
    assert (second.returncode, second.stdout) == (DONE, "up to date\n")


@pytest.mark.parametrize("command", ["serve", "migrate", "demo"])
@pytest.mark.parametrize("place", ["file/ledger.db", "."])
def test_a_place_that_cannot_hold_a_ledger_is_named(tmp_path: Path, command: str, place: str) -> None:
    (tmp_path / "file").touch()
    where = ["--keep", place] if command == "demo" else ["--database", f"sqlite:///{place}"]
    result = run(tmp_path, command, *where)
    expect_failure(result, WRONG_USAGE if place == "." else FAILED, place)
    assert "SHIPLEDGER_PORT" not in result.stderr, "which has nothing to do with it"


@pytest.mark.parametrize("command", ["serve", "migrate", "demo"])
def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path, command: str) -> None:
    (tmp_path / "text").write_text("not a ledger, but a letter\n" * 99)
    where = ["--keep", "text"] if command == "demo" else ["--database", "sqlite:///text"]
    expect_failure(run(tmp_path, command, *where), FAILED, "text cannot be opened as a ledger")
    assert (tmp_path / "text").read_text() == "not a ledger, but a letter\n" * 99


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (["--workers", "2"], {}, ["one writing process", "PostgreSQL"]),
        ([], {"SHIPLEDGER_WORKERS": "4"}, ["one writing process", "PostgreSQL"]),
        (["--host", "0.0.0.0"], {}, ["Without keys", "0.0.0.0", "127.0.0.1"]),
        ([], {"SHIPLEDGER_HOST": "0.0.0.0"}, ["Without keys", "0.0.0.0"]),
        ([], {"SHIPLEDGER_HOST": "::"}, ["Without keys", "::"]),
    ],
)
def test_what_is_not_served_is_refused_with_what_to_do(
    tmp_path: Path, flags: list[str], environment: dict[str, str], words: list[str]
) -> None:
    expect_failure(run(tmp_path, "serve", *flags, **environment), FAILED, *words)
    assert list(tmp_path.iterdir()) == [], "no ledger was made"


@pytest.mark.parametrize("command", ["serve", "migrate", "check", "demo"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHIPLEDGER_DATABSE", "SHIPLEDGER_DATABASE"),
        ("SHIPLEDGER_PROT", "SHIPLEDGER_PORT"),
        ("SHIPLEDGER_TIME_ZONE", "SHIPLEDGER_TIMEZONE"),
        ("SHIPLEDGER_X", ""),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_right_one(
    tmp_path: Path, command: str, name: str, meant: str
) -> None:
    expect_failure(run(tmp_path, command, **{name: "1"}), WRONG_USAGE, name, f"did you mean SHIPLEDGER_{meant[11:]}")


def test_the_variables_of_the_tests_are_no_settings(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", SHIPLEDGER_TEST_CRASHES="1").returncode == DONE


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("PORT", "eighty", "0 (any free port) to 65535"),
        ("PORT", "65536", "0 (any free port) to 65535"),
        ("PORT", "", "0 (any free port) to 65535"),
        ("DATABASE", "ledger.db", "sqlite:///PATH"),
        ("DATABASE", "sqlite:///", "sqlite:///PATH"),
        ("DATABASE", "mysql://host/ledger", "sqlite:///PATH"),
        ("HOST", "", "an address"),
        ("TIMEZONE", "Mars/Olympus", "time zone"),
        ("TIMEZONE", "/etc/passwd", "time zone"),
        ("REPEATED_TRACKING", "maybe", "accept, replay or reject"),
        ("WORKERS", "0", "at least 1"),
        ("BATCH_MAX", "-1", "at least 1"),
        ("QUEUE_MAX", "many", "at least 1"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error"),
    ],
)
def test_a_value_that_cannot_be_is_wrong_usage_by_variable_and_by_flag(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    by_variable = run(tmp_path, "serve", **{f"SHIPLEDGER_{setting}": value})
    expect_failure(by_variable, WRONG_USAGE, f"SHIPLEDGER_{setting} must be", words)
    flag = f"--{setting.lower().replace('_', '-')}"
    expect_failure(run(tmp_path, "serve", flag, value), WRONG_USAGE, f"{flag} must be", words)
    assert list(tmp_path.iterdir()) == []


def test_a_flag_goes_over_its_variable(tmp_path: Path) -> None:
    result = run(tmp_path, "migrate", "--database", "sqlite:///flag.db", SHIPLEDGER_DATABASE="sqlite:///variable.db")
    assert result.returncode == DONE
    assert [path.name for path in tmp_path.glob("*.db")] == ["flag.db"]


@pytest.mark.parametrize(
    "arguments", [["sevre"], ["serve", "--prot", "1"], ["serve", "extra"], ["check", "--port", "1"]]
)
def test_what_does_not_exist_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    expect_failure(run(tmp_path, *arguments), WRONG_USAGE, "No such" if arguments[-1] != "extra" else "unexpected")


def invocations() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        yield from ((name, part) for part in command.commands) if isinstance(command, click.Group) else [(name,)]


@pytest.mark.parametrize("command", list(invocations()), ids=" ".join)
def test_help_has_examples_and_comes_at_once(tmp_path: Path, command: tuple[str, ...]) -> None:
    seconds = []
    for flag in ("--help", "--help", "-h"):
        began = time.perf_counter()
        result = run(tmp_path, *command, flag)
        seconds.append(time.perf_counter() - began)
        assert (result.returncode, result.stderr) == (DONE, "")
        assert f"shipledger {' '.join(command)}" in result.stdout.partition("Examples:")[2]
    print(f"\nshipledger {' '.join(command)} --help: {min(seconds) * 1_000:.0f} ms")


def test_the_list_of_commands_names_them_all(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")
    assert [command for command in COMMANDS if f"\n  {command} " not in result.stdout] == []


def test_the_demonstration_serves_the_published_request_and_is_kept_where_it_is_asked_to(tmp_path: Path) -> None:
    for _ in range(2):
        command = [sys.executable, "-m", "shipledger", "demo", "--keep", "demo.db", "--port", "0"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            while "450789469" not in (line := demo.stdout.readline()):
                assert line or demo.poll() is None
            demo.send_signal(signal.SIGINT)
            assert "In a browser" in demo.stdout.read()
        assert demo.returncode == 130
    result = run(tmp_path, "check", "--database", "sqlite:///demo.db")
    assert result.returncode == DONE
