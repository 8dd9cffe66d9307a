"""WebSocket /playground/live: says what changed for one person; the page reads it again."""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.playground.records import Json
from bot.playground.world import World


class Live:
    def __init__(self, world: World) -> None:
        self._world = world

    async def tell(self, socket: WebSocket) -> None:
        user = socket.query_params.get("user", "")
        await socket.accept()
        queue: asyncio.Queue[Json] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def listen(event: Json) -> None:
            if self._concerns(event, user):
                loop.call_soon_threadsafe(queue.put_nowait, {key: event[key] for key in event if key != "user"})

        with self._world.condition:
            self._world.listeners.append(listen)
            self._world.condition.notify_all()
        try:
            telling = asyncio.create_task(_tell(socket, queue))
            try:
                while True:
                    await socket.receive_text()
            finally:
                telling.cancel()
        except WebSocketDisconnect:
            pass
        finally:
            with self._world.lock:
                self._world.listeners.remove(listen)

    def _concerns(self, event: Json, user: str) -> bool:
        if event.get("user") not in {None, user}:
            return False
        channel = self._world.channels.get(event.get("channel", ""))
        return channel is None or not channel.is_private or user in channel.members


async def _tell(socket: WebSocket, queue: "asyncio.Queue[Json]") -> None:
    while True:
        await socket.send_json(await queue.get())
