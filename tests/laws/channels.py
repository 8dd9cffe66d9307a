"""Slack under virtual time: its channels, the faults between it and a process, and the product's own client."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError

from bot.outcome import Outcome, Unclear
from bot.slack import DEADLINE_SECONDS, Slack
from tests.laws.virtual import START, Process, World

FAULTS = {
    "ok": 66,
    "lost_request": 5,
    "lost_answer": 6,
    "slow": 4,
    "error_after": 3,
    "error_before": 3,
    "rate_limited": 5,
    "cut": 3,
    "internal_error": 2,
    "unreachable": 3,
}
"""How often in a hundred: what becomes of a request."""

DOES = {"ok", "lost_answer", "slow", "error_after", "cut", "internal_error", "invalid_blocks"}
LATEST_SHOWN = 25.0
"""Seconds after which history shows a message at the latest."""
LATEST_ARRIVAL = 8.0
"""Seconds that a request whose answer nobody waits for any more may be on its way."""
SETTLED = 45.0
"""A process that froze so shortly before may still hold what it claimed."""
PAGE = 7
"""Slack gives fewer messages than it is asked for."""


@dataclass
class Message:
    channel: str
    ts: str
    begun: float
    letter: str
    texts: list[str]
    thread: str | None
    shown_from: float
    stalled: bool
    """Its process had been frozen shortly before it was posted, or was while it was on its way."""
    deleted: bool = False


@dataclass
class Request:
    process: Process
    method: str
    fault: str
    begun: float
    given: Mapping[str, Any] = field(default_factory=dict)

    def stalled(self) -> bool:
        return self.process.thawed > self.begun - SETTLED


class Side:
    """Slack's side: what is in the channels, whatever a process was told."""

    def __init__(self, world: World, heard: Callable[[Message], None]) -> None:
        self.world, self.heard = world, heard
        self.messages: list[Message] = []
        self.faulty = True
        self.refused: dict[str, str] = {}
        """Text to the code with which Slack refuses it, always."""
        self.archived: set[str] = set()
        self._numbers = count(1)
        self.calls: Counter[str] = Counter()

    def fault(self, method: str) -> str:
        if not self.faulty:
            return "ok"
        (fault,) = self.world.random.choices([*FAULTS], [*FAULTS.values()])
        return str(fault)

    def arrive(self, request: Request) -> dict[str, Any]:
        """What Slack answers. A request whose answer does not matter any more may be on its way for a while."""
        if request.fault in {"lost_answer", "slow"}:
            self.world.after(self.world.random.uniform(0, LATEST_ARRIVAL), lambda: self.does(request))
            return {}
        return self.does(request)

    def does(self, request: Request) -> dict[str, Any]:
        self.calls[request.method] += 1
        given = request.given
        if given.get("channel") in self.archived:
            return {"ok": False, "error": "is_archived"}
        act = getattr(self, request.method.replace(".", "_"))
        answer: dict[str, Any] = act(request, **given)
        return answer

    def chat_postMessage(self, request: Request, *, channel: str, text: str, **more: Any) -> dict[str, Any]:  # noqa: N802
        if text in self.refused:
            return {"ok": False, "error": self.refused[text]}
        if more.get("blocks") and self.faulty and self.world.random.random() < 0.05:
            return {"ok": False, "error": "invalid_blocks"}
        now, random = self.world.now, self.world.random
        thread = more.get("thread_ts")
        message = Message(
            channel=channel if channel[0] == "C" else f"D{channel}",
            ts=f"{int(START.timestamp() + now)}.{next(self._numbers):06}",
            begun=request.begun,
            letter=more["metadata"]["event_payload"]["id"],
            texts=[text],
            thread=thread,
            shown_from=now + (random.uniform(0, LATEST_SHOWN) if self.faulty and random.random() < 0.3 else 0),
            stalled=request.stalled(),
        )
        self.messages.append(message)
        self.heard(message)
        return {"ok": True, "ts": message.ts, "channel": message.channel}

    def chat_update(self, request: Request, *, channel: str, ts: str, text: str, **_: Any) -> dict[str, Any]:
        message = self._find(channel, ts)
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message.texts.append(text)
        return {"ok": True, "ts": ts, "channel": channel}

    def chat_delete(self, request: Request, *, channel: str, ts: str) -> dict[str, Any]:
        message = self._find(channel, ts)
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message.deleted = True
        return {"ok": True}

    def conversations_open(self, request: Request, *, users: str) -> dict[str, Any]:
        return {"ok": True, "channel": {"id": f"D{users}"}}

    def conversations_history(self, request: Request, *, channel: str, **more: Any) -> dict[str, Any]:
        return self._page([each for each in self._shown(channel) if each.thread is None], **more)

    def conversations_replies(self, request: Request, *, channel: str, ts: str, **more: Any) -> dict[str, Any]:
        if self._find(channel, ts) is None:
            return {"ok": False, "error": "thread_not_found"}
        return self._page([each for each in self._shown(channel) if ts in {each.thread, each.ts}], **more)

    def _find(self, channel: str, ts: str) -> Message | None:
        mine = (each for each in self.messages if (each.channel, each.ts) == (channel, ts) and not each.deleted)
        return next(mine, None)

    def _shown(self, channel: str) -> list[Message]:
        now = self.world.now
        return [each for each in self.messages if each.channel == channel and not each.deleted and each.shown_from <= now]

    def _page(self, found: list[Message], *, oldest: str, cursor: str | None = None, **more: Any) -> dict[str, Any]:
        assert more["include_all_metadata"]
        newest_first = [each for each in reversed(found) if float(each.ts) >= float(oldest)]
        begin = int(cursor or 0)
        page = newest_first[begin : begin + PAGE]
        further = str(begin + PAGE) if len(newest_first) > begin + PAGE else ""
        told = [{"ts": each.ts, "metadata": {"event_payload": {"id": each.letter}}} for each in page]
        return {"ok": True, "messages": told, "response_metadata": {"next_cursor": further}}

    def standing(self) -> dict[str, list[Message]]:
        """What everybody can see, by letter."""
        found: dict[str, list[Message]] = defaultdict(list)
        for each in self.messages:
            if not each.deleted:
                found[each.letter].append(each)
        return found


