"""shipledger check: prove a ledger's invariants."""

import json

import click

from shipledger.cli.configured import setting_option, settings_from, told_why_not

EXAMPLES = """\b
Examples:
  shipledger check
  shipledger check --database sqlite:////var/lib/shipledger/ledger.db --json
"""


def check(database: str | None, *, as_json: bool) -> int:
    """Prove the invariants of a stored ledger: nothing over-fulfilled, every sum right, every event there.

    Reads only; a server may be running. Exits with 1 where an invariant is broken.
    """
    from shipledger.boot.ledgers import check_ledger

    settings = settings_from({"database": database})
    with told_why_not(settings):
        findings = check_ledger(settings.database)
    is_sound = not any(finding.broken for finding in findings)
    if as_json:
        rows = [
            {"invariant": finding.invariant, "broken": finding.broken, "examples": finding.examples}
            for finding in findings
        ]
        click.echo(json.dumps({"sound": is_sound, "invariants": rows}))
    else:
        for finding in findings:
            click.echo(f"{'ok    ' if not finding.broken else 'BROKEN'} {finding.invariant}")
            for example in finding.examples:
                click.echo(f"         {example}")
    return 0 if is_sound else 1


command = click.Command(
    "check",
    callback=check,
    params=[
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object."),
    ],
    help=check.__doc__,
    epilog=EXAMPLES,
)
