"""Commands at a steady rate to several apps in turn, in a process of its own: milliseconds to each acknowledgement.

Reads JSON from its input: `urls`, `secret`, `rate` (commands a second to each), `seconds`, `payloads`, `database` (a
SQLite file); writes a list of milliseconds for each URL, and one of as many durable inserts of the row that such a
command is kept as, into that database by the bare driver. A command goes out when it is due, whether or not those
before it were acknowledged.
"""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp
from cryptography.fernet import Fernet
from slack_sdk.signature import SignatureVerifier

WARM = 1.0
"""Seconds that are not counted."""


def knock(
    urls: Sequence[str],
    secret: str,
    rate: float,
    seconds: float,
    payloads: Sequence[Mapping[str, Any]],
    database: str,
) -> list[list[float]]:
    """Knock from another process, and wait for its end: the milliseconds of each URL, then those of the inserts."""
    asked = {"urls": urls, "secret": secret, "rate": rate, "seconds": seconds, "payloads": payloads}
    asked["database"] = database
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.knocking"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=seconds + 120,
    )
    found: list[list[float]] = json.loads(done.stdout)
    return found


async def _knocking(asked: Mapping[str, Any]) -> list[list[float]]:
    urls, verifier = asked["urls"], SignatureVerifier(asked["secret"])
    sides = len(urls) + 1
    taken: list[list[float]] = [[] for _ in range(sides)]
    gap = 1 / (asked["rate"] * sides)
    # aiohttp: several times cheaper than httpx, whose own work would be most of what is measured.
    async with _inbox(asked["database"]) as keep, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client:

        async def one(at: int, due: float) -> None:
            side = at % sides
            payload = asked["payloads"][at // sides % len(asked["payloads"])]
            body, row = urlencode(payload), _row(payload) if side == len(urls) else ()
            sent = time.perf_counter()
            if side == len(urls):
                await asyncio.to_thread(keep, row)
            else:
                await post(urls[side], body)
            if due - began >= WARM:
                taken[side].append((time.perf_counter() - sent) * 1000)

        async def post(url: str, body: str) -> None:
            stamp = str(int(time.time()))
            headers = {
                "content-type": "application/x-www-form-urlencoded",
                "x-slack-request-timestamp": stamp,
                "x-slack-signature": verifier.generate_signature(timestamp=stamp, body=body) or "",
            }
            # What was not acknowledged took as long as was waited for it.
            with contextlib.suppress(aiohttp.ClientConnectionError, TimeoutError):
                async with client.post(f"{url}/slack/events", data=body, headers=headers) as answer:
                    answer.raise_for_status()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for at in range(int((asked["seconds"] + WARM) / gap)):
                due = began + at * gap
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(one(at, due))
    return taken


_SEAL = Fernet(Fernet.generate_key())
_INSERT = (
    "INSERT INTO inbox (workspace_id, id, kind, body, state, attempts, received_at) "
    "VALUES ('bench', ?, 'command', ?, 'done', 1, ?)"
)


def _row(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """What Vigie keeps of the command, as long as there."""
    kept = {key: payload[key] for key in ("user_id", "channel_id", "response_url", "text")}
    told = json.dumps({"for": ["bench", payload["trigger_id"]], "body": kept})
    return uuid.uuid4().hex, _SEAL.encrypt(told.encode()).decode(), "2026-01-01 00:00:00.000000"


@contextlib.asynccontextmanager
async def _inbox(database: str) -> AsyncIterator[Callable[[tuple[str, ...]], None]]:
    """Keeps such a row as durably as Vigie does, one after the other."""
    lock = threading.Lock()
    raw = sqlite3.connect(database, isolation_level=None, check_same_thread=False, timeout=30)
    raw.execute("PRAGMA synchronous = FULL")

    def keep(row: tuple[str, ...]) -> None:
        with lock:
            raw.execute(_INSERT, row)

    yield keep
    raw.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_knocking(json.load(sys.stdin)))))
