"""A CRM's life, told once: what exists, what changed when, what a reader can see of it at this moment.

Each CRM's fake (`tests/crm/hubspot.py` …) derives from `Crm` and adds nothing but its protocol: `handle` answers a
request as the real one would. Tests live the life with the verbs below and compare Vigie's tables with `truth`.
"""

import contextlib
import copy
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx

from storage.connectors.base import Knock

BEGINNING = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass
class Thing:
    """One row of the CRM. `fields` by object: person(name, email); customer(name); lead(name, owner, origin, converted:
    datetime|None, customer); deal(name, customer, owner, pipeline, stage, amount: Decimal|None, currency, lead, closed:
    datetime|None, entered: list[(datetime, stage)], products: list[(product, Decimal)]); stage(name, pipeline,
    position, status); pipeline(name); product(name); contract(customer, starts: date, ends: date|None);
    purchase(customer, day, amount: Decimal|None, currency); spend(starts: date, ends: date, amount: Decimal,
    currency)."""

    object: str
    id: str
    created: datetime
    modified: datetime
    fields: dict[str, Any]
    deleted: datetime | None = None
    archived: bool = False
    """Out of the normal lists, and still counted (Pipedrive)."""
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    """Rows that this one took over."""

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


@dataclass
class Fault:
    """What goes wrong with the next request: `timeout`, `cut`, `half` (half a body), or a status with headers."""

    kind: str | int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


