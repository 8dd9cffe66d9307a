"""The Web API answers as Slack's does: tokens, arguments, scopes, cursors, errors."""

import json

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.playground.server import Playground
from bot.playground.world import World


def error_of(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return caught.value.response["error"]


def channel(world: World, name: str = "sales") -> str:
    return world.find_channel(name).id


def test_the_token_is_asked_for_and_looked_at(playground: Playground) -> None:
    def error(token: str | None) -> str:
        return error_of(lambda: WebClient(token, base_url=playground.api_url).auth_test())

    assert error(None) == "not_authed"
    assert error("xoxb-of-somebody-else") == "invalid_auth"
    assert error(playground.app_token) == "not_allowed_token_type"
    playground.world.revoked = True
    assert error(playground.bot_token) == "account_inactive"


def test_auth_test_says_who_and_with_which_scopes(client: WebClient, world: World) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (world.team_id, world.bot_user, world.bot_id)
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_a_missing_scope_is_named(client: WebClient, world: World) -> None:
    world.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel(world), text="hello")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"


def test_an_email_is_shown_only_with_its_scope(client: WebClient, world: World) -> None:
    anna = world.find_user("anna")
    user = client.users_info(user=anna.id, include_locale=True)["user"]
    assert (user["profile"]["email"], user["tz"], user["locale"]) == (anna.email, "Europe/Paris", "fr-FR")
    world.scopes.discard("users:read.email")
    assert "email" not in client.users_info(user=anna.id)["user"]["profile"]
    assert error_of(lambda: client.users_lookupByEmail(email=anna.email)) == "missing_scope"


def test_reads_do_not_see_a_json_body(client: WebClient, world: World) -> None:
    assert error_of(lambda: client.api_call("users.info", json={"user": world.bot_user})) == "invalid_arguments"
    assert client.api_call("users.info", params={"user": world.bot_user})["ok"]


