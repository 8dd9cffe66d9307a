"""What is loaded before it is needed: nothing heavy, neither for `vigie --help` nor to acknowledge a command."""

import subprocess
import sys

DRAWING = {"pandas", "numpy", "matplotlib", "PIL", "pebble"}
OTHERS = {"faker", "openpyxl", "uvicorn"}
PROGRAM = {"alembic", "aiohttp", "babel", "httpx", "pydantic", "slack_bolt", "slack_sdk", "sqlalchemy"}
CODE = """
import sys

def say():
    print(*{name.partition(".")[0] for name in sys.modules})

import bot.__main__
bot.__main__.command_line()
say()
import bot.app
from bot import commands, jobs
commands.commands(), commands.actions(), commands.forms(), jobs.jobs()
say()
"""


def test_the_command_line_and_what_acknowledges_load_nothing_that_draws_or_shapes() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)  # noqa: S603
    command_line, acknowledging = (set(line.split()) for line in ran.stdout.splitlines())
    assert not command_line & (DRAWING | OTHERS | PROGRAM)
    assert not acknowledging & (DRAWING | OTHERS)
