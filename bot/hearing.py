"""What Slack says, routed and acknowledged within milliseconds: one listener a kind, by pattern, no work done here.

Bolt runs with `process_before_response=True` (measured: otherwise it polls for the ack every 10 ms), so a listener
acknowledges, hands the work to the answers' threads and returns. Nothing a listener raises reaches anybody: hence no
listener does anything that can fail.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import commands
from bot.answering import outcome_of, run
from bot.conversation import Asked, Asker, Click, Context, Reply, Submitted
from bot.home import greet, publish
from bot.people import language_of
from bot.threads import Threads
from kpi.words.folding import fold

log = logging.getLogger(__name__)
Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]

COMMAND = "/kpi"
QUESTION = "ask"
"""The command that answers whatever names no other command."""
_EVENTS_REMEMBERED = 2000


def build_app(context: Context, threads: Threads, workspace_id: str) -> AsyncApp:
    """The Bolt app: knows the token's team without asking Slack at every request."""
    asked = {word: command for command in commands.commands() for word in command.words}
    ask = asked[QUESTION]
    actions, forms = commands.actions(), {form.callback_id: form for form in commands.forms()}
    identity = context.slack.identity()

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity["team_id"],
            bot_user_id=identity["user_id"],
            bot_id=identity.get("bot_id"),
            bot_token=context.settings.bot_token,
        )

    app = AsyncApp(
        name="vigie",
        authorize=authorize,
        client=AsyncWebClient(base_url=context.settings.slack_api_url, retry_handlers=[]),
        process_before_response=True,
        request_verification_enabled=False,  # bot.gate has verified what came by HTTP, and fails closed
        attaching_function_token_enabled=False,
    )
    seen: OrderedDict[str, None] = OrderedDict()

    def common(body: Body, **more: Any) -> dict[str, Any]:
        user = body.get("user_id") or body["user"]["id"]
        return {
            "workspace_id": workspace_id,
            "user_id": user,
            "trigger_id": body.get("trigger_id"),
            "response_url": body.get("response_url") or None,
            **more,
        }

    @app.command(COMMAND)
    async def on_command(ack: Ack, body: Body) -> None:
        text = as_typed(str(body.get("text") or ""))
        first, _, rest = text.partition(" ")
        named = asked.get(fold(first))
        command, words = (named, rest) if named else (ask, text)

        def work() -> None:
            asker = Asked(
                **common(body, channel_id=body["channel_id"], text=words),
                language=language_of(body["user_id"], workspace_id, context),
            )
            run(asker, lambda: command.run(asker, context), context)

        await ack() if threads.submit(work) else await ack(_BUSY)

    @app.action(re.compile(".*", re.DOTALL))
    async def on_action(ack: Ack, body: Body, action: Body) -> None:
        await ack()
        room = next((each for each in actions if each.pattern.fullmatch(action.get("action_id", ""))), None)
        if room is None:
            return

        def work() -> None:
            click = _click(body, action, common(body), language_of(body["user"]["id"], workspace_id, context))
            run(click, lambda: room.run(click, context), context)

        threads.submit(work)

    @app.view(re.compile(".*", re.DOTALL))
    async def on_submit(ack: Ack, body: Body, view: Body) -> None:
        form = forms.get(view["callback_id"])
        if form is None:
            await ack()
            return

        def work() -> Mapping[str, str] | Reply | None:
            sent = Submitted(
                **common(body),
                language=language_of(body["user"]["id"], workspace_id, context),
                callback_id=view["callback_id"],
                values=view["state"]["values"],
                private_metadata=view.get("private_metadata", ""),
            )
            errors: list[Mapping[str, str] | None] = []
            said = outcome_of(sent, lambda: errors.append(form.run(sent, context)))
            return said or (errors[0] if errors else None)

        result = await threads.awaited(work)
        if isinstance(result, Reply):
            await ack(response_action="errors", errors={_first_input(view): result.text})
        elif result:
            await ack(response_action="errors", errors=dict(result))
        else:
            await ack()

    def on_event(work: Callable[[Asker], None]) -> Callable[[Ack, Body, Body], Awaitable[None]]:
        async def listener(ack: Ack, body: Body, event: Body) -> None:
            await ack()
            user, known = event.get("user"), body.get("event_id", "")
            if known in seen or not isinstance(user, str):
                return
            if event["type"] == "message" and event.get("channel_type") != "im":
                # People talk with each other: none of Vigie's business.
                return
            seen[known] = None
            if len(seen) > _EVENTS_REMEMBERED:
                seen.popitem(last=False)

            def later() -> None:
                asker = Asker(
                    workspace_id=workspace_id,
                    user_id=user,
                    channel_id=event.get("channel", "") if event["type"] != "app_home_opened" else "",
                    language=language_of(user, workspace_id, context),
                )
                work(asker)

            threads.submit(later)

        return listener

    def say_hello(asker: Asker) -> None:
        run(asker, lambda: greet(asker, context), context)

    app.event("app_mention")(on_event(say_hello))
    app.event({"type": "message", "subtype": None})(on_event(say_hello))
    app.event("app_home_opened")(on_event(lambda asker: publish(asker, context)))

    @app.event("user_change")
    async def on_user_change(ack: Ack, event: Body) -> None:
        await ack()
        context.slack.forget_user(event["user"]["id"])

    return app


_BUSY = "Vigie is busy: please ask again in a moment. / Vigie est occupée : redemandez dans un instant."


_LINK = re.compile(r"<(?:mailto:|https?://)([^|>]*)(?:\|([^>]*))?>")


def as_typed(text: str) -> str:
    """A command's words as the person typed them: Slack escapes & < > and wraps addresses; people and channels stay
    `<@U…>` and `<#C…>`."""
    text = _LINK.sub(lambda link: link.group(2) or link.group(1), text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.split())


def _click(body: Body, action: Body, shared: dict[str, Any], language: Any) -> Click:
    container = body.get("container") or {}
    view = body.get("view") or {}
    state = view.get("state") or body.get("state") or {}
    return Click(
        **shared,
        language=language,
        channel_id=(body.get("channel") or {}).get("id", ""),
        action_id=action["action_id"],
        value=_value(action),
        message_ts=container.get("message_ts"),
        ephemeral=bool(container.get("is_ephemeral")),
        values=state.get("values") or {},
        view_id=view.get("id"),
        view_hash=view.get("hash"),
        private_metadata=view.get("private_metadata", ""),
    )


def _value(action: Body) -> str:
    """What was chosen, whatever the kind of element."""
    option = action.get("selected_option")
    if isinstance(option, Mapping):
        return str(option.get("value", ""))
    for key in (
        "value",
        "selected_channel",
        "selected_conversation",
        "selected_user",
        "selected_date",
        "selected_time",
    ):
        if action.get(key):
            return str(action[key])
    return ""


def _first_input(view: Body) -> str:
    return next((block["block_id"] for block in view["blocks"] if block["type"] == "input"), "")
