"""The one caller of Slack, over the playground: nothing repeated, every outcome one of four."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from bot.outcome import Later, Outcome, Refused, Sent, Unclear
from bot.playground.server import Playground
from bot.playground.world import World
from bot.slack import Slack, SlackError

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6300010000050001"
    "0d0a2db40000000049454e44ae426082"
)


@pytest.fixture
def playground() -> Iterator[Playground]:
    world = World()
    anna = world.add_user("anna", "Anna Lyse", "anna@example.com", locale="fr-FR")
    world.add_user("gus", "Gus Guest", "gus@example.com", role="guest")
    world.add_channel("sales", [anna])
    world.add_channel("quiet", [anna], bot=False)
    with Playground(world) as running:
        yield running


@pytest.fixture
def slack(playground: Playground) -> Iterator[Slack]:
    slack = Slack(playground.bot_token, playground.api_url, deadline=5)
    yield slack
    slack.close()


def posted(playground: Playground, channel: str = "sales") -> list[str]:
    return [message.text for message in playground.world.messages.get(playground.world.find_channel(channel).id, [])]


def test_the_client_has_no_hidden_retry(slack: Slack) -> None:
    assert slack.client.retry_handlers == []


def test_a_message_is_posted_with_its_metadata_and_receipt(playground: Playground, slack: Slack) -> None:
    channel = playground.world.find_channel("sales").id
    outcome = slack.post(channel, "Hello", metadata={"event_type": "vigie_letter", "event_payload": {"id": "1"}})
    assert isinstance(outcome, Sent)
    assert outcome.ts
    assert posted(playground) == ["Hello"]
    assert isinstance(slack.update(channel, outcome.ts, "Hello again"), Sent)
    assert posted(playground) == ["Hello again"]


def test_a_lost_reply_is_unclear_and_the_message_is_not_posted_twice(playground: Playground, slack: Slack) -> None:
    playground.world.faults.add("chat.postMessage", "lost_reply", 1)
    outcome = slack.post(playground.world.find_channel("sales").id, "Once")
    assert isinstance(outcome, Unclear)
    assert posted(playground) == ["Once"]


def test_a_server_error_is_unclear(playground: Playground, slack: Slack) -> None:
    playground.world.faults.add("chat.postMessage", "server_error", 1)
    assert isinstance(slack.post(playground.world.find_channel("sales").id, "x"), Unclear)


def test_a_rate_limit_says_how_long_to_wait_and_is_not_waited_for(playground: Playground, slack: Slack) -> None:
    playground.world.faults.add("chat.postMessage", "rate_limited", 1, retry_after=7)
    assert slack.post(playground.world.find_channel("sales").id, "x") == Later(7.0, "rate_limited")
    assert posted(playground) == []


def test_a_refusal_keeps_slacks_own_word(playground: Playground, slack: Slack) -> None:
    assert slack.post("C404404404", "x") == Refused("channel_not_found")
    assert slack.post(playground.world.find_channel("quiet").id, "x") == Refused("not_in_channel")
    bad = slack.post(playground.world.find_channel("sales").id, "x", [{"type": "divider"}] * 51)
    assert bad == Refused("invalid_blocks")


def test_an_unreachable_slack_has_received_nothing() -> None:
    slack = Slack("xoxb-1", "http://127.0.0.1:9/api/")
    assert isinstance(slack.post("C1", "x"), Later)
    slack.close()


def test_a_picture_is_uploaded_into_no_channel(playground: Playground, slack: Slack) -> None:
    outcome = slack.upload(PNG, "chart.png", title="Win rate", alt_text="Win rate: 40 %")
    assert isinstance(outcome, Sent)
    file = playground.world.files[outcome.data["file_id"]]
    assert file.content == PNG
    assert posted(playground) == []


def test_a_failed_upload_is_not_sent(playground: Playground, slack: Slack) -> None:
    playground.world.faults.add("upload", "server_error", 1)
    assert not isinstance(slack.upload(PNG, "chart.png", title="t", alt_text="a"), Sent)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands/1/2/3",
        "https://hooks.slack.com.evil.example/commands/1",
        "https://evil.example/commands/1",
        "https://hooks.slack.com@evil.example/",
        "http://127.0.0.1:1/hooks/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_foreign_response_url_is_never_called(slack: Slack, url: str) -> None:
    assert slack.respond(url, "secret figures") == Refused("foreign_response_url")


def test_a_person_is_read_once_with_their_language(playground: Playground, slack: Slack) -> None:
    anna = playground.world.find_user("anna").id
    assert slack.user(anna).email == "anna@example.com"
    assert slack.user(anna).locale == "fr-FR"
    assert slack.user(anna).member
    assert len([call for call in playground.world.calls if call.method == "users.info"]) == 1


def test_guests_and_bots_are_no_members(playground: Playground, slack: Slack) -> None:
    assert not slack.user(playground.world.find_user("gus").id).member
    assert not slack.user(playground.world.bot_user).member


def test_an_unknown_person_is_an_error_with_slacks_word(slack: Slack) -> None:
    with pytest.raises(SlackError) as told:
        slack.user("U404404404")
    assert told.value.code == "user_not_found"


def test_a_channel_says_how_many_will_read_it_and_whether_the_bot_is_there(
    playground: Playground, slack: Slack
) -> None:
    sales = slack.channel(playground.world.find_channel("sales").id)
    assert (sales.name, sales.joined, sales.shared, sales.members) == ("sales", True, False, 1)
    assert not slack.channel(playground.world.find_channel("quiet").id).joined
    assert len(slack.members(sales.id)) == 2


def test_the_same_picture_is_uploaded_once_even_by_several_at_a_time_and_again_after_a_failure(
    playground: Playground, slack: Slack
) -> None:
    playground.world.faults.add("files.getUploadURLExternal", "error", error="internal_error")

    def upload(title: str) -> Outcome:
        return slack.upload(PNG, "vigie.png", title=title, alt_text="A line")

    assert not isinstance(upload("one"), Sent)
    with ThreadPoolExecutor(4) as threads:
        uploaded = list(threads.map(upload, ["one"] * 4))
    assert len({each.data["file_id"] for each in uploaded if isinstance(each, Sent)}) == 1
    assert len(playground.world.files) == 1
    assert isinstance(upload("two"), Sent)
    assert len(playground.world.files) == 2


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
def test_a_rate_limit_at_any_step_of_an_upload_is_one(playground: Playground, slack: Slack, step: str) -> None:
    playground.world.faults.add(step, "rate_limited", 1, retry_after=5)
    assert slack.upload(PNG, "chart.png", title="t", alt_text="a") == Later(5.0, "rate_limited")


def test_a_call_that_never_got_its_turn_has_not_left(playground: Playground) -> None:
    slack = Slack(playground.bot_token, playground.api_url, deadline=0.2)
    free = Event()
    for _ in range(24):
        slack._calls.submit(free.wait, 10)  # noqa: SLF001
    assert slack.post(playground.world.find_channel("sales").id, "late") == Later(5.0, "busy")
    free.set()
    slack.close()
    assert posted(playground) == []


def test_a_person_is_written_to_in_the_direct_message_with_them(playground: Playground, slack: Slack) -> None:
    anna, sales = playground.world.find_user("anna"), playground.world.find_channel("sales").id
    direct = playground.world.open_im(anna).id
    assert [slack.conversation(each) for each in (anna.id, anna.id, sales, direct)] == [direct, direct, sales, direct]
    assert len(playground.world.calls_of("conversations.open")) == 1


def test_slacks_clock_is_read_from_its_answer(slack: Slack) -> None:
    assert abs(slack.time() - datetime.now(UTC)) < timedelta(minutes=1)
