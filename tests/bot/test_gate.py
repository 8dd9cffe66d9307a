"""The check in front of everything that comes by HTTP."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gate import is_signed
from bot.logs import redact

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_790_000_000.0
BODY = b"command=%2Fkpi&text=help"


def signed(timestamp: str, body: bytes = BODY, secret: str = SECRET) -> str:
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def test_what_slack_signed_just_now_passes() -> None:
    assert is_signed([SECRET], "1790000000", signed("1790000000"), BODY, NOW)


@pytest.mark.parametrize("timestamp", ["1789999699", "1790000301", "0", "9" * 12])
def test_what_is_older_or_newer_than_five_minutes_is_refused(timestamp: str) -> None:
    assert not is_signed([SECRET], timestamp, signed(timestamp), BODY, NOW)


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "-1", "1.5", "１７９００００００００", "1790000000\n", " 1790000000", "9" * 400]
)
def test_a_malformed_timestamp_is_refused(timestamp: str) -> None:
    assert not is_signed([SECRET], timestamp, signed(timestamp), BODY, NOW)


@pytest.mark.parametrize("signature", ["", "v0=", "v0=é", "v1=" + "0" * 64, "v0=" + "0" * 64, "v0=" + "G" * 64])
def test_a_malformed_or_wrong_signature_is_refused(signature: str) -> None:
    assert not is_signed([SECRET], "1790000000", signature, BODY, NOW)


def test_a_changed_body_or_another_secret_is_refused() -> None:
    assert not is_signed([SECRET], "1790000000", signed("1790000000"), BODY + b"x", NOW)
    assert not is_signed([SECRET], "1790000000", signed("1790000000", secret="other"), BODY, NOW)
    assert not is_signed([], "1790000000", signed("1790000000", secret=""), BODY, NOW)


def test_while_the_secret_is_replaced_both_pass() -> None:
    for secret in ("old", "new"):
        assert is_signed(["new", "old"], "1790000000", signed("1790000000", secret=secret), BODY, NOW)


@given(st.text(max_size=80), st.text(max_size=80), st.binary(max_size=80))
def test_nothing_invented_passes_and_nothing_raises(timestamp: str, signature: str, body: bytes) -> None:
    assert not is_signed([SECRET], timestamp, signature, body, NOW)


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abc",
        "xapp-1-A1-2-ff",
        "xoxe.xoxb-1-abc",
        "https://hooks.slack.com/commands/T1/2/abc",
        "wss://wss-primary.slack.com/link/?ticket=abc",
        "postgresql://vigie:hunter2@db/vigie",
        "Bearer abc.def",
        "someone@example.com",
    ],
)
def test_no_secret_reaches_the_log(secret: str) -> None:
    line = redact(f"before {secret} after")
    assert secret not in line
    assert "hunter2" not in line
    assert line.startswith("before ")
    assert line.endswith(" after")
