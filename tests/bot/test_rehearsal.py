"""`vigie demo`: played through where Slack grants what manifest.yml asks for and nothing else; beside another one."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from bot.demo import company, play
from bot.demo.check import rehearse
from bot.demo.market import Trade
from bot.demo.stage import Seats, seat
from bot.playground.server import Playground
from bot.playground.world import World

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text())


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """Every small Slack that the demo opens: the app is installed in it from manifest.yml."""
    opened: list[World] = []

    def seat_and_install(world: World) -> Seats:
        seats = seat(world)
        world.install(MANIFEST)
        opened.append(world)
        return seats

    monkeypatch.setattr(play, "seat", seat_and_install)
    return opened


def test_the_whole_demo_needs_no_more_than_the_manifest_asks_for(worlds: list[World], tmp_path: Path) -> None:
    said = StringIO()
    failures = rehearse(tmp_path, Console(file=said, width=200))
    assert failures == 0, said.getvalue()
    assert "Everything was seen." in said.getvalue()
    assert worlds[0].scopes == set(MANIFEST["oauth_config"]["scopes"]["bot"])
    refused = {
        (call.method, call.error) for call in worlds[0].calls if call.error in {"missing_scope", "not_in_channel"}
    }
    assert refused == set()


def test_two_demos_at_once_keep_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of their companies the people are enough.
    monkeypatch.setattr(company, "trade", lambda _: Trade())
    with play.play(tmp_path) as first, play.play(tmp_path) as second:
        urls = {str(each.vigie.context.engine.url) for each in (first, second)}
    assert len(urls) == 2
    assert len(list(tmp_path.glob("*.sqlite3"))) == 2


def demo(*options: str) -> "subprocess.CompletedProcess[str]":
    """The command as a newcomer runs it, where it cannot start."""
    command = [sys.executable, "-m", "bot", "demo", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with Playground() as slack:
        ended = demo("--port", str(slack.port), "--folder", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (2, "")
    assert f"127.0.0.1:{slack.port} cannot be used" in ended.stdout
    assert "--port 0" in ended.stdout


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = demo("--port", "0", "--folder", str(tmp_path / "file"))
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "another --folder" in " ".join(ended.stdout.split())
