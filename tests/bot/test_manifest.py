"""The Slack app as described in manifest.yml: valid, and asking for exactly the scopes that the code uses."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot import hearing
from bot.cli.findings import SCOPES
from bot.jobs.posting import EVENT_TYPE

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "slack"
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
METHODS: dict[str, list[str]] = json.loads((DATA / "scopes.json").read_text())["methods"]
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message_metadata_posted": "metadata.message:read",
    "user_change": "users:read",
}
"""What the subscribed events need; app_home_opened needs none."""
OTHERS = {"commands": "the slash command", "users:read.email": "the e-mail in users.info"}


def scopes() -> set[str]:
    return set(MANIFEST["oauth_config"]["scopes"]["bot"])


def called() -> set[str]:
    """Every Web API method named in the product's code."""
    sources = [path for path in (ROOT / "bot").rglob("*.py") if "playground" not in path.parts]
    text = "\n".join(path.read_text() for path in sources)
    named = {method for method in METHODS if f'"{method}"' in text}
    return named | (
        {"files.getUploadURLExternal", "files.completeUploadExternal"} if "files_upload_v2" in text else set()
    )


def test_the_manifest_is_valid_by_slacks_own_schema() -> None:
    schema = json.loads((DATA / "manifest.schema.2.0.0.json").read_text())
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(MANIFEST))
    assert errors == []
    assert 174 <= len(MANIFEST["display_information"]["long_description"]) <= 4000


def test_every_method_called_is_in_the_table_of_scopes() -> None:
    sources = [path for path in (ROOT / "bot").rglob("*.py") if "playground" not in path.parts]
    text = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r'(?:call|ask)\(\s*"([a-zA-Z]+\.[a-zA-Z.]+)"', text))
    assert named
    assert named <= set(METHODS)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_in_the_table_is_called_and_allowed(method: str) -> None:
    assert method in called()
    needed = METHODS[method]
    assert not needed or scopes() & set(needed)


@pytest.mark.parametrize("scope", sorted(scopes()))
def test_every_scope_is_used(scope: str) -> None:
    by_method = {each for method in called() for each in METHODS[method]}
    assert scope in by_method or scope in EVENT_SCOPES.values() or scope in OTHERS


def test_every_event_has_its_scope_and_its_listener() -> None:
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert {EVENT_SCOPES[event] for event in events if event in EVENT_SCOPES} <= scopes()
    heard = Path(hearing.__file__).read_text()
    assert all(f'"{event.split(".")[0]}"' in heard for event in events)


def test_the_echo_of_vigies_own_letters_is_subscribed_to() -> None:
    settings = MANIFEST["settings"]["event_subscriptions"]
    assert "message_metadata_posted" in settings["bot_events"]
    # The app's own id is not known before it is made; who posted is looked at when it is heard.
    assert settings["metadata_subscriptions"] == [{"app_id": "*", "event_type": EVENT_TYPE}]


def test_the_command_is_the_one_that_is_heard() -> None:
    commands = MANIFEST["features"]["slash_commands"]
    assert [command["command"] for command in commands] == [hearing.COMMAND]
    assert commands[0]["should_escape"] is True


def test_check_asks_for_the_manifests_scopes() -> None:
    assert set(SCOPES) == scopes()
