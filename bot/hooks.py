"""What CRMs knock with at `/hooks/<source>`: believed only where it is genuine, and then only as a hint.

A genuine knock is answered once its hints are stored; the sync job reads the rows again. Nothing of a body is logged.
"""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import gate
from bot.conversation import Context
from storage import hints, sources
from storage.connectors.base import Knock, NotGenuineError
from storage.database import reading, writing
from storage.status import STOPPED
from storage.vault import Vault, VaultError

log = logging.getLogger(__name__)

THREADS = 2
WAITING = 50
"""Knocks read but not yet answered; beyond that a CRM is asked to come again."""


class Hooks:
    """The routes of webhooks, with threads of their own: a CRM that knocks in a hurry keeps no answer waiting."""

    def __init__(self, context: Context, workspace_id: str) -> None:
        self._context, self._workspace_id = context, workspace_id
        self._vault = Vault(context.settings.vault_keys)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hook")
        self._room = threading.BoundedSemaphore(WAITING)
        self.routes = [
            Route("/hooks/{source}", self._knocked, methods=["POST"]),
            Route("/hooks/{source}/{rest:path}", self._knocked, methods=["POST"]),
        ]

    def close(self) -> None:
        """Answer those that are being read, and take no more."""
        self._threads.shutdown(wait=True)

    async def _knocked(self, request: Request) -> Response:
        body = await gate.read_body(request)
        if body is None:
            return Response(status_code=413)
        if not self._room.acquire(blocking=False):
            log.warning("hook_refused reason=busy")
            return Response(status_code=503, headers={"retry-after": "10"})
        try:
            knock = Knock(
                method=request.method, url=self._called(request), headers=dict(request.headers.items()), body=body
            )
            running = asyncio.get_running_loop()
            status = await running.run_in_executor(self._threads, self._take, request.path_params["source"], knock)
        finally:
            self._room.release()
        return Response(status_code=status)

    def _called(self, request: Request) -> str:
        """The address as the CRM called it, which its signature covers: behind a proxy, not the one heard here."""
        path = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0] or request.url.path
        query = request.scope["query_string"].decode("ascii", "replace")
        public = self._context.settings.public_url or str(request.base_url).rstrip("/")
        return f"{public}{path}{'?' if query else ''}{query}"

    def _take(self, name: str, knock: Knock) -> int:
        """Store what a knock hints at; the status to answer with."""
        now, engine = self._context.clock.now(), self._context.engine
        try:
            understood = sources.declared(name).hints
        except LookupError:
            return 404
        with reading(engine) as connection:
            source = sources.read(connection, self._workspace_id, name)
        if understood is None or source is None or source.state == STOPPED:
            return 404
        try:
            options = sources.options_of(source, self._vault)
        except (VaultError, sources.OptionsError) as error:
            # Nobody can tell whether it is genuine: the CRM comes again, and the poll does not need it.
            log.error("hook_unread source=%s reason=%s", name, type(error).__name__)
            return 503
        try:
            told = understood(knock, options, now)
        except NotGenuineError as error:
            log.warning("hook_refused source=%s reason=%s", name, error)
            return 401
        except ValueError as error:
            log.warning("hook_unreadable source=%s reason=%s", name, type(error).__name__)
            return 400
        with writing(engine) as connection:
            new = hints.put(connection, self._workspace_id, name, told, now)
        log.info("hook_taken source=%s hints=%d new=%d", name, len(told), new)
        return 200
