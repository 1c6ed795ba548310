"""The command `shipledger`. Each command is a file of its own, imported only when it is called."""

import importlib
import sys

import click

COMMANDS = {
    "serve": "shipledger.cli.serve:command",
    "demo": "shipledger.cli.demo:command",
    "migrate": "shipledger.cli.migrate:command",
    "import": "shipledger.cli.importing:command",
    "export": "shipledger.cli.export:command",
    "keys": "shipledger.cli.keys:command",
    "check": "shipledger.cli.check:command",
    "copy": "shipledger.cli.copy:command",
    "webhooks": "shipledger.cli.webhooks:command",
    "bench": "shipledger.cli.bench:command",
}
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has --help with examples. Settings come from SHIPLEDGER_* variables: shipledger serve --help.",
)
@click.version_option(package_name="shipledger")
def cli() -> None:
    """Shipledger: the ledger of what was shipped, exactly once."""


def main() -> None:
    """Run a command. Exits with 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.UsageError as error:
        error.show()
        sys.exit(WRONG_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(FAILED)
    sys.exit(status if isinstance(status, int) else DONE)
