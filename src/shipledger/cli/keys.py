"""shipledger keys: who may come in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from shipledger.cli.configured import setting_option, settings_from, told_why_not

if TYPE_CHECKING:
    from shipledger.boot.key_desk import Send

EXAMPLES = {
    "create": (
        'create --name "back office" --role operator',
        'create --name "acme, warehouse 2" --role partner --partner acme --rate-limit 100',
        "create --name dashboard --role operator --scope orders:read --scope fulfillments:read",
    ),
    "list": ("list", "list --json"),
    "rotate": ("rotate 2", "rotate 2 --overlap-seconds 3600 --json"),
    "revoke": ("revoke 2",),
}


def _epilog(*commands: str) -> str:
    lines = [f"  shipledger keys {example}" for command in commands for example in EXAMPLES[command]]
    return "\b\nExamples:\n" + "\n".join(lines)


def create(
    name: str,
    role: str,
    partner: str | None,
    scopes: tuple[str, ...],
    expires_at: str | None,
    rate_limit: int | None,
    database: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a key and show it, this once.

    The first one must be an operator's. It closes the server for good to whoever has no key. This command, on the
    ledger's own host, needs none, so that it is also the way back in.
    """
    asked = {"name": name, "role": role, "partner": partner, "expires_at": expires_at, "rate_limit": rate_limit}
    with _desk(database) as send:
        _show(send("create", None, {**asked, "scopes": list(scopes) or None}), as_json=as_json)


def rotate(
    key_id: int, overlap_seconds: int | None, expires_at: str | None, database: str | None, *, as_json: bool
) -> None:
    """Make a key in the place of key ID and show it, this once; the old one lives on for a while (a day)."""
    with _desk(database) as send:
        _show(send("rotate", key_id, {"overlap_seconds": overlap_seconds, "expires_at": expires_at}), as_json=as_json)


def revoke(key_id: int, database: str | None, *, as_json: bool) -> None:
    """End key ID, at once and for ever."""
    with _desk(database) as send:
        _show(send("revoke", key_id, {}), as_json=as_json)


def list_(database: str | None, *, as_json: bool) -> None:
    """List all keys, the newest first, without their secrets."""
    from shipledger.boot.key_desk import list_keys

    settings = settings_from({"database": database})
    with told_why_not(settings):
        keys = list_keys(settings.database)
    if as_json:
        click.echo(json.dumps({"keys": keys}))
    for key in () if as_json else keys:
        _show_key(key, on_stderr=False)


@contextmanager
def _desk(database: str | None) -> "Iterator[Send]":
    from shipledger.boot.key_desk import KeyRefused, key_desk
    from shipledger.outcome import Fault

    settings = settings_from({"database": database})
    try:
        with told_why_not(settings), key_desk(settings.database, settings.timezone) as send:
            yield send
    except KeyRefused as error:
        raise click.ClickException(str(error)) from None
    except Fault as error:
        raise click.ClickException(f"{settings.database_shown} cannot be written now: {error}") from None


def _show(key: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(key))
        return
    _show_key(key, on_stderr="secret" in key)
    if "secret" in key:
        click.echo("Its key, which is shown this once:", err=True)
        click.echo(key["secret"])


def _show_key(key: dict[str, Any], *, on_stderr: bool) -> None:
    whose = key["role"] if key["partner"] is None else f"{key['role']} {key['partner']}"
    ends = f"revoked {key['revoked_at']}" if key["revoked_at"] else f"ends {key['expires_at'] or 'never'}"
    used = f"last used {key['last_used_at'] or 'never'}"
    click.echo(f"{key['id']}  {key['starts_with']}  {key['name']}  ({whose}: {' '.join(key['scopes'])})", err=on_stderr)
    click.echo(f"    made {key['created_at']}, {used}, {ends}", err=on_stderr)


_ID = click.Argument(["key_id"], type=click.IntRange(min=1), metavar="ID")
_EXPIRES = click.Option(["--expires-at"], metavar="TIME", help="When it ends by itself: 2027-01-31, or with a time.")
_JSON = click.Option(["--json", "as_json"], is_flag=True, help="Answer with one JSON object.")
_DATABASE = setting_option("DATABASE")

command = click.Group(
    "keys",
    commands={
        "create": click.Command(
            "create",
            callback=create,
            help=create.__doc__,
            epilog=_epilog("create"),
            params=[
                click.Option(["--name"], required=True, help="Who holds it; the audit trail shows this name."),
                click.Option(
                    ["--role"], type=click.Choice(["operator", "partner"]), required=True, help="Whose it is."
                ),
                click.Option(["--partner"], help="The partner's short name, for a partner's key."),
                click.Option(
                    ["--scope", "scopes"],
                    multiple=True,
                    help="What it may do, once for each scope. [default: all that its role may]",
                ),
                _EXPIRES,
                click.Option(["--rate-limit"], type=click.IntRange(min=1), help="Requests a second."),
                _DATABASE,
                _JSON,
            ],
        ),
        "list": click.Command(
            "list", callback=list_, help=list_.__doc__, epilog=_epilog("list"), params=[_DATABASE, _JSON]
        ),
        "rotate": click.Command(
            "rotate",
            callback=rotate,
            help=rotate.__doc__,
            epilog=_epilog("rotate"),
            params=[
                _ID,
                click.Option(["--overlap-seconds"], type=click.IntRange(min=0), help="How long the old one lives on."),
                _EXPIRES,
                _DATABASE,
                _JSON,
            ],
        ),
        "revoke": click.Command(
            "revoke", callback=revoke, help=revoke.__doc__, epilog=_epilog("revoke"), params=[_ID, _DATABASE, _JSON]
        ),
    },
    help="Who may come in: make keys, list them, put another in the place of one, end one.",
    epilog=_epilog(*EXAMPLES),
)
