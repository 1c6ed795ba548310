"""shipledger export: orders, fulfillments or events, as NDJSON or CSV."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from shipledger.cli.configured import setting_option, settings_from, told_why_not
from shipledger.http.exports import EXPORTS, MEDIA_TYPES

EXAMPLES = """\b
Examples:
  shipledger export orders --status unfulfilled --format csv --output open.csv
  shipledger export fulfillments --created-at-min 2026-11-01 > november.ndjson
  shipledger export events --created-at-min 2026-11-01 --output november.ndjson
"""
FAILED = 1
LISTS = {"events": "/v1/audit", "orders": "/v1/orders", "fulfillments": "/v1/fulfillments"}
"""Whose filters an export has."""

_PATH = click.Path(path_type=Path, dir_okay=False)


def export(
    name: str, *, output: Path | None, format_: str, database: str | None, timezone: str | None, **filters: str | None
) -> None:
    """Write every row that the filters leave to stdout or a file. Reads only; a server may be running."""
    from shipledger.boot.exporting import export as write_export
    from shipledger.http.listing import FilterFault

    settings = settings_from({"database": database, "timezone": timezone})
    given = {filter_: text for filter_, text in filters.items() if text is not None}
    try:
        with told_why_not(settings), _opened(output) as file, _shown_progress(output) as progress:
            write_export(settings.database, name, given, settings.timezone, format_, file.write, progress)
    except FilterFault as fault:
        raise click.UsageError(f"--{fault}.") from None


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that is there whole or not at all."""
    if output is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever read it has enough; what is buffered would be tried once more at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        return
    unfinished = output.with_name(output.name + ".part")
    with unfinished.open("wb") as file:
        yield file
    unfinished.replace(output)


@contextmanager
def _shown_progress(output: Path | None) -> Iterator[Callable[[int], object]]:
    """How many rows were written, where a terminal shows it and not the rows themselves."""
    if not sys.stderr.isatty() or (output is None and sys.stdout.isatty()):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.fields[rows]:,} rows"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None, rows=0)
        yield lambda rows: shown.update(task, rows=rows)


def _command(name: str) -> click.Command:
    filters = [
        click.Option([f"--{filter_.replace('_', '-')}"], metavar="TEXT", help=known.description)
        for filter_, known in EXPORTS[name].spec.filters.items()
    ]
    options: list[Any] = [
        click.Option(
            ["--format", "format_"],
            type=click.Choice(list(MEDIA_TYPES)),
            default="ndjson",
            show_default=True,
            help="One JSON object a line, or a table.",
        ),
        click.Option(["--output"], type=_PATH, metavar="FILE", help="Write to this file instead of stdout."),
        setting_option("TIMEZONE"),
        setting_option("DATABASE"),
    ]
    return click.Command(
        name,
        callback=lambda **given: export(name, **given),
        params=[*filters, *options],
        help=f"Export {name}, newest first; a server may be running. Filters are those of GET {LISTS[name]}.",
        epilog=EXAMPLES,
    )


command = click.Group(
    "export",
    commands={name: _command(name) for name in EXPORTS},
    help="Write orders, fulfillments or events to stdout or a file, as NDJSON or CSV.",
)
