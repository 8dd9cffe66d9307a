"""What Slack says, kept before it is acknowledged, then run at once by the answers' threads, or by whoever is alive."""

import base64
import hashlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine

from bot.settings import Settings
from bot.threads import WAITING, Threads
from bot.writer import Writer
from storage import inbox
from storage.database import reading, writing
from storage.inbox import Claimed, Key, Said
from storage.vault import Vault, VaultError

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
"""Between two renewals of what this process holds."""
MOST_ATTEMPTS = 3
"""What was begun so often and never ended is given up: it may be what ends the process."""
LATE_SECONDS = 29 * 60
"""So long after a command, its response_url is about to expire."""
PRUNE_SECONDS = 3600.0


class LaterError(Exception):
    """It could not be done just now; nothing is lost by doing it again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again after {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that Slack said."""

    workspace_id: str
    id: str
    """Slack's own for it: the same when it is said, or played back, again."""
    kind: str
    """`command`, `click`, `form`, `event` or `echo`."""
    body: Mapping[str, Any]
    """What running it takes, as JSON holds it."""
    trigger_id: str | None = None
    """Opens a view for three seconds: never kept."""
    late: bool = False
    """Its response_url has expired, or is about to."""
    given_up: bool = False
    """It was begun too often: it is not to be run, only the person is to be told."""

    @property
    def key(self) -> Key:
        return self.workspace_id, self.id


@dataclass(frozen=True, slots=True)
class Unsaid:
    """It is done, but its answer has not arrived: `say` tries again after `seconds`, and gives what is unsaid then."""

    say: Callable[[], "Unsaid | None"]
    seconds: float


class Inbox:
    """Keeps what is heard, and has it run. `perform` runs one; whoever puts the program together sets it.

    `perform` gives what is still to be said, or raises `LaterError` to be called again; what else it raises is logged,
    and tried again too.
    """

    def __init__(self, engine: Engine, vault: Vault, threads: Threads) -> None:
        self.perform: Callable[[Heard], Unsaid | None] = _nobody
        self._engine, self._vault, self._threads = engine, vault, threads
        self._holder = uuid.uuid4().hex
        self._writer = Writer(engine, self._holder)
        self._held: dict[Key, Heard] = {}
        self._unsaid: dict[Key, tuple[float, int, Unsaid]] = {}
        """When each is due by the monotonic clock, and how often it was tried."""
        self._renewed = self._pruned = 0.0

    def start(self) -> None:
        self._writer.start()

    def stop(self) -> None:
        """Give back what is unsaid, write down what is over. What is still under way is anybody's after its lease."""
        for key in list(self._unsaid):
            self._release(self._held[key], 0, begun=True)
        self._writer.stop()

    async def keep(self, heard: Heard) -> bool:
        """Keep what was heard, on the disk, and have it run (a form is run by who heard it); false where it was heard
        before, and there is nothing to do. Raises `NotKeptError`."""
        told = json.dumps({"for": heard.key, "body": heard.body}, ensure_ascii=False)
        said = Said(heard.workspace_id, heard.id, heard.kind, self._vault.seal(told))

        def begin() -> None:
            if heard.kind != "form":
                self._begin(heard)

        return await self._writer.keep(said, begin)

    def settle(self, heard: Heard, error: str | None = None) -> None:
        """It is over; that is written down soon."""
        self._held.pop(heard.key, None)
        if error is not None:
            log.error("inbox_failed kind=%s id=%s error=%s", heard.kind, heard.id, error)
        self._writer.settle(heard.key, error)

    def take_up(self, stopping: threading.Event) -> None:
        """Hold on to what is under way here, say what is unsaid, run what nobody holds any more, forget what is old."""
        now = time.monotonic()
        if self._held and now - self._renewed >= BEAT_SECONDS:
            with writing(self._engine) as connection:
                inbox.renew(connection, self._holder)
            self._renewed = now
        if stopping.is_set():
            return
        for key, (due, tried, unsaid) in list(self._unsaid.items()):
            if due <= now:
                del self._unsaid[key]
                heard = self._held[key]
                self._submit(heard, partial(self._say, heard, unsaid, tried))
        self._claim(WAITING // 2 - len(self._held))
        if now - self._pruned >= PRUNE_SECONDS:
            self._pruned = now
            with writing(self._engine) as connection:
                inbox.prune(connection)

    def _claim(self, most: int) -> None:
        if most <= 0:
            return
        with reading(self._engine) as connection:
            if not inbox.is_free(connection):
                return
        with writing(self._engine) as connection:
            claimed = inbox.claim(connection, self._holder, most)
        for row in claimed:
            if row.key in self._held:
                # This process was frozen for longer than its lease, and is still at it.
                continue
            log.warning("inbox_taken_up kind=%s id=%s attempt=%d", row.kind, row.id, row.attempts)
            heard = self._opened(row)
            if heard.given_up and not heard.body:
                self.settle(heard, "unreadable")
            else:
                self._begin(heard)

    def _opened(self, row: Claimed) -> Heard:
        """What was kept; where no key opens it, given up and with nothing in it."""
        given_up, late = row.attempts > MOST_ATTEMPTS, row.seconds > LATE_SECONDS
        try:
            told = json.loads(self._vault.open(row.body))
        except VaultError:
            told = None
        if told is None or told["for"] != [*row.key]:
            return Heard(row.workspace_id, row.id, row.kind, {}, given_up=True)
        return Heard(row.workspace_id, row.id, row.kind, told["body"], late=late, given_up=given_up)

    def _begin(self, heard: Heard) -> None:
        self._held[heard.key] = heard
        self._submit(heard, lambda: self._run(heard))

    def _submit(self, heard: Heard, work: Callable[[], None]) -> None:
        if not self._threads.submit(work):
            self._release(heard, 1, begun=False)

    def _run(self, heard: Heard) -> None:
        try:
            unsaid = self.perform(heard)
        except LaterError as later:
            self._release(heard, later.seconds, begun=True)
        except Exception:
            log.exception("inbox_broken_off kind=%s id=%s", heard.kind, heard.id)
            self._release(heard, BEAT_SECONDS, begun=True)
        else:
            self._said(heard, unsaid, 1)

    def _say(self, heard: Heard, unsaid: Unsaid, tried: int) -> None:
        try:
            self._said(heard, unsaid.say(), tried + 1)
        except Exception:
            log.exception("inbox_broken_off kind=%s id=%s", heard.kind, heard.id)
            self._release(heard, BEAT_SECONDS, begun=True)

    def _said(self, heard: Heard, unsaid: Unsaid | None, tried: int) -> None:
        if unsaid is None:
            self.settle(heard, "begun_too_often" if heard.given_up else None)
        elif tried > MOST_ATTEMPTS or heard.given_up:
            self.settle(heard, "not_delivered")
        else:
            self._unsaid[heard.key] = (time.monotonic() + unsaid.seconds, tried, unsaid)

    def _release(self, heard: Heard, seconds: float, *, begun: bool) -> None:
        self._held.pop(heard.key, None)
        self._writer.release(heard.key, seconds=seconds, begun=begun)


def vault_of(settings: Settings) -> Vault:
    """What seals the inbox: the operator's keys, or, where there are none, a key that follows from the bot's token.

    What waits while the token is replaced can no longer be read; little waits for longer than a restart takes.
    """
    derived = hashlib.sha256(b"vigie inbox\n" + settings.bot_token.encode()).digest()
    return Vault((*settings.vault_keys, base64.urlsafe_b64encode(derived).decode()))


def _nobody(_heard: Heard) -> None:
    raise LaterError(BEAT_SECONDS)