def test_a_posted_message_is_read_back_with_its_metadata(client: WebClient, world: World) -> None:
    metadata = {"event_type": "kpi_letter", "event_payload": {"id": "42"}}
    sent = client.chat_postMessage(channel=channel(world), text="hello", metadata=metadata)
    plain = client.conversations_history(channel=channel(world))["messages"][0]
    assert (plain["ts"], plain["metadata"]) == (sent["ts"], {"event_type": "kpi_letter"})
    full = client.conversations_history(channel=channel(world), include_all_metadata=True)["messages"][0]
    assert full["metadata"] == metadata
    assert len(world.calls_of("conversations.history")) == 2
    assert world.calls[0].args["text"] == "hello"
    assert "token" not in json.dumps([call.args for call in world.calls])
    client.api_call("chat.postMessage", json={"channel": channel(world), "text": "x", "colour": "red"})
    assert [call.unknown for call in world.calls] == [(), (), (), ("colour",)]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C000000999", "text": "x"}, "channel_not_found"),
        ({"channel": "far", "text": "x"}, "not_in_channel"),
        ({"channel": "secret", "text": "x"}, "channel_not_found"),
        ({"channel": "sales"}, "no_text"),
        ({"channel": "sales", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "sales", "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": "sales", "text": "x", "blocks": "[not json"}, "invalid_blocks_format"),
        ({"channel": "sales", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": "sales", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        (
            {"channel": "sales", "text": "x", "metadata": {"event_type": "a b", "event_payload": {}}},
            "invalid_metadata_schema",
        ),
        ({"channel": "sales", "text": "x", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
def test_a_post_is_refused_as_slack_would(client: WebClient, world: World, arguments: dict, error: str) -> None:
    named = {known.name: known.id for known in world.channels.values()}
    if "channel" in arguments:
        arguments = {**arguments, "channel": named.get(arguments["channel"], arguments["channel"])}
    assert error_of(lambda: client.api_call("chat.postMessage", json=arguments)) == error
    assert all(not messages for messages in world.messages.values())


def test_blocks_without_text_are_taken_with_a_warning(client: WebClient, world: World) -> None:
    answer = client.api_call("chat.postMessage", json={"channel": channel(world), "blocks": [{"type": "divider"}]})
    assert answer["warning"] == "missing_text_in_message"
    assert answer["message"]["blocks"][0]["block_id"]


def test_an_edit_in_place_keeps_the_ts_and_the_history(client: WebClient, world: World) -> None:
    sent = client.chat_postMessage(channel=channel(world), text="below target")
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="back to normal")
    message = world.find_message(sent["channel"], sent["ts"])
    assert (message.text, [version.text for version in message.history]) == ("back to normal", ["below target"])
    assert len(client.conversations_history(channel=sent["channel"])["messages"]) == 1
    assert error_of(lambda: client.chat_update(channel=sent["channel"], ts="1.1", text="x")) == "message_not_found"
    said = playground_say(world, "anna", "sales")
    assert error_of(lambda: client.chat_update(channel=sent["channel"], ts=said, text="x")) == "cant_update_message"
    client.chat_delete(channel=sent["channel"], ts=sent["ts"])
    assert error_of(lambda: client.chat_delete(channel=sent["channel"], ts=sent["ts"])) == "message_not_found"


def playground_say(world: World, who: str, where: str) -> str:
    from bot.playground.records import Message

    message = Message(world.next_ts(), channel(world, where), "hi", [], world.find_user(who).id)
    return world.post(message).ts


def test_an_ephemeral_message_needs_its_reader_in_the_channel(client: WebClient, world: World) -> None:
    anna, guest = world.find_user("anna").id, world.find_user("guest").id
    sent = client.chat_postEphemeral(channel=channel(world), user=anna, text="only you")
    assert client.conversations_history(channel=channel(world))["messages"] == []
    late = lambda: client.chat_update(channel=channel(world), ts=sent["message_ts"], text="x")  # noqa: E731
    assert error_of(late) == "message_not_found"
    out = lambda: client.chat_postEphemeral(channel=channel(world), user=guest, text="x")  # noqa: E731
    assert error_of(out) == "user_not_in_channel"


def test_threads_are_read_by_their_parent(client: WebClient, world: World) -> None:
    first = client.chat_postMessage(channel=channel(world), text="digest")
    second = client.chat_postMessage(channel=channel(world), text="detail", thread_ts=first["ts"])
    client.chat_postMessage(channel=channel(world), text="more", thread_ts=second["ts"])
    thread = client.conversations_replies(channel=channel(world), ts=first["ts"])["messages"]
    assert [message["text"] for message in thread] == ["digest", "detail", "more"]
    assert thread[0]["reply_count"] == 2
    assert len(client.conversations_history(channel=channel(world))["messages"]) == 1


def test_cursors_walk_through_every_message_once(client: WebClient, world: World) -> None:
    sent = [client.chat_postMessage(channel=channel(world), text=str(number))["ts"] for number in range(7)]
    pages = [page["messages"] for page in client.conversations_history(channel=channel(world), limit=3)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [message["ts"] for page in pages for message in page] == sent[::-1]
    assert sent == sorted(set(sent))
    wrong = lambda: client.conversations_history(channel=channel(world), cursor="nonsense")  # noqa: E731
    assert error_of(wrong) == "invalid_cursor"
    between = client.conversations_history(channel=channel(world), oldest=sent[2], latest=sent[5])["messages"]
    assert [message["ts"] for message in between] == [sent[4], sent[3]]


def test_a_direct_message_is_opened_once(client: WebClient, world: World) -> None:
    anna = world.find_user("anna").id
    opened = client.conversations_open(users=anna)["channel"]["id"]
    assert client.chat_postMessage(channel=anna, text="hello")["channel"] == opened
    assert client.conversations_members(channel=opened)["members"] == [anna, world.bot_user]
    assert error_of(lambda: client.conversations_open(users="U999999999")) == "user_not_found"


def test_the_bot_joins_public_channels_only(client: WebClient, world: World) -> None:
    assert not client.conversations_info(channel=channel(world, "far"))["channel"]["is_member"]
    assert client.conversations_join(channel=channel(world, "far"))["channel"]["is_member"]
    assert error_of(lambda: client.conversations_join(channel=channel(world, "secret"))) == "channel_not_found"
    names = {found["name"] for found in client.conversations_list(types="public_channel,private_channel")["channels"]}
    assert names == {"sales", "far"}


def test_reactions_permalinks_and_the_rest(client: WebClient, world: World) -> None:
    sent = client.chat_postMessage(channel=channel(world), text="x")
    client.reactions_add(channel=sent["channel"], timestamp=sent["ts"], name="eyes")
    again = lambda: client.reactions_add(channel=sent["channel"], timestamp=sent["ts"], name="eyes")  # noqa: E731
    assert error_of(again) == "already_reacted"
    assert (
        sent["ts"].replace(".", "")
        in client.chat_getPermalink(channel=sent["channel"], message_ts=sent["ts"])["permalink"]
    )
    assert client.team_info()["team"]["id"] == world.team_id
    assert client.bots_info(bot=world.bot_id)["bot"]["user_id"] == world.bot_user
    assert error_of(lambda: client.api_call("chat.shout", json={})) == "unknown_method"
    assert error_of(lambda: client.api_call("blocks.validate", json={"blocks": [{"type": "x"}]})) == "invalid_blocks"


def test_only_this_machine_may_speak_to_it(playground: Playground) -> None:
    def status(**headers: str) -> int:
        return httpx.get(f"{playground.url}/playground/world", headers=headers, trust_env=False).status_code

    assert status() == 200
    assert status(host="evil.example") == 403
    assert status(origin="https://evil.example") == 403
    assert status(origin=playground.url) == 200


def test_a_manifest_narrows_what_the_app_may_do_and_hear(world: World) -> None:
    world.install(
        {
            "features": {"slash_commands": [{"command": "/kpi"}]},
            "oauth_config": {"scopes": {"bot": ["chat:write"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
        }
    )
    assert (world.scopes, world.subscriptions, world.metadata_subscriptions) == ({"chat:write"}, {"app_mention"}, set())
