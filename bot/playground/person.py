"""A person in the small Slack, for tests: types, clicks, chooses, and waits for what comes.

    with Playground(world) as playground:
        anna = playground.as_user("anna")
        anna.command("/kpi win rate", channel="sales")
        answer = anna.wait_for("sales", lambda message: "40 %" in shown(message))
        anna.click(answer, "share")

Messages and views are the JSON of `/playground/messages` and `/playground/view`. What Slack's client would refuse
raises `FailedError` with Slack's own word.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from bot.playground.looks import messages_look, view_look
from bot.playground.payloads import value_of
from bot.playground.records import Channel, Json, Person
from bot.playground.web_api.views import elements_of
from bot.playground.world import World

Where = str | Channel


class FailedError(Exception):
    """What the person asked did not work: `operation_timeout`, `dispatch_failed`, `no_app`, …"""


class User:
    def __init__(self, world: World, url: str, person: Person) -> None:
        self.world = world
        self.person = person
        self.id = person.id
        self._http = httpx.Client(base_url=f"{url}/playground", trust_env=False, timeout=30)

    def leave(self) -> None:
        self._http.close()

    # Doing

    def command(self, text: str, channel: Where | None = None) -> float:
        """Type a slash command, by default in the direct message with the app. The milliseconds until the ack."""
        return float(self._post("command", channel=self._channel(channel).id, text=text)["ack_ms"])

    def say(self, text: str, channel: Where | None = None, thread_ts: str | None = None) -> str:
        """Write a message, by default to the app; `@name` mentions. Its ts."""
        return str(self._post("message", channel=self._channel(channel).id, text=text, thread_ts=thread_ts)["ts"])

    def click(self, source: Json, action_id: str) -> None:
        """Press a button of a message or a view. Raises `LookupError` where it is not there."""
        self.choose(source, action_id, None)

    def choose(self, source: Json, action_id: str, value: Any) -> None:
        """Choose in a select, overflow, date picker, … of a message or a view.

        `value` is an option's value, a list of them, or the id, date or text chosen.
        """
        block, element = find_element(source, action_id)
        self._post(
            "action", **_place(source), block_id=block["block_id"], action_id=action_id, element=element, value=value
        )

    def suggest(self, source: Json, action_id: str, value: str = "") -> list[Json]:
        """The options that the app suggests for what was typed into an external select."""
        block, _ = find_element(source, action_id)
        found = self._post("options", **_place(source), block_id=block["block_id"], action_id=action_id, value=value)
        return list(found["options"])

    def submit(self, view: Json, values: Json | None = None) -> dict[str, str]:
        """Fill in a modal and submit it. `values`: block_id or action_id -> text, option value, list, id, date.

        Returns the errors by block_id, of Slack's client or of the app; empty when it went through.
        """
        state: Json = {}
        wanted = dict(values or {})
        for block, element in elements_of(view["blocks"]):
            for name in (element["action_id"], block["block_id"]):
                if name in wanted:
                    entry = value_of(element, wanted.pop(name))
                    state.setdefault(block["block_id"], {})[element["action_id"]] = entry
                    break
        if wanted:
            raise LookupError(f"the form has no field {', '.join(sorted(wanted))}")
        return dict(self._post("view/submit", view_id=view["id"], values=state).get("errors", {}))

    def close(self, view: Json) -> None:
        self._post("view/close", view_id=view["id"])

    def open_home(self) -> None:
        """Open the app's Home tab: the app hears `app_home_opened`."""
        self._post("open_home")

    def invite(self, who: str | Person, channel: Where) -> None:
        self._http_post("invite", channel=self._channel(channel).id, user=self.world.find_user(who).id, by=self.id)

    def invite_bot(self, channel: Where) -> None:
        self.invite(self.world.bot_user, channel)

    # Looking

    def messages(self, channel: Where | None = None, thread_ts: str | None = None) -> list[Json]:
        """What this person sees there, oldest first, own ephemeral messages included."""
        with self.world.lock:
            return messages_look(self.world, self._channel(channel), self.id, thread_ts)

    def view(self) -> Json | None:
        """The modal on top, if one is open."""
        with self.world.lock:
            stack = self.world.modals.get(self.id, [])
            return view_look(self.world, stack[-1]) if stack else None

    def home(self) -> Json | None:
        with self.world.lock:
            view = self.world.homes.get(self.id)
            return view_look(self.world, view) if view else None

    def wait_for(
        self,
        channel: Where | None = None,
        predicate: Callable[[Json], object] = bool,
        timeout: float = 10.0,
        thread_ts: str | None = None,
    ) -> Json:
        """The newest message that fits, now or within `timeout` seconds. Raises `TimeoutError` saying what was seen."""
        try:
            return self.world.wait_until(
                lambda: next((m for m in reversed(self.messages(channel, thread_ts)) if predicate(m)), None), timeout
            )
        except TimeoutError:
            seen = [shown(message)[:200] for message in self.messages(channel, thread_ts)]
            raise TimeoutError(f"no such message within {timeout:g} s; seen: {seen}") from None

    def wait_for_view(self, predicate: Callable[[Json], object] = bool, timeout: float = 10.0) -> Json:
        """The modal on top, once it fits. Raises `TimeoutError`."""
        return self.world.wait_until(lambda: _fitting(self.view(), predicate), timeout)

    def wait_for_home(self, predicate: Callable[[Json], object] = bool, timeout: float = 10.0) -> Json:
        return self.world.wait_until(lambda: _fitting(self.home(), predicate), timeout)

    # Inside

    def _channel(self, where: Where | None) -> Channel:
        return self.world.open_im(self.person) if where is None else self.world.find_channel(where)

    def _post(self, route: str, **body: Any) -> Json:
        return self._http_post(route, user=self.id, **body)

    def _http_post(self, route: str, **body: Any) -> Json:
        answer: Json = self._http.post(f"/{route}", json=body).raise_for_status().json()
        if answer.get("ok") is False:
            raise FailedError(answer["error"])
        return answer


def find_element(source: Json, action_id: str) -> tuple[Json, Json]:
    """The block and the element of a message or a view. Raises `LookupError` naming those that are there."""
    found = elements_of(source["blocks"])
    for block, element in found:
        if element["action_id"] == action_id:
            return block, element
    raise LookupError(f"no {action_id!r} here; there are {[element['action_id'] for _, element in found]}")


def shown(source: Json) -> str:
    """Every text that a message or a view shows, in one string: to look for words in."""
    parts = [source[key] for key in ("title", "submit") if source.get(key)]
    return "\n".join([source.get("text", ""), *_texts(parts), *_texts(source["blocks"])])


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"text", "alt_text", "title", "label"} and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


def _place(source: Json) -> Json:
    if "ts" in source:
        return {"channel": source["channel"], "message_ts": source["ts"]}
    return {"view_id": source["id"]}


def _fitting(view: Json | None, predicate: Callable[[Json], object]) -> Json | None:
    return view if view is not None and predicate(view) else None
