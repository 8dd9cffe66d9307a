"""Socket Mode: up to ten WebSockets of the app; every envelope goes to one of them and waits for its ack."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.playground.records import Json
from bot.playground.world import World

CONNECTIONS_MAX = 10


@dataclass(eq=False, slots=True)
class Connection:
    socket: WebSocket
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)


class Sockets:
    def __init__(self, world: World, told: Callable[[], None]) -> None:
        """`told` is called when a connection comes or goes."""
        self._world = world
        self._told = told
        self._connections: list[Connection] = []
        self._turn = 0

    @property
    def count(self) -> int:
        return len(self._connections)

    async def link(self, socket: WebSocket) -> None:
        """The WebSocket route: one ticket, one connection, until either side leaves."""
        ticket = socket.query_params.get("ticket", "")
        with self._world.lock:
            known = ticket in self._world.tickets
            self._world.tickets.discard(ticket)
        if not known:
            await socket.close(4000, "invalid ticket")
            return
        await socket.accept()
        if len(self._connections) >= CONNECTIONS_MAX:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": _DEBUG})
            await socket.close()
            return
        connection = Connection(socket)
        self._connections.append(connection)
        hello = {"type": "hello", "num_connections": self.count, "debug_info": _DEBUG}
        await socket.send_json(hello | {"connection_info": {"app_id": self._world.app_id}})
        self._told()
        try:
            while True:
                self._hear(connection, await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            self._drop(connection)

    async def send(self, kind: str, payload: Json, seconds: float, attempt: int, reason: str) -> Json | None:
        """Send an envelope over one connection. The ack's payload ({} for none). Raises `TimeoutError` without an ack,
        `ConnectionError` where the connection goes away first."""
        self._turn += 1
        connection = self._connections[self._turn % self.count]
        envelope_id = self._world.next_id("envelope")
        answers = kind in {"slash_commands", "interactive"}
        envelope: Json = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = answers
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = answer
        try:
            await connection.socket.send_text(json.dumps(envelope))
            async with asyncio.timeout(seconds):
                return await answer
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.waiting.pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to go and come again, as Slack does every few hours."""
        for connection in list(self._connections):
            await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": _DEBUG})
            self._drop(connection)
            await connection.socket.close()

    def _hear(self, connection: Connection, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        answer = connection.waiting.get(said.get("envelope_id", "")) if isinstance(said, dict) else None
        if answer is not None and not answer.done():
            answer.set_result(said.get("payload") or {})

    def _drop(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            for answer in connection.waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the connection went away"))
            self._told()


_DEBUG = {"host": "playground", "build_number": 1, "approximate_connection_time": 18060}
