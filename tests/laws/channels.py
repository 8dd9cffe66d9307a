"""Slack under virtual time: its channels, the faults between it and a process, and the product's own client."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.parse import parse_qsl, urlsplit

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
        self.scale = 1.0
        """Of its own delays."""
        self._numbers = count(1)
        self.calls: Counter[str] = Counter()

    def fault(self, method: str) -> str:
        if not self.faulty:
            return "ok"
        (fault,) = self.world.random.choices([*FAULTS], [*FAULTS.values()])
        return str(fault)

    def does(self, request: Request) -> dict[str, Any]:
        self.calls[request.method] += 1
        given = request.given
        if given.get("channel") in self.archived:
            return {"ok": False, "error": "is_archived"}
        act = getattr(self, request.method.replace(".", "_"), None)
        if act is None:
            return {"ok": False, "error": "unknown_method"}
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
            shown_from=now
            + (random.uniform(0, LATEST_SHOWN) * self.scale if self.faulty and random.random() < 0.3 else 0),
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

    def users_info(self, request: Request, *, user: str, **_: Any) -> dict[str, Any]:
        return {"ok": True, "user": {"id": user, "team_id": "T1", "locale": "fr-FR"}}

    def auth_test(self, request: Request) -> dict[str, Any]:
        return {"ok": True, "team_id": "T1", "user_id": "U0"}

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
        mine = (each for each in self.messages if each.channel == channel and not each.deleted)
        return [each for each in mine if each.shown_from <= now]

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
    """One process' line to Slack: what is answered there to one request, or not."""

    def __init__(self) -> None:
        self.side: Side | None = None
        self.request: Request | None = None

    def answer(self, method: str, given: Mapping[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers, body. Raises `ConnectionError` or `TimeoutError` where no answer comes."""
        request, side = self.request, self.side
        assert request is not None
        assert side is not None
        request.method, request.given = method, {name: value for name, value in given.items() if value is not None}
        fault, request.fault = request.fault, "ok"
        match fault:
            case "unreachable":
                raise ConnectionRefusedError
            case "lost_request":
                raise TimeoutError
            case "error_before":
                return 503, {}, _no("service_unavailable")
            case "rate_limited":
                return (
                    429,
                    {"Retry-After": str(max(1, round(side.world.random.randint(1, 30) * side.scale)))},
                    _no("ratelimited"),
                )
            case "lost_answer" | "slow":
                # Nobody waits for the answer any more; the request may still be on its way for a while.
                later = Request(request.process, method, fault, request.begun, request.given)
                side.world.after(side.world.random.uniform(0, LATEST_ARRIVAL) * side.scale, lambda: side.does(later))
                raise TimeoutError if fault == "slow" else ConnectionResetError
        body = side.does(request)
        match fault:
            case "error_after":
                return 502, {}, _no("bad_gateway")
            case "cut":
                return 200, {}, {"cut": True}
            case "internal_error":
                return 200, {}, _no("internal_error")
        return 200, {}, body

    def api_call(self, method: str, *, json: Any = None, params: Any = None) -> Any:
        """In place of the SDK's client: what that would give back or raise."""
        try:
            status, headers, body = self.answer(method, json or params or {})
        except (ConnectionRefusedError, TimeoutError) as error:
            raise URLError(error) from error
        if body.get("cut"):
            body = _no('Received a response in a non-JSON format: {"ok":tr')
        if not body["ok"]:
            told = SimpleNamespace(status_code=status, headers=headers, data=body)
            raise SlackApiError(str(body["error"]), told)  # type: ignore[no-untyped-call]
        return body


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


class Door(BaseHTTPRequestHandler):
    """Slack over HTTP: each process has a token of its own, by which its line is known."""

    lines: ClassVar[dict[str, Line]] = {}

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        given = {**dict(parse_qsl(address.query)), **_read(self.headers.get("Content-Type", ""), data)}
        token = self.headers["Authorization"].removeprefix("Bearer ")
        try:
            status, headers, body = self.lines[token].answer(address.path.removeprefix("/api/"), given)
        except OSError:
            self.close_connection = True
            return
        told = b'{"ok":tr' if body.get("cut") else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(told))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _read(kind: str, data: bytes) -> dict[str, Any]:
    if kind.startswith("application/json"):
        found: dict[str, Any] = json.loads(data or b"{}")
        return found
    return dict(parse_qsl(data.decode()))


@contextmanager
def door() -> Iterator[str]:
    """Slack's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SimulatedSlack(Slack):
    """The product's client, on a line that has faults; only its waiting is another's."""

    def __init__(self, address: str | None = None) -> None:
        """With an address, the SDK's own client speaks HTTP, as the product sets it up."""
        self.line = Line()
        token = f"xoxb-{id(self.line)}"
        super().__init__(token, address or "http://localhost/api/")
        if address is None:
            self.client: Any = self.line
        else:
            Door.lines[token] = self.line
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
