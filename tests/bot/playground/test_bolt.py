"""A real Bolt app lives in the small Slack, over Socket Mode and over signed HTTP alike."""

from collections.abc import Callable

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.playground.person import FailedError, shown
from bot.playground.server import Playground


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


BUTTON = {"type": "button", "action_id": "more", "text": plain("More"), "value": "7"}
MENU = {
    "type": "static_select",
    "action_id": "grain",
    "placeholder": plain("Grain"),
    "options": [{"text": plain("Week"), "value": "week"}, {"text": plain("Month"), "value": "month"}],
}
ROW = {"type": "actions", "block_id": "row", "elements": [BUTTON, MENU]}
FORM = {
    "type": "modal",
    "callback_id": "target",
    "title": plain("Target"),
    "submit": plain("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "goal",
            "label": plain("Goal"),
            "element": {"type": "plain_text_input", "action_id": "value"},
        },
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Who"),
            "optional": True,
            "element": {"type": "external_select", "action_id": "person", "min_query_length": 1},
        },
    ],
}


def the_app(app: AsyncApp) -> None:
    """The ten-line app: a command, a button, a menu, a modal with errors, a Home tab, a mention."""

    @app.command("/kpi")
    async def kpi(ack, respond, command, client):
        await ack()
        if command["text"] == "form":
            await client.views_open(trigger_id=command["trigger_id"], view=FORM)
        else:
            await respond(text=f"asked: {command['text']}", blocks=[ROW])

    @app.action("more")
    async def more(ack, respond, action, body):
        await ack()
        await respond(text=f"pressed {action['value']} {body['container']['is_ephemeral']}", replace_original=True)

    @app.action("grain")
    async def grain(ack, respond, action, body):
        await ack()
        kept = body["state"]["values"]["row"]["grain"]["selected_option"]["value"]
        await respond(text=f"by {action['selected_option']['value']} {kept}", replace_original=False)

    @app.options("person")
    async def people(ack, payload):
        await ack(options=[{"text": plain(payload["value"] + " Martin"), "value": "42"}])

    @app.view("target")
    async def save(ack, view, client, body):
        values = view["state"]["values"]
        if values["goal"]["value"]["value"] == "abc":
            await ack(response_action="errors", errors={"goal": "Not a number"})
            return
        await ack()
        chosen = values["who"]["person"]["selected_option"]
        await client.chat_postMessage(
            channel=body["user"]["id"], text=f"saved {chosen['text']['text'] if chosen else 'nobody'}"
        )

    @app.event("app_home_opened")
    async def home(event, client):
        view = {"type": "home", "blocks": [{"type": "section", "text": plain("Welcome")}]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.event("app_mention")
    async def mention(event, say):
        await say(text=f"heard {event['text']}", thread_ts=event["ts"])


def test_a_command_is_acked_and_answered_privately(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna, ben = playground.as_user("anna"), playground.as_user("ben")
        assert anna.command("/kpi win rate @ben in #sales & <more>", channel="sales") < 3000
        answer = anna.wait_for("sales")
        sales = playground.world.find_channel("sales")
        assert answer["text"] == f"asked: win rate <@{ben.id}|ben> in <#{sales.id}|sales> &amp; &lt;more&gt;"
        assert answer["ephemeral"]
        assert ben.messages("sales") == []


def test_a_button_replaces_the_private_message_in_place(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna = playground.as_user("anna")
        anna.command("/kpi win rate", channel="sales")
        answer = anna.wait_for("sales")
        anna.click(answer, "more")
        after = anna.wait_for("sales", lambda message: "pressed" in message["text"])
        assert after["text"] == "pressed 7 True"
        assert after["ts"] == answer["ts"]
        assert playground.world.find_message(after["channel"], after["ts"]).history[0].text == "asked: win rate"


def test_a_menu_sends_the_whole_option_and_keeps_the_choice(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna = playground.as_user("anna")
        anna.command("/kpi x")
        anna.choose(anna.wait_for(), "grain", "month")
        assert anna.wait_for(predicate=lambda message: "by" in message["text"])["text"] == "by month month"


def test_a_modal_shows_errors_then_goes_through(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna = playground.as_user("anna")
        anna.command("/kpi form", channel="sales")
        form = anna.wait_for_view()
        assert anna.submit(form) == {"goal": "Please complete this required field."}
        assert anna.submit(form, {"goal": "abc"}) == {"goal": "Not a number"}
        assert anna.view()["errors"] == {"goal": "Not a number"}
        option = anna.suggest(form, "person", "Zoé")[0]
        assert option["text"]["text"] == "Zoé Martin"
        assert anna.submit(form, {"goal": "30", "person": option}) == {}
        assert anna.view() is None
        assert anna.wait_for()["text"] == "saved Zoé Martin"


def test_an_answer_to_a_modal_may_push_update_and_clear(playground: Playground, with_app: Callable) -> None:
    step = {**FORM, "blocks": FORM["blocks"][:1]}

    def register(app):
        @app.command("/kpi")
        async def kpi(ack, command, client):
            await ack()
            await client.views_open(trigger_id=command["trigger_id"], view=step)

        @app.view("target")
        async def save(ack, view):
            action = view["state"]["values"]["goal"]["value"]["value"]
            if action == "clear":
                await ack(response_action="clear")
            else:
                await ack(response_action=action, view={**step, "title": plain(action)})

    with with_app(register):
        anna = playground.as_user("anna")
        anna.command("/kpi form")
        first = anna.wait_for_view()
        assert anna.submit(first, {"goal": "update"}) == {}
        assert (anna.view()["id"], anna.view()["title"]["text"]) == (first["id"], "update")
        assert anna.view()["hash"] != first["hash"]
        anna.submit(first, {"goal": "push"})
        second = anna.view()
        assert (second["previous_view_id"], second["root_view_id"]) == (first["id"], first["id"])
        anna.close(second)
        assert anna.view()["id"] == first["id"]
        anna.submit(first, {"goal": "push"})
        anna.submit(anna.view(), {"goal": "clear"})
        assert anna.view() is None


def test_the_app_hears_the_echo_of_its_own_metadata(playground: Playground, with_app: Callable) -> None:
    world = playground.world
    world.subscriptions, world.metadata_subscriptions = {"message_metadata_posted"}, {"kpi_letter"}

    def register(app):
        @app.command("/kpi")
        async def kpi(ack, command, client):
            await ack()
            for kind in ("other", "kpi_letter"):
                metadata = {"event_type": kind, "event_payload": {"id": kind}}
                await client.chat_postMessage(channel=command["channel_id"], text=kind, metadata=metadata)

    with with_app(register):
        playground.as_user("anna").command("/kpi post", channel="sales")
        heard = world.wait_until(lambda: [sent for sent in world.deliveries if sent.kind == "events_api"])
    posted = world.messages[world.find_channel("sales").id][-1]
    event = heard[0].payload["event"]
    assert (event["message_ts"], event["metadata"]["event_payload"]) == (posted.ts, {"id": "kpi_letter"})


def test_the_home_tab_is_published_when_opened(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna = playground.as_user("anna")
        assert anna.home() is None
        anna.open_home()
        assert "Welcome" in shown(anna.wait_for_home())


def test_a_mention_is_answered_in_its_thread(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        anna, bot = playground.as_user("anna"), playground.world.bot_user
        ts = anna.say("@vigie hello", channel="sales")
        reply = anna.wait_for("sales", lambda message: "heard" in message["text"], thread_ts=ts)
        assert reply["text"] == f"heard <@{bot}> hello"
        assert anna.messages("sales")[-1]["reply_count"] == 1


def test_without_an_app_a_command_says_so(playground: Playground) -> None:
    with pytest.raises(FailedError, match="no_app"):
        playground.as_user("anna").command("/kpi help")


def test_a_command_that_nobody_declared_is_unknown(playground: Playground, with_app: Callable) -> None:
    playground.world.commands = [{"command": "/kpi"}]
    with with_app(the_app), pytest.raises(FailedError, match="unknown_command"):
        playground.as_user("anna").command("/weather")


def test_an_app_that_does_not_ack_times_out(playground: Playground, with_app: Callable) -> None:
    def register(app):
        @app.command("/kpi")
        async def silent(command):
            return

    playground.line.ack_seconds = 0.2
    with with_app(register), pytest.raises(FailedError, match=r"operation_timeout|dispatch_failed"):
        playground.as_user("anna").command("/kpi help")


def test_words_in_the_ack_are_a_private_message(playground: Playground, with_app: Callable) -> None:
    def register(app):
        @app.command("/kpi")
        async def quick(ack):
            await ack("right away")

    with with_app(register):
        anna, ben = playground.as_user("anna"), playground.as_user("ben")
        anna.command("/kpi help", channel="sales")
        assert anna.messages("sales")[-1]["text"] == "right away"
        assert ben.messages("sales") == []


def test_an_event_that_is_not_acked_comes_again(playground: Playground, with_app: Callable) -> None:
    seen = []

    def register(app):
        @app.middleware
        async def note(request, next):  # noqa: A002 - Bolt's own name
            if request.body.get("type") == "event_callback":
                seen.append(request.body["event_id"])
                if len(seen) < 3:
                    raise RuntimeError("not now")
            await next()

        @app.event("app_mention")
        async def mention(event):
            return

        @app.event("message")
        async def message(event):
            return

    playground.line.retry_seconds = (0.0, 0.01, 0.02)
    playground.line.ack_seconds = 0.3
    playground.world.subscriptions = {"app_mention"}
    with with_app(register):
        playground.as_user("anna").say("@vigie hello", channel="sales")
        playground.world.wait_until(
            lambda: [delivery for delivery in playground.world.deliveries if delivery.outcome == "ok"]
        )
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert [delivery.attempt for delivery in playground.world.deliveries] == [0, 1, 2]


@pytest.mark.parametrize("with_app", ["http"], indirect=True)
def test_a_new_request_address_is_verified(playground: Playground, with_app: Callable) -> None:
    with with_app(the_app):
        assert playground.verify_url()
        playground.world.signing_secret = "another"
        assert not playground.verify_url()
