"""The strict check in front of Bolt for everything that comes by HTTP: signed by Slack, recent, and not too large.

Fails closed: whatever is missing or malformed is 401 with an empty body, never 500, and nothing of the body is logged.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Sequence

from starlette.requests import Request

log = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
"""Bytes."""
OLDEST_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


async def read_body(request: Request) -> bytes | None:
    """The body, or None when it is larger than `LARGEST_BODY`; reads no further than that."""
    declared = request.headers.get("content-length", "0")
    if not _TIMESTAMP.fullmatch(declared) or int(declared) > LARGEST_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def is_signed(secrets: Sequence[str], timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether Slack signed `body` with one of `secrets` within 300 seconds of `now` (Unix seconds)."""
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    if abs(now - int(timestamp)) > OLDEST_SECONDS:
        return False
    text = b"v0:" + timestamp.encode() + b":" + body
    return any(
        hmac.compare_digest("v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest(), signature)
        for secret in secrets
    )
