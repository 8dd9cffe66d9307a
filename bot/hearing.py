"""What Slack says, routed and acknowledged within milliseconds: one listener a kind, by pattern, no work done here.

Bolt runs with `process_before_response=True` (measured: otherwise it polls for the ack every 10 ms): a listener keeps
what was said in the inbox, acknowledges, and returns. What is not kept is not acknowledged: by HTTP it is a 503, and
Slack says an event again; over Socket Mode there is no ack. Only forms are run before theirs, which says what is wrong.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import commands
from bot.answering import outcome_of
from bot.conversation import Context, Reply, Submitted
from bot.inbox import Heard, Inbox
from bot.jobs.posting import EVENT_TYPE
from bot.people import language_of
from bot.performing import knows
from bot.threads import Threads
from bot.writer import NotKeptError

log = logging.getLogger(__name__)
Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]

COMMAND = "/kpi"
_ANY = re.compile(".*", re.DOTALL)


def build_app(context: Context, inbox: Inbox, threads: Threads, workspace_id: str) -> AsyncApp:
    """The Bolt app: knows the token's team without asking Slack at every request."""
    forms = {form.callback_id: form for form in commands.forms()}
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
        ignoring_self_events_enabled=False,  # the echoes of letters are the app's own; see on_event
        attaching_function_token_enabled=False,
    )

    async def keep(kind: str, identifier: str, body: Body, trigger_id: str | None = None) -> bool:
        return await inbox.keep(Heard(workspace_id, identifier, kind, body, trigger_id))

    @app.error
    async def on_error(error: Exception) -> BoltResponse:
        if isinstance(error, NotKeptError):
            log.error("not_kept reason=%s", error)
            return BoltResponse(status=503)
        # Signed, but not what Slack says; nothing of it is logged.
        log.error("request_unreadable reason=%s", type(error).__name__)
        return BoltResponse(status=400)

    @app.command(COMMAND)
    async def on_command(ack: Ack, body: Body) -> None:
        asked = {
            "user_id": body["user_id"],
            "channel_id": body["channel_id"],
            "response_url": body.get("response_url") or None,
            "text": as_typed(str(body.get("text") or "")),
        }
        await keep("command", body["trigger_id"], asked, body["trigger_id"])
        await ack()

    @app.action(_ANY)
    async def on_action(ack: Ack, body: Body, action: Body) -> None:
        if knows(action.get("action_id", "")):
            click = _clicked(body, action)
            where = click["message_ts"] or click["view_id"]
            identifier = f"{where}:{click['action_id']}:{action['action_ts']}:{click['user_id']}"
            await keep("click", identifier, click, body.get("trigger_id"))
        await ack()

    @app.view(_ANY)
    async def on_submit(ack: Ack, body: Body, view: Body) -> None:
        form = forms.get(view["callback_id"])
        heard = Heard(workspace_id, body["trigger_id"], "form", {})
        # A form that is played back is the row that is there already.
        if form is None or not await inbox.keep(heard):
            await ack()
            return

        def work() -> Mapping[str, str] | Reply | None:
            user_id = body["user"]["id"]
            sent = Submitted(
                workspace_id=workspace_id,
                user_id=user_id,
                trigger_id=heard.id,
                language=language_of(user_id, workspace_id, context),
                callback_id=view["callback_id"],
                values=view["state"]["values"],
                private_metadata=view.get("private_metadata", ""),
            )
            errors: list[Mapping[str, str] | None] = []
            said = outcome_of(sent, lambda: errors.append(form.run(sent, context)))
            return said or (errors[0] if errors else None)

        try:
            result = await threads.awaited(work)
        finally:
            inbox.settle(heard)
        if isinstance(result, Reply):
            await ack(response_action="errors", errors={_first_input(view): result.text})
        elif result:
            await ack(response_action="errors", errors=dict(result))
        else:
            await ack()

    @app.event(_ANY)
    async def on_event(ack: Ack, body: Body, event: Body) -> None:
        if event["type"] == "user_change":
            context.slack.forget_user(event["user"]["id"])
        elif event["type"] == "message_metadata_posted":
            echo = _echo(event, identity)
            if echo is not None:
                await keep("echo", body["event_id"], echo)
        elif _is_for_us(event, identity):
            where = event.get("channel", "") if event["type"] != "app_home_opened" else ""
            told = {"type": event["type"], "user_id": event["user"], "channel_id": where}
            await keep("event", body["event_id"], told)
        await ack()

    return app


def _is_for_us(event: Body, identity: Body) -> bool:
    """Whether somebody talks to Vigie; what people say to each other, and what bots say, is none of its business."""
    if not isinstance(event.get("user"), str) or event["user"] == identity["user_id"] or event.get("bot_id"):
        return False
    if event["type"] == "message":
        return event.get("channel_type") == "im" and not event.get("subtype")
    return event["type"] in {"app_mention", "app_home_opened"}


def _echo(event: Body, identity: Body) -> dict[str, Any] | None:
    """Which letter stands where, of a message that is Vigie's own: anybody could write metadata like ours."""
    metadata = event.get("metadata") or {}
    letter_id = (metadata.get("event_payload") or {}).get("id")
    if event.get("user_id") != identity["user_id"] or metadata.get("event_type") != EVENT_TYPE or not letter_id:
        return None
    return {"letter_id": str(letter_id), "channel_id": event["channel_id"], "ts": event["message_ts"]}


_LINK = re.compile(r"<(?:mailto:|https?://)([^|>]*)(?:\|([^>]*))?>")


def as_typed(text: str) -> str:
    """A command's words as the person typed them: Slack escapes & < > and wraps addresses; people and channels stay
    `<@U…>` and `<#C…>`."""
    text = _LINK.sub(lambda link: link.group(2) or link.group(1), text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.split())


def _clicked(body: Body, action: Body) -> dict[str, Any]:
    """Of a click, what running it takes."""
    container = body.get("container") or {}
    view = body.get("view") or {}
    state = view.get("state") or body.get("state") or {}
    return {
        "user_id": body["user"]["id"],
        "channel_id": (body.get("channel") or {}).get("id", ""),
        "response_url": body.get("response_url") or None,
        "action_id": action["action_id"],
        "value": _value(action),
        "message_ts": container.get("message_ts"),
        "ephemeral": bool(container.get("is_ephemeral")),
        "values": state.get("values") or {},
        "view_id": view.get("id"),
        "view_hash": view.get("hash"),
        "private_metadata": view.get("private_metadata", ""),
    }


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
