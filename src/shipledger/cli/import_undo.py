"""shipledger import undo: take back what an import of fulfillments made."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from shipledger.cli.configured import setting_option, settings_from
from shipledger.cli.import_file import told_how_to_go_on

EXAMPLES = """\b
Examples:
  shipledger import list
  shipledger import undo 7
"""


def import_undo(import_id: int, *, database: str | None, as_json: bool) -> None:
    """Cancel the fulfillments that import ID made, and free their keys, so that the same file can be imported again.

    Their quantities return to the orders. While a server runs, it goes through it. Interrupted, the same command goes
    on.
    """
    from shipledger.boot.import_undo import NoSuchImport, undo_import

    settings = settings_from({"database": database})
    try:
        with told_how_to_go_on(), _shown_progress() as progress:
            taken_back = undo_import(settings.database, import_id, progress)
    except NoSuchImport:
        raise click.ClickException(f"There is no import {import_id}: shipledger import list shows them.") from None
    if as_json:
        click.echo(json.dumps({"import_id": import_id, "taken_back": taken_back}))
    else:
        click.echo(f"Import {import_id} is undone: {taken_back:,} fulfillments were cancelled.", err=True)


@contextmanager
def _shown_progress() -> Iterator[Callable[[int], object]]:
    """How many were taken back, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda taken_back: status.update(f"{taken_back:,} fulfillments cancelled")


command = click.Command(
    "undo",
    callback=import_undo,
    params=[
        click.Argument(["import_id"], type=click.IntRange(min=1), metavar="ID"),
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object."),
    ],
    help=import_undo.__doc__,
    epilog=EXAMPLES,
)
