"""What became of a call to Slack: one of four, so that the outbox knows whether it may try again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_DOUBTFUL = {
    "fatal_error",
    "gateway_timeout",
    "internal_error",
    "request_timeout",
    "service_unavailable",
    "update_failed",
}
"""Slack's words for "some of it may have happened"."""

_TOO_MUCH = {"message_limit_exceeded", "rate_limited", "ratelimited"}
"""Its words for "nothing happened, there is too much of it"."""

_BUSY = {"external_channel_migrating", "streaming_state_conflict"}
"""Its words for "not just now"."""

STOPPING = frozenset(
    {
        "accesslimited",
        "account_inactive",
        "deprecated_endpoint",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "method_deprecated",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_added_to_org",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
"""Refusals that have nothing to do with the message: nobody's would be taken, until somebody gives Vigie a token, a
scope or a version that is."""

PLAINER = frozenset(
    {
        "block_mismatch",
        "blocked_file_type",
        "file_deleted",
        "file_is_deleted",
        "file_not_found",
        "file_share_limit_reached",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "max_file_sharing_exceeded",
        "missing_file_data",
        "msg_blocks_too_long",
        "slack_connect_blocked_file_type",
        "slack_connect_file_link_sharing_blocked",
        "slack_connect_file_upload_sharing_blocked",
        "unable_to_share_files",
    }
)
"""Refusals of a message's form: its words without the picture, or without any block, may be taken."""

DIGESTED = frozenset({"invalid_blocks"})
"""Among those, what Slack says of a picture that it is still working on."""

_SHORTEST_WAIT, _UNSAID_WAIT, _LONGEST_WAIT = 1.0, 10.0, 3600.0
"""Seconds: a 429 is waited for so long at least, so long where it does not say, so long at most before asking again."""


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
        try:
            body = json.loads(body)
        except ValueError:
            return Unclear(f"cut_answer_{status}")
    code = str(body.get("error", "ok" if body.get("ok") else "")) if isinstance(body, dict) else str(body or "")
    if status == 429 or code in _TOO_MUCH:
        return Later(_retry_after(headers), "rate_limited")
    if status >= 500 or status == 408 or code in _DOUBTFUL or "non-JSON" in code:
        return Unclear(f"http_{status}")
    if code in _BUSY:
        return Later(_UNSAID_WAIT, code)
    if status == 200 and code == "ok":
        return Sent(body if isinstance(body, dict) else {})
    return Refused(code[:80] or f"http_{status}")


def _retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds, as HTTP says them: a number, or the date when they are over, by the clock of whoever says it."""
    said = {name.lower(): value[0] if isinstance(value, list) else value for name, value in headers.items()}
    wait = str(said.get("retry-after", "")).strip()
    try:
        seconds = float(wait)
    except ValueError:
        seconds = _until(wait, str(said.get("date", "")))
    # Whatever is no number of seconds (inf, nan) is as good as unsaid.
    return min(max(seconds, _SHORTEST_WAIT), _LONGEST_WAIT) if seconds < float("inf") else _UNSAID_WAIT


def _until(wait: str, said_at: str) -> float:
    try:
        until = _aware(wait)
        now = _aware(said_at) if said_at else datetime.now(UTC)
    except ValueError:
        return _UNSAID_WAIT
    return (until - now).total_seconds()


def _aware(date: str) -> datetime:
    moment = parsedate_to_datetime(date)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
