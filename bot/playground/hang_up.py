"""Closing a connection without an answer, as a broken network does."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_TRANSPORT = "playground.transport"


class KeepTransport:
    """The outermost layer: leaves the connection itself in the scope, for `hang_up` to close."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # uvicorn's `send` is a method of the request's cycle, which holds the connection.
            cycle: Any = getattr(cast(Any, send), "__self__", None)
            scope[_TRANSPORT] = getattr(cycle, "transport", None)
        await self._app(scope, receive, send)


class _Silence(Response):
    """Says nothing at all."""

    async def __call__(self, *_: object) -> None:
        return


async def hang_up(request: Request) -> Response:
    """Close the connection under the request. The response to return says nothing."""
    transport = request.scope.get(_TRANSPORT)
    if transport is None:
        raise RuntimeError("only a real connection can be hung up")
    transport.abort()
    receive = cast(Callable[[], Awaitable[dict[str, Any]]], request.receive)
    while (await receive())["type"] != "http.disconnect":
        pass
    return _Silence()
