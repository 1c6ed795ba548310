"""shipledger demo: a ledger with sample orders, and curl lines to paste."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from shipledger.boot.settings import Settings
from shipledger.cli.configured import setting_option, settings_from, told_why_not
from shipledger.cli.serve import require_servable, run

EXAMPLES = """\b
Examples:
  shipledger demo
  shipledger demo --keep demo.db --port 9000
"""

CURL_LINES = """
The published request, as it is printed (its trailing comma is fine):
  curl -i {url}/v1/fulfillments -d '{{
    "order_id": 450789469,
    "line_items": [
      {{
        "sku": "RPBF24-1941",
        "quantity": 1,
      }}
    ],
    "tracking_number": "1ZE356F8YW01937117"
  }}'
Once more: 400, nothing remains of it.

The same thing in an envelope, for order #1001 by its reference; safe to repeat with its key:
  curl -i {url}/v1/fulfillments -H 'Idempotency-Key: parcel-1' -d '{{"line_items_by_fulfillment_order":
    [{{"order_id": "#1001", "line_items": [{{"sku": "MUG-BLUE", "quantity": 2}}]}}], "tracking_number": "9400111206206406260787"}}'

An integer sku:
  curl -i {url}/v1/fulfillments -d '{{"order_id": 1002, "line_items": [{{"sku": 730143, "quantity": 1}}], "tracking_number": "JD0146000012345678"}}'

Everything that remains of an order (lines omitted), asked for without writing:
  curl -i '{url}/v1/fulfillments?dry_run=true' -d '{{"order_id": "#1001", "tracking_number": "1Z999AA10123456784"}}'

One parcel for several orders, all or nothing:
  curl -i {url}/v1/fulfillments -d '{{"line_items_by_fulfillment_order": [{{"order_id": 1003}}, {{"order_id": 1004}}],
    "tracking_number": "986578788855"}}'

A 400 (more than was ordered) and a 404 (no such order):
  curl -i {url}/v1/fulfillments -d '{{"order_id": 1002, "line_items": [{{"sku": "CAP-RED", "quantity": 9}}], "tracking_number": "X1"}}'
  curl -i {url}/v1/fulfillments -d '{{"order_id": 1, "tracking_number": "X1"}}'

What is open:
  curl '{url}/v1/orders?status=unfulfilled'

In a browser: {url}/docs   Stop with Ctrl-C.
"""


def demo(keep: Path | None, port: str | None) -> None:
    """Serve a demonstration: a new ledger with sample orders at each start."""
    settings = settings_from({"port": port})
    with ExitStack() as stack:
        if keep is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="shipledger-demo-"))
            keep = Path(folder) / "demo.db"
        settings = replace(settings, database=keep, workers=1)
        require_servable(settings)
        _fill(settings, keep)
        run(settings, lambda url: click.echo(CURL_LINES.format(url=url)))


def _fill(settings: Settings, keep: Path) -> None:
    from shipledger.boot.demonstration import record_sample_orders

    with told_why_not(settings):
        record_sample_orders(keep)


command = click.Command(
    "demo",
    callback=demo,
    params=[
        click.Option(
            ["--keep"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="Keep the ledger in this file, and go on with it next time.",
        ),
        setting_option("PORT"),
    ],
    help=demo.__doc__,
    epilog=EXAMPLES,
)
