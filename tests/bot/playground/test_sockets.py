"""Socket Mode and the page's live line, spoken by hand: tickets, hello, acks, refresh, at most ten connections."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bot.playground.server import Playground
from bot.playground.world import World


def address(playground: Playground) -> str:
    return WebClient(playground.app_token, base_url=playground.api_url).apps_connections_open(
        app_token=playground.app_token
    )["url"]


@pytest.fixture
def link(playground: Playground) -> Iterator[ClientConnection]:
    with connect(address(playground), proxy=None) as link:
        assert json.loads(link.recv())["type"] == "hello"
        yield link


def test_a_ticket_opens_one_connection(playground: Playground) -> None:
    url = address(playground)
    with connect(url, proxy=None) as link:
        hello = json.loads(link.recv())
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        with pytest.raises(InvalidStatus):
            connect(url, proxy=None)


def test_an_event_comes_in_an_envelope_and_again_without_an_ack(playground: Playground, link: ClientConnection) -> None:
    playground.line.ack_seconds, playground.line.retry_seconds = 0.1, (0.0,)
    playground.send_event({"type": "user_change", "user": {"id": "U1"}})
    first, second = json.loads(link.recv(5)), json.loads(link.recv(5))
    assert first["payload"]["event"]["type"] == "user_change"
    assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["envelope_id"] != second["envelope_id"]
    assert not first["accepts_response_payload"]


def test_connections_are_asked_to_refresh(playground: Playground, link: ClientConnection) -> None:
    playground.refresh_connections()
    assert json.loads(link.recv(5))["reason"] == "refresh_requested"
    with pytest.raises(ConnectionClosed):
        link.recv(5)
    assert not playground.line.connected


def test_the_eleventh_connection_is_turned_away(playground: Playground) -> None:
    with ExitStack() as stack:
        for _ in range(10):
            json.loads(stack.enter_context(connect(address(playground), proxy=None)).recv(5))
        late = stack.enter_context(connect(address(playground), proxy=None))
        assert json.loads(late.recv(5))["reason"] == "too_many_websockets"


def test_the_live_line_tells_each_person_only_what_concerns_them(playground: Playground, world: World) -> None:
    client = WebClient(playground.bot_token, base_url=playground.api_url)
    anna, ben, sales = world.find_user("anna"), world.find_user("ben"), world.find_channel("sales")
    live = playground.url.replace("http", "ws") + "/playground/live?user="
    with connect(live + anna.id, proxy=None) as hers, connect(live + ben.id, proxy=None) as his:
        world.wait_until(lambda: len(world.listeners) == 2)
        client.chat_postEphemeral(channel=sales.id, user=anna.id, text="only anna")
        sent = client.chat_postMessage(channel=sales.id, text="everybody")
        assert json.loads(hers.recv(5))["type"] == "ephemeral"
        assert json.loads(hers.recv(5)) == {"type": "message", "channel": sales.id, "ts": sent["ts"]}
        assert json.loads(his.recv(5)) == {"type": "message", "channel": sales.id, "ts": sent["ts"]}


def test_another_sites_page_cannot_listen(playground: Playground) -> None:
    with pytest.raises(InvalidStatus):
        connect(playground.url.replace("http", "ws") + "/playground/live", origin="https://evil.example", proxy=None)
