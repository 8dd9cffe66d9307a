"""Wrong designs of delivery, put in place of the product's own functions: the law must catch each."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import sqlalchemy as sa
from slack_sdk import WebClient
from sqlalchemy import Connection

from bot import performing, slack
from bot.conversation import Context
from bot.jobs import postman
from storage import leases, outbox, pace
from storage.database import moment, writing
from storage.outbox import Letter, Outcome, claiming, settling
from storage.schema import letter
from tests.laws.plants import patched
from tests.laws.virtual import World


@contextmanager
def mark_then_send() -> Iterator[None]:
    """What is said to be sent is sent after that, if nothing comes between."""

    def deliver(context: Context, claimed: Letter, stopping: Event, _begun: float) -> None:
        with writing(context.engine) as connection:
            outbox.settle(connection, claimed, outbox.sent("0.0"))
        postman.send(context, claimed, stopping, lambda: True)

    with patched(postman, "deliver", deliver):
        yield


@contextmanager
def send_then_mark() -> Iterator[None]:
    """Nothing is written down before it is sent."""

    def claim(connection: Connection, now: datetime, most: int) -> list[Letter]:
        found = connection.execute(claiming._due(), {"now": now, "most": most}).mappings()  # noqa: SLF001
        first = {row["channel_id"]: dict(row) for row in reversed(found.all())}
        return [replace(claiming._letter(row, "", now), doubtful=False) for row in first.values()]  # noqa: SLF001

    def settle(connection: Connection, claimed: Letter, outcome: Outcome) -> bool:
        mine = (letter.c.workspace_id == claimed.workspace_id, letter.c.id == claimed.id)
        connection.execute(sa.update(letter).where(*mine).values(token=claimed.token))
        return there(connection, claimed, outcome)

    there = outbox.settle
    with patched(outbox, "claim", claim), patched(outbox, "settle", settle):
        yield


@contextmanager
def blind_retry() -> Iterator[None]:
    """What is in doubt is posted again."""
    with patched(claiming, "_looks", lambda _row: False):
        yield


@contextmanager
def sdk_retries() -> Iterator[None]:
    """The SDK's client as it is by default: it calls again where an answer is lost."""

    def client(**given: Any) -> WebClient:
        return WebClient(**{name: value for name, value in given.items() if name != "retry_handlers"})

    with patched(slack, "WebClient", client):
        yield


@contextmanager
def lease_on_the_workers_clock() -> Iterator[None]:
    """Who holds what goes by the clock of whoever asks."""

    def now_here(seconds: Any) -> Any:
        process = World.here.current.process if World.here else None
        if process is None or not isinstance(seconds, int | float):
            return moment(seconds)
        return sa.literal(process.now() + timedelta(seconds=seconds), letter.c.due_at.type)

    with ExitStack() as all_of_them:
        for room in (claiming, settling, pace, leases):
            all_of_them.enter_context(patched(room, "moment", now_here))
        # Made anew each time: there is another moment in it.
        all_of_them.enter_context(patched(claiming, "_due", claiming._due.__wrapped__))  # noqa: SLF001
        yield


@contextmanager
def no_echo() -> Iterator[None]:
    """Nobody listens when Slack says what it has posted."""
    with patched(performing, "_echo", lambda *_: None):
        yield


DESIGNS = (mark_then_send, send_then_mark, blind_retry, sdk_retries, lease_on_the_workers_clock, no_echo)
