"""shipledger copy: move an embedded ledger to PostgreSQL."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from shipledger.cli.configured import settings_from, told_why_not

EXAMPLES = """\b
Examples:
  shipledger copy sqlite:///shipledger.db postgresql://ledger@db.internal/shipledger
  shipledger check --database postgresql://ledger@db.internal/shipledger
"""


def copy(source: str, target: str, *, as_json: bool) -> None:
    """Copy an embedded ledger (SOURCE, sqlite:///PATH) to an empty PostgreSQL database (TARGET, postgresql://...).

    Stop the server first. Interrupted, the same command goes on where it was. The source stays as it is.
    """
    source_settings, target_settings = settings_from({"database": source}), settings_from({"database": target})
    if not isinstance(source_settings.database, Path) or not isinstance(target_settings.database, str):
        raise click.UsageError("SOURCE must be sqlite:///PATH, and TARGET postgresql://...")
    from shipledger.storage.copying import CopyRefused, copy_ledger

    try:
        with told_why_not(target_settings), _shown_progress() as progress:
            counts = copy_ledger(source_settings.database, target_settings.database, progress)
    except CopyRefused as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(counts))
    else:
        for table, rows in counts.items():
            click.echo(f"{table}: {rows} rows")
        click.echo(f"Serve it with SHIPLEDGER_DATABASE={target_settings.database_shown}")


@contextmanager
def _shown_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a table, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:

        def show(table: str, copied: int, every: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=every)
            bars.update(tasks[table], completed=copied)

        yield show


command = click.Command(
    "copy",
    callback=copy,
    params=[
        click.Argument(["source"]),
        click.Argument(["target"]),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object: rows by table."),
    ],
    help=copy.__doc__,
    epilog=EXAMPLES,
)
