"""`vigie demo`: Vigie on a sample company, beside a small local Slack; nothing leaves this machine."""

import contextlib
import logging
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

PORT = 8765


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play the demo without a browser, and say what was seen.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the playground on 127.0.0.1; 0 takes any free one.")] = PORT,
    folder: Annotated[Path, typer.Option(help="Where the sample company's database is built.")] = Path("demo"),
) -> None:
    """Build a sample company, start Vigie and the playground on it, and print one address."""
    from rich.console import Console

    console = Console()
    if check:
        from bot.demo.check import rehearse

        with tempfile.TemporaryDirectory() as scratch:
            failures = rehearse(Path(scratch), console)
        raise typer.Exit(1 if failures else 0)
    _perform(folder, port, console)


def _perform(folder: Path, port: int, console: "Console") -> None:
    from rich.progress import Progress

    from bot.demo.play import play
    from bot.logs import configure_logs

    configure_logs(logging.WARNING)
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: over.set())
    with contextlib.ExitStack() as stage:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("Building the sample company", total=None)
            try:
                running = stage.enter_context(play(folder, port, lambda _, rows: bar.update(task, advance=rows)))
            except OSError as error:
                why = error.strerror
                console.print(
                    f"127.0.0.1:{port} cannot be used ({why}): “vigie demo --port 0” takes any free port."
                    if error.filename is None
                    else f"The sample company cannot be built in {folder}/ ({why}): give another --folder.",
                    style="red",
                )
                raise typer.Exit(2) from None
        console.print(f"\nVigie is running on the sample company. Open [bold]{running.playground.url}[/bold]")
        console.print("The digest and an alert arrive in #ventes (French) and #sales (English). Try “/kpi help”.")
        console.print("Ctrl-C stops it; the next start begins afresh.")
        over.wait()
