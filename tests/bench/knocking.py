"""Commands at a steady rate to several apps in turn, in a process of its own: milliseconds to each acknowledgement.

Reads JSON from its input: `urls`, `secret`, `rate` (commands a second to each), `seconds`, `payloads`; writes a list of
milliseconds for each URL. A command goes out when it is due, whether or not those before it were acknowledged.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

WARM = 1.0
"""Seconds that are not counted."""


def knock(
    urls: Sequence[str], secret: str, rate: float, seconds: float, payloads: Sequence[Mapping[str, Any]]
) -> list[list[float]]:
    """Knock from another process, and wait for its end."""
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
    taken: list[list[float]] = [[] for _ in urls]
    gap = 1 / (asked["rate"] * len(urls))
    # aiohttp: several times cheaper than httpx, whose own work would be most of what is measured.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client:

        async def one(at: int, due: float) -> None:
            body = urlencode(asked["payloads"][at // len(urls) % len(asked["payloads"])])
            stamp = str(int(time.time()))
            headers = {
                "content-type": "application/x-www-form-urlencoded",
                "x-slack-request-timestamp": stamp,
                "x-slack-signature": verifier.generate_signature(timestamp=stamp, body=body) or "",
            }
            # What was not acknowledged took as long as was waited for it.
            sent = time.perf_counter()
            with contextlib.suppress(aiohttp.ClientConnectionError, TimeoutError):
                async with client.post(f"{urls[at % len(urls)]}/slack/events", data=body, headers=headers) as answer:
                    answer.raise_for_status()
            if due - began >= WARM:
                taken[at % len(urls)].append((time.perf_counter() - sent) * 1000)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for at in range(int((asked["seconds"] + WARM) / gap)):
                due = began + at * gap
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(one(at, due))
    return taken


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_knocking(json.load(sys.stdin)))))