class Crm:
    """The state and the verbs; the clock stands still until `tick`."""

    source: ClassVar[str]
    verbs: ClassVar[frozenset[str]] = frozenset()
    """What this CRM can do, of: delete, restore, archive, merge_deals, merge_customers, leads, currencies, late, equal,
    products, contracts, purchases, spend."""
    statuses: ClassVar[tuple[str, ...]] = ("open", "open", "won", "lost")
    """Of the stages of each pipeline, in order (Koban adds `dormant`)."""

    def __init__(self, *, currency: str = "EUR") -> None:
        self.now = BEGINNING
        self.currency = currency
        self.between: Callable[[], None] = lambda: None
        """Called before each request is answered: life goes on while pages are read."""
        self.faults: deque[Fault] = deque()
        self.requests: list[httpx.Request] = []
        self._versions: dict[str, dict[str, list[tuple[datetime, Thing]]]] = {}
        self._numbers: dict[str, int] = {}
        self._written = 0
        self._seen: dict[str, tuple[object, list[Thing]]] = {}
        self._late: timedelta | None = None
        for pipeline in ("Ventes", "Renouvellements"):
            there = self.create("pipeline", name=pipeline)
            for position, status in enumerate(self.statuses):
                self.create("stage", name=f"{pipeline} {position}", pipeline=there, position=position, status=status)

    # Life.

    def tick(self, by: timedelta | float = 1) -> None:
        """Time goes by (seconds)."""
        self.now += by if isinstance(by, timedelta) else timedelta(seconds=by)

    @contextlib.contextmanager
    def late(self, by: timedelta) -> Iterator[None]:
        """What is written inside carries this moment, and can be seen only `by` later."""
        self._late = by
        try:
            yield
        finally:
            self._late = None

    def create(self, object_: str, **fields: Any) -> str:
        self._numbers[object_] = self._numbers.get(object_, 0) + 1
        thing_id = self.new_id(object_, self._numbers[object_])
        if object_ == "deal":
            blank = dict.fromkeys(("customer", "owner", "amount", "lead", "closed")) | {"products": []}
            stage = fields.get("stage") or self.stages(status="open")[0].id
            fields = blank | fields | {"stage": stage, "pipeline": self.get("stage", stage)["pipeline"]}
            fields.setdefault("currency", self.currency)
            fields["entered"] = [(self.now, stage)]
            if self.get("stage", stage)["status"] != "open":
                fields["closed"] = self.now
        self._write(Thing(object_, thing_id, self.now, self.now, fields))
        return thing_id

    def edit(self, object_: str, thing_id: str, **fields: Any) -> None:
        thing = self._copy(object_, thing_id)
        thing.fields |= fields
        self._write(thing)

    def move(self, deal: str, stage: str) -> None:
        """Into a stage: closes, reopens, or moves on."""
        thing, there = self._copy("deal", deal), self.get("stage", stage)
        if thing["stage"] == stage:
            return
        was_open = self.get("stage", thing["stage"])["status"] == "open"
        same = self.get("stage", thing["stage"])["status"] == there["status"]
        closed = None if there["status"] == "open" else (thing["closed"] if same and not was_open else self.now)
        thing.fields |= {"stage": stage, "pipeline": there["pipeline"], "closed": closed}
        thing.fields["entered"] = [*thing["entered"], (self.now, stage)]
        self._write(thing)

    def delete(self, object_: str, thing_id: str) -> None:
        thing = self._copy(object_, thing_id)
        thing.deleted = self.now
        self._write(thing)

    def restore(self, object_: str, thing_id: str) -> None:
        thing = self._copy(object_, thing_id)
        thing.deleted = None
        for name in ("customer", "lead"):
            # What it named may have been taken over meanwhile.
            while thing.fields.get(name) and (there := self.get(name, thing[name])).merged_into:
                thing.fields[name] = there.merged_into
        self._write(thing)

    def archive(self, object_: str, thing_id: str) -> None:
        thing = self._copy(object_, thing_id)
        thing.archived = True
        self._write(thing)

    def merge(self, object_: str, loser: str, winner: str) -> str:
        """`winner` takes `loser` over, with its deals and leads; gives the id of what remains."""
        gone, kept = self._copy(object_, loser), self._copy(object_, winner)
        gone.deleted, gone.merged_into = self.now, winner
        kept.merged = (*kept.merged, loser)
        self._write(gone)
        self._write(kept)
        self.repoint(object_, loser, winner)
        return winner

    def repoint(self, object_: str, loser: str, winner: str) -> None:
        """What named the loser names the winner; the CRM counts that as a change of the row."""
        named_by = {"customer": ("deal", "lead", "contract", "purchase"), "lead": ("deal",)}
        for name in named_by.get(object_, ()):
            for thing in self.latest(name):
                if thing.fields.get(object_) == loser and thing.deleted is None:
                    self.edit(name, thing.id, **{object_: winner})

    # What can be seen.

    def visible(self, object_: str) -> list[Thing]:
        """Every row as a reader sees it now, deleted and archived ones included, by id in order of creation."""
        asked = (self.now, self._written, len(self._versions.get(object_, {})))
        if self._seen.get(object_, (None, []))[0] != asked:
            seen = []
            for versions in self._versions.get(object_, {}).values():
                shown = [thing for at, thing in versions if at <= self.now]
                if shown:
                    # Of two with one timestamp, what was written last.
                    seen.append(max(reversed(shown), key=lambda thing: thing.modified))
            self._seen[object_] = (asked, seen)
        return list(self._seen[object_][1])

    def latest(self, object_: str) -> list[Thing]:
        """Every row as it was last written, seen or not."""
        return [versions[-1][1] for versions in self._versions.get(object_, {}).values()]

    def find(self, object_: str, thing_id: str) -> Thing | None:
        return next((thing for thing in self.visible(object_) if thing.id == thing_id), None)

    def get(self, object_: str, thing_id: str) -> Thing:
        return self._versions[object_][thing_id][-1][1]

    def stages(self, *, status: str | None = None) -> list[Thing]:
        return [thing for thing in self.latest("stage") if status in (None, thing["status"])]

    # The wire.

    def new_id(self, object_: str, number: int) -> str:
        """An id as this CRM makes them."""
        return str(1000 * (1 + len(object_)) + number)

    def options(self) -> dict[str, Any]:
        """What a person would give `vigie connect`."""
        raise NotImplementedError

    def handle(self, request: httpx.Request) -> httpx.Response:
        """The answer of the real CRM to this request, credentials checked."""
        raise NotImplementedError

    def knock(self, object_: str, thing_id: str, event_id: str) -> Knock | None:
        """How this CRM tells now, genuinely, that a row changed; None where it has no webhook for the object."""
        return None

    def transport(self) -> httpx.BaseTransport:
        """For `Client(transport=…)`: no socket, every fault."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        self.between()
        if self.faults:
            fault = self.faults.popleft()
            if fault.kind == "timeout":
                raise httpx.ReadTimeout("slow", request=request)
            if fault.kind == "cut":
                raise httpx.RemoteProtocolError("cut", request=request)
            if fault.kind == "half":
                whole = self.handle(request)
                return httpx.Response(whole.status_code, content=whole.content[: len(whole.content) // 2])
            assert isinstance(fault.kind, int)
            return httpx.Response(fault.kind, headers=fault.headers, content=fault.body)
        response = self.handle(request)
        response.headers.setdefault("date", self.now.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        return response

    def _copy(self, object_: str, thing_id: str) -> Thing:
        return copy.deepcopy(self.get(object_, thing_id))

    def _write(self, thing: Thing) -> None:
        thing.modified = max(thing.modified, self.now)
        versions = self._versions.setdefault(thing.object, {}).setdefault(thing.id, [])
        versions.append((self.now + (self._late or timedelta(0)), thing))
        self._written += 1


@contextlib.contextmanager
def serving(crm: Crm) -> Iterator[str]:
    """The same CRM behind a real socket, for time-outs and cut bodies as they really are; gives its address."""

    class Door(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = httpx.Request(
                self.command, f"http://crm.test{self.path}", headers=dict(self.headers), content=body
            )
            try:
                response = crm.answer(request)
            except httpx.TransportError:
                self.connection.close()
                return
            self.send_response_only(response.status_code)
            for name, value in response.headers.items():
                if name.lower() not in {"content-length", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
