"""Networks and bad days on demand: what was done and what the caller learns of it."""

import urllib.error
import urllib.request

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.playground.records import Trigger
from bot.playground.server import Playground
from bot.playground.world import World


def texts(world: World) -> list[str]:
    return [message.text for messages in world.messages.values() for message in messages]


def post(client: WebClient, world: World):
    return client.chat_postMessage(channel=world.find_channel("sales").id, text="digest")


def test_a_lost_reply_leaves_the_message_posted(client: WebClient, world: World) -> None:
    world.faults.add("chat.postMessage", "lost_reply")
    with pytest.raises(ConnectionError):
        post(client, world)
    assert texts(world) == ["digest"]
    assert world.calls[0].fault == "lost_reply"
    assert post(client, world)["ok"]


def test_the_default_client_posts_twice_when_a_reply_is_lost(playground: Playground, world: World) -> None:
    world.faults.add("chat.postMessage", "lost_reply")
    assert post(WebClient(playground.bot_token, base_url=playground.api_url), world)["ok"]
    assert texts(world) == ["digest", "digest"]


def test_a_lost_request_posts_nothing(client: WebClient, world: World) -> None:
    world.faults.add("chat.postMessage", "lost_request")
    with pytest.raises(ConnectionError):
        post(client, world)
    assert texts(world) == []
    assert world.calls[0].answer is None


def test_a_rate_limit_says_when_to_come_back(client: WebClient, world: World) -> None:
    world.faults.add("chat.postMessage", "rate_limited", times=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            post(client, world)
        assert (caught.value.response.status_code, caught.value.response.headers["retry-after"]) == (429, "7")
    assert post(client, world)["ok"]


@pytest.mark.parametrize(("fault", "posted"), [("server_error", []), ("server_error_after", ["digest"])])
def test_a_server_error_may_come_before_or_after(client: WebClient, world: World, fault: str, posted: list) -> None:
    world.faults.add("*", fault)
    with pytest.raises(SlackApiError) as caught:
        post(client, world)
    assert caught.value.response.status_code == 500
    assert texts(world) == posted


def test_faults_are_planned_over_http_and_cleared(playground: Playground, client: WebClient, world: World) -> None:
    import httpx

    with httpx.Client(base_url=playground.url, trust_env=False) as page:
        plan = {"method": "chat.postMessage", "fault": "error", "error": "fatal_error", "times": 2}
        assert page.post("/playground/faults", json=plan).json() == {"ok": True}
        with pytest.raises(SlackApiError, match="fatal_error"):
            post(client, world)
        assert page.delete("/playground/faults").json() == {"ok": True}
        assert post(client, world)["ok"]
        assert not page.post("/playground/faults", json={"method": "x", "fault": "magic"}).json()["ok"]


def response_url(playground: Playground, world: World) -> str:
    sales, anna = world.find_channel("sales").id, world.find_user("anna").id
    return world.new_response_url(f"{playground.url}/hooks", anna, sales, "commands")


def test_a_response_url_takes_five_posts_private_by_default(playground: Playground, world: World) -> None:
    hook = WebhookClient(response_url(playground, world), retry_handlers=[])
    for number in range(4):
        assert hook.send(text=str(number)).status_code == 200
    assert hook.send(text="for all", response_type="in_channel").status_code == 200
    assert hook.send(text="one too many").status_code == 404
    messages = world.messages[world.find_channel("sales").id]
    assert [message.only_for is None for message in messages] == [False] * 4 + [True]


def test_a_response_url_ends_after_thirty_minutes(playground: Playground, world: World) -> None:
    hook = WebhookClient(response_url(playground, world), retry_handlers=[])
    now = world.clock()
    world.clock = lambda: now + 1801
    answer = hook.send(text="late")
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


def test_a_commands_response_url_has_no_original_to_replace(playground: Playground, world: World) -> None:
    hook = WebhookClient(response_url(playground, world), retry_handlers=[])
    hook.send(text="thinking")
    hook.send(text="done", replace_original=True)
    assert texts(world) == ["thinking", "done"]


def test_an_uploaded_picture_is_shown_once_it_is_processed(
    client: WebClient, world: World, playground: Playground
) -> None:
    file = client.files_upload_v2(content=b"picture", filename="chart.png", title="Chart", alt_txt="up")["files"][0]
    blocks = [{"type": "image", "slack_file": {"id": file["id"]}, "alt_text": "up"}]
    world.faults.add("files.processing", "unprocessed")
    sales = world.find_channel("sales").id
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=sales, text="digest", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    assert "invalid slack file" in caught.value.response["response_metadata"]["messages"][0]
    client.chat_postMessage(channel=sales, text="digest", blocks=blocks)
    address = playground.as_user("anna").messages("sales")[0]["blocks"][0]["image_url"]
    with urllib.request.urlopen(playground.url + address) as answer:  # noqa: S310
        assert (answer.read(), answer.headers["content-type"]) == (b"picture", "image/png")


def test_a_picture_of_another_length_than_announced_is_refused(client: WebClient) -> None:
    asked = client.files_getUploadURLExternal(filename="chart.png", length=100)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked["upload_url"], b"short")  # noqa: S310
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])


FORM = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [{"type": "divider"}]}


def test_a_trigger_opens_one_view_within_three_seconds(client: WebClient, world: World) -> None:
    anna = world.find_user("anna").id

    def error(trigger: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            client.views_open(trigger_id=trigger, view=FORM)
        return caught.value.response["error"]

    first, late = world.new_trigger(anna), world.new_trigger(anna)
    assert client.views_open(trigger_id=first, view=FORM)["view"]["hash"]
    assert error(first) == "exchanged_trigger_id"
    assert error("made.up") == "invalid_trigger_id"
    expires = world.triggers[late].expires
    world.clock = lambda: expires + 0.001
    assert error(late) == "expired_trigger_id"
    assert isinstance(world.triggers[first], Trigger)


def test_views_stack_three_deep_and_guard_their_hash(client: WebClient, world: World) -> None:
    anna = world.find_user("anna").id
    view = client.views_open(trigger_id=world.new_trigger(anna), view=FORM)["view"]
    for _ in range(2):
        client.views_push(trigger_id=world.new_trigger(anna, view["id"]), view=FORM)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        client.views_push(trigger_id=world.new_trigger(anna, view["id"]), view=FORM)
    client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
