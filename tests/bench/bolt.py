"""A Bolt app that only acknowledges, as its manual would have it: what the ack of Vigie is held to.

`python -m tests.bench.bolt PORT SECRET`; run by `tests.bench.acking`.
"""

import sys

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def application(secret: str) -> Starlette:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T000000001", bot_user_id="U1", bot_token="xoxb-bare")

    bolt = AsyncApp(signing_secret=secret, authorize=authorize, process_before_response=True)

    @bolt.command("/kpi")
    async def on_command(ack: AsyncAck) -> None:
        await ack()

    bridge = AsyncSlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        return await bridge.handle(request)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", health, methods=["GET"])]
    )


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
