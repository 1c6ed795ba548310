"""shipledger bench: how many fulfillments a second this machine records."""

import click

from shipledger.cli.configured import settings_from

EXAMPLES = """\b
Examples:
  shipledger bench
  shipledger bench --seconds 30 --connections 8 --json
"""


def bench(seconds: float, connections: int, orders: int, *, as_json: bool) -> None:
    """Measure single requests on this machine: a new ledger, a server over it, and a load from another process.

    Settings such as SHIPLEDGER_BATCH_MAX are heeded; the ledger lies in the temporary folder (TMPDIR).
    """
    settings_from({})  # a wrong setting is told here, not by a server that does not start
    from shipledger.boot.benchmark import measure

    measured = measure(seconds, orders=orders, connections=connections)
    if as_json:
        click.echo(measured.figures.as_json())
        return
    figures = measured.figures
    click.echo(f"{figures.per_second:,.0f} fulfillments a second, each durable before it was answered")
    click.echo(
        f"p50 {figures.percentile(0.5):.1f} ms, p99 {figures.percentile(0.99):.1f} ms, {connections} connections"
    )
    click.echo(f"server memory {measured.resident_mib_before:.0f} to {measured.resident_mib_after:.0f} MiB")


command = click.Command(
    "bench",
    callback=bench,
    params=[
        click.Option(["--seconds"], type=click.FloatRange(min=1), default=10, show_default=True, help="How long."),
        click.Option(
            ["--connections"], type=click.IntRange(1, 1_000), default=64, show_default=True, help="How many at once."
        ),
        click.Option(
            ["--orders"], type=click.IntRange(min=1), default=20_000, show_default=True, help="Orders in the ledger."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object."),
    ],
    help=bench.__doc__,
    epilog=EXAMPLES,
)
