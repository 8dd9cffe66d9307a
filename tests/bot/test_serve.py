"""`vigie serve` as a process of its own: it connects, answers, and ends in good order when it is told to."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.playground.person import shown
from bot.playground.server import Playground
from bot.playground.world import World
from tests.bot.conftest import both_databases
from tests.bot.test_answers import ask

ROOT = Path(__file__).parents[2]


@pytest.fixture
def slack() -> Iterator[Playground]:
    """A playground in real time, as the process is."""
    world = World()
    ada = world.add_user("ada", "Ada Admin", "ada@example.com", locale="en-GB")
    world.add_channel("sales", [ada])
    with Playground(world) as running:
        yield running


@both_databases
@pytest.mark.parametrize("sockets", [True, False])
def test_it_answers_and_stops_when_it_is_told_to(
    slack: Playground, company_url: str, tmp_path: Path, sockets: bool
) -> None:
    port = "0" if sockets else str(_free_port())
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN" if sockets else "SLACK_SIGNING_SECRET": slack.app_token if sockets else slack.signing_secret,
        "VIGIE_SLACK_API_URL": slack.api_url,
        "VIGIE_DATABASE_URL": company_url,
        "VIGIE_ADMIN": "ada@example.com",
        "VIGIE_PORT": port,
    }
    if not sockets:
        slack.app_url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], env=environment, cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        _wait_until_up(slack, port, sockets=sockets)
        answer = ask(slack.as_user("ada"), "/kpi revenue October 2026")
        assert "€11,500.00" in shown(answer)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    said = log.read_text()
    assert process.returncode in {0, -signal.SIGTERM}, said
    assert "INFO bot.app stopped" in said
    for secret in (slack.bot_token, slack.app_token, slack.signing_secret, "ada@example.com", "11,500"):
        assert secret not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_where_it_cannot_listen_one_sentence_says_so(slack: Playground, tmp_path: Path, host: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "VIGIE_SLACK_API_URL": slack.api_url,
        "VIGIE_HOST": host,
        "VIGIE_PORT": str(slack.port),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "serve"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Vigie cannot listen on {host}:{slack.port} (")
    assert ended.stderr.count("\n") == 1
    assert not slack.world.calls


def _wait_until_up(slack: Playground, port: str, *, sockets: bool) -> None:
    if sockets:
        slack.wait_for_app(30)
        return
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
        assert client.get(f"http://127.0.0.1:{port}/healthz").json() == {"ok": True}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
