"""Commands at a steady rate to several apps in turn, in a process of its own: milliseconds to each acknowledgement.

Reads JSON from its input: `urls`, `secret`, `rate` (commands a second to each), `seconds`, `payloads`; writes a list of
milliseconds for each URL, and one of as many durable inserts of the commands into a SQLite of its own. A command goes
out when it is due, whether or not those before it were acknowledged.
"""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

WARM = 1.0
"""Seconds that are not counted."""


def knock(
    urls: Sequence[str], secret: str, rate: float, seconds: float, payloads: Sequence[Mapping[str, Any]]
) -> list[list[float]]:
    """Knock from another process, and wait for its end: the milliseconds of each URL, then those of the inserts."""
    asked = {"urls": urls, "secret": secret, "rate": rate, "seconds": seconds, "payloads": payloads}
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
    async with _inbox() as keep, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client:

        async def one(at: int, due: float) -> None:
            side = at % sides
            body = urlencode(asked["payloads"][at // sides % len(asked["payloads"])])
            sent = time.perf_counter()
            if side == len(urls):
                await asyncio.to_thread(keep, at, body)
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


@contextlib.asynccontextmanager
async def _inbox() -> AsyncIterator[Callable[[int, str], None]]:
    """Keeps a command as durably as Vigie's own database would, by the bare driver."""
    lock = threading.Lock()
    with tempfile.TemporaryDirectory() as folder:
        raw = sqlite3.connect(Path(folder) / "inbox.sqlite3", isolation_level=None, check_same_thread=False)
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")

        def keep(at: int, body: str) -> None:
            with lock:
                raw.execute("INSERT INTO inbox VALUES (?, ?)", (at, body))

        yield keep
        raw.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_knocking(json.load(sys.stdin)))))
