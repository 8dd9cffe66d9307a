"""The command line. Each command is one room of `bot/cli/`, which imports what it needs only when it runs."""

import typer

from bot.cli.ask import ask
from bot.cli.backup import backup
from bot.cli.check import check
from bot.cli.connect import connect, disconnect
from bot.cli.demo import demo
from bot.cli.doctor import doctor
from bot.cli.quarantine import quarantine
from bot.cli.rebuild import rebuild
from bot.cli.rehearse import rehearse
from bot.cli.restore import restore
from bot.cli.serve import serve
from bot.cli.sync import sync


def command_line() -> typer.Typer:
    """The `vigie` command with everything it can do."""
    app = typer.Typer(
        name="vigie",
        help="The lookout of a sales team, in Slack: exact KPIs, weekly digests and alerts from CRM deals.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    rooms = (ask, backup, check, connect, demo, disconnect, doctor, quarantine, rebuild, rehearse, restore, serve)
    for command in rooms:
        app.command()(command)
    app.add_typer(sync, name="sync")
    return app


def main() -> None:
    command_line()()


if __name__ == "__main__":
    main()
