"""What the commands that import a file share: options, what ends one, and what is told in the end."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from shipledger.cli.configured import setting_option

DONE, FAILED, UNREADABLE = 0, 1, 2
AGAIN = "Run the same command again to go on: what was recorded is left alone."

PATH = click.Path(path_type=Path)


def options(dry_run: str) -> list[click.Parameter]:
    """The options of every import; `dry_run` is the help of that one."""
    return [
        click.Option(
            ["--map", "maps"],
            multiple=True,
            metavar="FIELD=COLUMN",
            help="Read a field from this column instead of the one recognised; FIELD= alone reads it from none.",
        ),
        setting_option("TIMEZONE"),
        click.Option(["--dry-run"], is_flag=True, help=dry_run),
        click.Option(
            ["--rejects"],
            type=PATH,
            metavar="OUT",
            help="Where rows that cannot be taken are written. [default: FILE.rejects.csv or FILE.rejects.ndjson]",
        ),
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="End with one JSON object instead of a table."),
    ]


@contextmanager
def told_how_to_go_on() -> Iterator[None]:
    """What ends an import becomes a message, and an exit status."""
    import apsw
    import psycopg

    from shipledger.boot.garbage import calm_the_collector
    from shipledger.importing.order_sender import ServerAway
    from shipledger.importing.reading import Unreadable
    from shipledger.outcome import Fault
    from shipledger.storage.ledger_lock import LedgerInUse
    from shipledger.storage.migrate import SchemaError

    calm_the_collector()
    try:
        yield
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREADABLE)
    except (LedgerInUse, SchemaError) as error:
        raise click.ClickException(str(error)) from None
    except (ServerAway, Fault) as error:
        raise click.ClickException(f"{error}\n{AGAIN}") from None
    except (apsw.Error, psycopg.Error, OSError) as error:
        raise click.ClickException(f"The import failed: {error}\n{AGAIN}") from None
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted. {AGAIN}", err=True)
        raise


@dataclass(frozen=True, slots=True)
class Counts:
    """Of rows, or of what they make."""

    taken: int
    repeated: int
    rejected: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.taken + self.repeated + self.rejected

    def document(self) -> dict[str, int]:
        """By name."""
        return {"taken": self.taken, "repeated": self.repeated, "rejected": self.rejected}


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import came to. `things` is what it makes, `rejects` are the files of rows that were not taken."""

    rows: Counts
    things: str
    of_things: Counts
    reasons: Mapping[str, int]
    rejects: Sequence[Path]

    def tell(self, title: str, more: Mapping[str, object] | None) -> int:
        """Tell it: as one JSON object with `more`, or, where that is None, as a table. Returns the exit status."""
        if more is None:
            self._print(title)
        else:
            told = {"rows": self.rows.total, **self.rows.document(), self.things: self.of_things.document()}
            rejects = str(self.rejects[0]) if self.rejects else None
            click.echo(json.dumps({**told, "reasons": self.reasons, "rejects": rejects, **more}))
        return FAILED if self.rows.rejected else DONE

    def _print(self, title: str) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(title=title, title_justify="left")
        table.add_column("")
        table.add_column("rows", justify="right")
        table.add_column(self.things, justify="right")
        rows, things = self.rows, self.of_things
        table.add_row("taken", f"{rows.taken:,}", f"{things.taken:,}")
        table.add_row("repeated: the ledger had them", f"{rows.repeated:,}", f"{things.repeated:,}")
        table.add_row("rejected", f"{rows.rejected:,}", f"{things.rejected:,}")
        for reason, count in self.reasons.items():
            table.add_row(f"  {reason}", f"{count:,}", "")
        table.add_section()
        table.add_row("all", f"{rows.total:,}", f"{things.total:,}")
        Console(stderr=True, markup=False, highlight=False).print(table)
        for path in self.rejects:
            click.echo(f"Rejected rows, each with its line and the reason: {path}", err=True)
