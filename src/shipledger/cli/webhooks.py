"""shipledger webhooks: what helps those who receive them."""

import json
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipledger.outbox.listener import Heard

EXAMPLES = """\b
Examples:
  shipledger webhooks listen
  shipledger webhooks listen --port 9000 --json
"""
PORT_DEFAULT = 9000


def listen(host: str, port: int, secret: str, count: int | None, *, as_json: bool) -> int:
    """Receive webhooks and print what arrives, verified: for the first hour with them.

    The secret is the one that registering the webhook answered. Ends with Ctrl-C, or with --count: then with 1 where a
    message did not verify.
    """
    from shipledger.outbox.listener import listener

    heard: list[bool] = []
    told = threading.Lock()

    def hear(message: "Heard") -> None:
        with told:
            if count is None or len(heard) < count:
                click.echo(_as_json(message) if as_json else _as_text(message))
                heard.append(message.fault is None)
                if len(heard) == count:
                    threading.Thread(target=server.shutdown).start()

    try:
        server = listener(host, port, secret, hear)
    except OSError as error:
        raise click.ClickException(f"Cannot listen at {host}:{port}: {error.strerror}.") from None
    click.echo(f"Listening at http://{host}:{server.server_port}/ (Ctrl-C ends)", err=True)
    with server:
        server.serve_forever()
    return 0 if all(heard) else 1


def _as_json(message: "Heard") -> str:
    return json.dumps({"verified": message.fault is None, "fault": message.fault, "event": message.event})


def _as_text(message: "Heard") -> str:
    """JSON is escaped to ASCII: what arrives may come from anyone, and goes to a terminal."""
    verdict = "verified" if message.fault is None else f"NOT VERIFIED: {message.fault}"
    return f"{verdict}\n{json.dumps(message.event, indent=2)}\n"


command = click.Group(
    "webhooks",
    help="For those who receive webhooks.",
    commands={
        "listen": click.Command(
            "listen",
            callback=listen,
            params=[
                click.Option(["--host"], default="127.0.0.1", show_default=True, help="The address to listen on."),
                click.Option(
                    ["--port"], type=click.IntRange(0, 65_535), default=PORT_DEFAULT, show_default=True,
                    help="The port; 0 takes a free one.",
                ),
                click.Option(
                    ["--secret"], prompt="The webhook's secret", hide_input=True,
                    help="whsec_...; asked for where it is not given, so that it stays out of the shell's history.",
                ),
                click.Option(["--count"], type=click.IntRange(1), help="End after so many messages."),
                click.Option(["--json", "as_json"], is_flag=True, help="One JSON object a message."),
            ],
            help=listen.__doc__,
            epilog=EXAMPLES,
        )
    },
)  # fmt: skip
