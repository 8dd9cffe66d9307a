"""What became of a call to Slack: one of four, so that the outbox knows whether it may try again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DOUBTFUL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "gateway_timeout"}
"""Slack's words for "some of it may have happened"."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack did it; `data` is its answer (`ts` and `channel` for a message)."""

    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ts(self) -> str:
        return str(self.data.get("ts", ""))


@dataclass(frozen=True, slots=True)
class Refused:
    """Slack said no and will say it again: `channel_not_found`, `not_in_channel`, `invalid_blocks`, …"""

    code: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing happened and it is worth another try after `seconds`: rate limited, or Slack could not be reached."""

    seconds: float
    code: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may or may not have happened: a lost reply, a 5xx, a deadline."""

    reason: str


Outcome = Sent | Refused | Later | Unclear


def judge(status: int, headers: Mapping[str, Any], body: Any) -> Outcome:
    """What an HTTP answer of Slack means."""
    if isinstance(body, str) and body.startswith("{"):
        body = json.loads(body)
    code = str(body.get("error", "ok" if body.get("ok") else "")) if isinstance(body, dict) else str(body or "")
    if status == 429 or code == "ratelimited":
        return Later(_retry_after(headers), "rate_limited")
    if status >= 500 or code in _DOUBTFUL or "non-JSON" in code:
        return Unclear(f"http_{status}")
    if status == 200 and code == "ok":
        return Sent(body if isinstance(body, dict) else {})
    return Refused(code[:80] or f"http_{status}")


def _retry_after(headers: Mapping[str, Any]) -> float:
    value = {name.lower(): value for name, value in headers.items()}.get("retry-after", "1")
    try:
        return max(1.0, float(value[0] if isinstance(value, list) else value))
    except ValueError:
        return 1.0
