"""What reaches Vigie by HTTP: nothing unsigned, nothing malformed, nothing too large; and nothing of it in the log."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.gate import LARGEST_BODY
from tests.bot.conftest import Stage

Post = Callable[..., httpx.Response]
BODY = b"command=%2Fkpi&text=canary-figure&user_id=U1&channel_id=C1"


def headers(stage: Stage, body: bytes, *, late: timedelta = timedelta()) -> dict[str, str]:
    timestamp = str(int((stage.clock.now() - late).timestamp()))
    secret = stage.playground.signing_secret.encode()
    signature = "v0=" + hmac.new(secret, f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature,
        "content-type": "application/x-www-form-urlencoded",
    }


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": b"v0=\xff\xfe"},
        {"x-slack-request-timestamp": "soon"},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": b"\xb2\xb3"},
        {"x-slack-request-timestamp": "9" * 40},
    ],
)
def test_what_slack_did_not_sign_is_401_and_not_logged(
    http_vigie: Stage, signed_post: Post, caplog: pytest.LogCaptureFixture, change: dict[str, str]
) -> None:
    sent = {**headers(http_vigie, BODY), **change} if change else {}
    answer = signed_post(BODY, sent)
    assert (answer.status_code, answer.content) == (401, b"")
    assert "canary-figure" not in caplog.text


HEADER = st.binary(max_size=80).map(lambda raw: bytes(each for each in raw if each > 32 and each != 127))
"""What HTTP itself lets through."""


@given(stamp=HEADER, signature=HEADER | st.text("v0=9aAfF", max_size=70).map(str.encode))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_the_place_of_a_signature_is_401(
    http_vigie: Stage, signed_post: Post, stamp: bytes, signature: bytes
) -> None:
    made = headers(http_vigie, BODY)
    for sent in ({"x-slack-signature": signature}, {"x-slack-request-timestamp": stamp}):
        answer = signed_post(BODY, {**made, **sent})
        assert (answer.status_code, answer.content) == (401, b"")


def test_an_old_request_is_401(http_vigie: Stage, signed_post: Post) -> None:
    assert signed_post(BODY, headers(http_vigie, BODY, late=timedelta(minutes=6))).status_code == 401


def test_a_body_over_a_mebibyte_is_not_read(http_vigie: Stage, signed_post: Post) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    assert signed_post(body, headers(http_vigie, body)).status_code == 413


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"", b"payload=%7Bnot-json", b"[]", b"null", b'{"type":"nothing"}', BODY]
)
def test_a_signed_body_that_makes_no_sense_is_no_server_error(
    http_vigie: Stage, signed_post: Post, body: bytes
) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
        answer = signed_post(body, {**headers(http_vigie, body), "content-type": kind})
        assert answer.status_code < 500


def test_slacks_address_check_is_answered(http_vigie: Stage, signed_post: Post) -> None:
    body = b'{"type":"url_verification","challenge":"abc","token":"x"}'
    answer = signed_post(body, {**headers(http_vigie, body), "content-type": "application/json"})
    assert answer.status_code == 200
    assert "abc" in answer.text


def test_health_is_told_without_a_signature(http_vigie: Stage) -> None:
    answer = httpx.get(f"{http_vigie.url}/healthz", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_nothing_else_is_served(http_vigie: Stage) -> None:
    assert httpx.get(f"{http_vigie.url}/slack/events", trust_env=False).status_code == 405
    assert httpx.get(f"{http_vigie.url}/", trust_env=False).status_code == 404


def test_in_socket_mode_the_http_door_is_shut(vigie: Stage) -> None:
    answer = httpx.post(f"{vigie.url}/slack/events", content=BODY, headers=headers(vigie, BODY), trust_env=False)
    assert answer.status_code == 401
