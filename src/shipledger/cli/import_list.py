"""shipledger import list: the imports of fulfillments that a ledger remembers."""

import json

import click

from shipledger.cli.configured import setting_option, settings_from, told_why_not

EXAMPLES = """\b
Examples:
  shipledger import list
  shipledger import list --json
"""


def import_list(database: str | None, *, as_json: bool) -> None:
    """List imports of fulfillments, the oldest first. Reads only; a server may be running."""
    from contextlib import closing

    from shipledger.boot.ledgers import open_reading, require_current

    settings = settings_from({"database": database})
    with told_why_not(settings):
        require_current(settings.database)
        with closing(open_reading(settings.database)) as reading:
            imports = reading.imports()
    if as_json:
        click.echo(json.dumps({"imports": imports}))
        return
    for one in imports:
        state = f"undone {one['undone_at']}" if one["undone_at"] else "" if one["finished_at"] else "not finished"
        counts = ", ".join(f"{one[name]:,} {name}" for name in ("rows", "taken", "repeated", "rejected"))
        click.echo("  ".join(text for text in (str(one["id"]), one["created_at"], one["file"], counts, state) if text))
    if not imports:
        click.echo("no imports", err=True)


command = click.Command(
    "list",
    callback=import_list,
    params=[
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object."),
    ],
    help=import_list.__doc__,
    epilog=EXAMPLES,
)