class Line:
    """In place of the SDK's client: what it would answer or raise for each fault."""

    def __init__(self) -> None:
        self.side: Side | None = None
        self.request: Request | None = None

    def api_call(self, method: str, *, json: Any = None, params: Any = None) -> Any:
        request, side = self.request, self.side
        assert request is not None
        assert side is not None
        given = json or params or {}
        request.method, request.given = method, {name: value for name, value in given.items() if value is not None}
        random = side.world.random
        match request.fault:
            case "unreachable":
                raise URLError(ConnectionRefusedError())
            case "lost_request":
                raise URLError(TimeoutError())
            case "error_before":
                raise _refusal(503, {}, "service_unavailable")
            case "rate_limited":
                raise _refusal(429, {"Retry-After": str(random.randint(1, 30))}, "ratelimited")
        body = side.arrive(request)
        match request.fault:
            case "lost_answer":
                raise ConnectionResetError
            case "slow":
                raise TimeoutError
            case "error_after":
                raise _refusal(502, {}, "bad_gateway")
            case "cut":
                raise _refusal(200, {}, "Received a response in a non-JSON format: {\"ok\":tr")
            case "internal_error":
                raise _refusal(200, {}, "internal_error")
        if not body["ok"]:
            raise _refusal(200, {}, body["error"])
        return body


def _refusal(status: int, headers: Mapping[str, str], error: str) -> SlackApiError:
    data = {"ok": False, "error": error}
    return SlackApiError(error, SimpleNamespace(status_code=status, headers=headers, data=data))  # type: ignore[no-untyped-call]


class SimulatedSlack(Slack):
    """The product's client, on a line that has faults; only its waiting is another's."""

    def __init__(self) -> None:
        super().__init__("xoxb-none", "http://localhost/api/")
        self.line = Line()
        self.client: Any = self.line
        self.process: Process | None = None
        self.step: Callable[[str], None] = lambda _place: None

    def born(self, process: Process, side: Side, step: Callable[[str], None]) -> None:
        """A new process knows nothing of the one before."""
        self.process, self.step, self.line.side = process, step, side
        self._users, self._directs, self._uploads = {}, {}, {}

    def upload(self, data: bytes, filename: str, *, title: str, alt_text: str) -> Outcome:
        """Nobody waits for another's upload of the same picture."""
        return self._upload(data, filename, title, alt_text)

    def _within(self, method: str, work: Callable[[], Outcome]) -> Outcome:
        process, side = self.process, self.line.side
        assert process is not None
        assert side is not None
        world = process.world
        self.step("call")
        begun = world.now
        self.line.request = Request(process, method, side.fault(method), begun)
        fault = self.line.request.fault
        outcome = work()
        world.pause(DEADLINE_SECONDS if fault == "slow" else world.random.uniform(0.05, 0.6))
        self.step("answer")
        if fault == "slow" or (world.now - begun > DEADLINE_SECONDS and world.random.random() < 0.5):
            return Unclear("deadline")
        return outcome
