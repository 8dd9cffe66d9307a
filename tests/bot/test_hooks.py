"""Webhooks: only a genuine knock is taken, as a hint, once; nothing of it is believed or logged but the id."""

import asyncio
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import Engine
from starlette.applications import Starlette

from bot.clock import FixedClock
from bot.conversation import Context
from bot.gate import LARGEST_BODY
from bot.hooks import Hooks
from bot.settings import Settings, read_settings
from bot.slack import Slack
from storage import schema, sources
from storage.database import reading, writing
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW
from tests.bot.toycrm import KEY, ToyCrm, connect, declare

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what ends before the database is written."""

PUBLIC = "https://bot.example.test/vigie"


class Door:
    """The routes of webhooks, as a proxy hands their calls on: under another host than the public one."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.hooks = Hooks(context, SINGLE)
        self._transport = ASGITransport(Starlette(routes=self.hooks.routes))

    def knock(self, *events: tuple[str, str], path: str = "/hooks/toy", url: str | None = None) -> Response:
        body = json.dumps([{"event": event, "id": ext_id, "name": "canary"} for event, ext_id in events]).encode()
        return self.send(body, path, {"X-Toy": f"hush {url or PUBLIC + path}"})

    def send(self, body: bytes, path: str = "/hooks/toy", headers: dict[str, str] | None = None) -> Response:
        genuine = {"X-Toy": f"hush {PUBLIC}{path}"}
        return self.call("POST", path, body, genuine if headers is None else headers)

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Response:
        async def calling() -> Response:
            async with AsyncClient(transport=self._transport, base_url="http://10.0.0.7:3000") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(calling())

    def waiting(self) -> list[tuple[str, str]]:
        table = schema.hint
        with reading(self.context.engine) as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.event_id)).all()
        assert all((row.workspace_id, row.source, row.settled_at) == (SINGLE, "toy", None) for row in rows)
        return [(row.event_id, row.ext_id) for row in rows]


def settings(**values: str) -> Settings:
    return read_settings(None, **{"keys": KEY, "public_url": PUBLIC, "slack_bot_token": "xoxb-none", **values})


@pytest.fixture
def context(database: Engine) -> Iterator[Context]:
    ensure_workspace(database, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    slack = Slack("xoxb-none", "http://127.0.0.1:9/api/")
    yield Context(database, FixedClock(NOW), slack, settings())
    slack.close()


@pytest.fixture
def door(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    declare(monkeypatch, toy=ToyCrm(), deaf=ToyCrm())
    connect(context)
    found = Door(context)
    yield found
    found.hooks.close()


def test_a_genuine_knock_is_stored_before_it_is_answered(door: Door) -> None:
    answer = door.knock(("e1", "d1"), ("e2", "d2"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert door.waiting() == [("e1", "d1"), ("e2", "d2")]


def test_the_same_event_delivered_twice_is_one_hint(door: Door) -> None:
    for events in ((("e1", "d1"),), (("e1", "d1"), ("e2", "d1"), ("e2", "d1"))):
        assert door.knock(*events).status_code == 200
    assert door.waiting() == [("e1", "d1"), ("e2", "d1")]


def test_the_signature_covers_the_public_address_with_the_rest_and_the_query(door: Door) -> None:
    path = "/hooks/toy/very%2Fsecret/part?a=1&b=%C3%A9"
    assert door.knock(("e1", "d1"), path=path).status_code == 200
    assert door.knock(("e2", "d2"), path=path, url=f"http://10.0.0.7:3000{path}").status_code == 401
    assert door.waiting() == [("e1", "d1")]


@one_database
@pytest.mark.parametrize("headers", [{}, {"X-Toy": "guess"}, {"X-Toy": f"other {PUBLIC}/hooks/toy"}])
def test_what_is_not_genuine_is_401_with_one_line_and_nothing_of_its_body(
    door: Door, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = door.send(b'[{"event": "canary", "id": "canary"}]', headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert door.waiting() == []
    assert [record.getMessage() for record in caplog.records if record.name == "bot.hooks"] == [
        "hook_refused source=toy reason=wrong signature"
    ]
    assert "canary" not in caplog.text


@one_database
@pytest.mark.parametrize("body", [b"", b"not json canary", b"\xff\xfe"])
def test_what_is_genuine_but_unreadable_is_400(door: Door, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert door.send(body).status_code == 400
    assert "canary" not in caplog.text


@one_database
@pytest.mark.parametrize("name", ["nobody", "hubspot", "deaf", "%00", "..%2f..%2fetc", "x" * 2000])
def test_an_unknown_source_and_one_without_webhooks_are_404(door: Door, name: str) -> None:
    if name == "deaf":
        connect(door.context, "deaf")
    assert door.knock(("e1", "d1"), path=f"/hooks/{name}").status_code == 404


def test_a_stopped_source_is_404_and_a_refused_one_still_listens(door: Door) -> None:
    with writing(door.context.engine) as connection:
        source = sources.read(connection, SINGLE, "toy")
        assert source is not None
        sources.refuse(connection, source, NOW)
    assert door.knock(("e1", "d1")).status_code == 200
    with writing(door.context.engine) as connection:
        sources.stop(connection, SINGLE, "toy", NOW)
    assert door.knock(("e2", "d2")).status_code == 404
    assert door.waiting() == [("e1", "d1")]


@one_database
def test_a_body_over_a_mebibyte_is_not_read(door: Door) -> None:
    assert door.send(b"x" * (LARGEST_BODY + 1)).status_code == 413


def test_where_the_secret_cannot_be_opened_the_crm_is_asked_to_come_again(door: Door) -> None:
    context = door.context
    blind = Door(Context(context.engine, context.clock, context.slack, settings(keys=Fernet.generate_key().decode())))
    assert blind.knock(("e1", "d1")).status_code == 503
    blind.hooks.close()
    assert door.waiting() == []


def test_without_a_public_address_the_one_that_was_called_counts(door: Door) -> None:
    context = door.context
    plain = Door(Context(context.engine, context.clock, context.slack, read_settings(None, keys=KEY)))
    assert plain.knock(("e1", "d1"), url="http://10.0.0.7:3000/hooks/toy").status_code == 200
    plain.hooks.close()


@one_database
def test_only_post_is_heard(door: Door) -> None:
    assert door.call("GET", "/hooks/toy").status_code == 405
