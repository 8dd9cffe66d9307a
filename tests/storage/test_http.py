"""The one way to ask a CRM: again when that helps, never when it does not, within every limit, telling no secret."""

import contextlib
import gzip
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.connectors import http
from storage.connectors.base import Knock
from storage.connectors.http import (
    ATTEMPTS,
    Budget,
    BudgetError,
    Client,
    CrmError,
    Limits,
    RefusedError,
    UnavailableError,
    UnexpectedError,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
SECRET, PERSON = "pat-eu1-do-not-tell", "jane@example.com"
LIMITS = Limits(base_url="https://crm.test", headers={"Authorization": f"Bearer {SECRET}"}, per_second=1e9)
OK = httpx.Response(200, json={"results": [1]})

Answer = httpx.Response | Exception


class Crm:
    """Gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer, limits: Limits = LIMITS) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.now = NOW
        transport = httpx.MockTransport(self.answer)
        self.client = Client(limits, transport=transport, pause=self.waits.append, now=lambda: self.now)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer.stream, httpx.ByteStream) and "content-encoding" in answer.headers:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance always chooses the longest wait."""
    monkeypatch.setattr(http.random, "uniform", lambda _low, high: high)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time goes by but what is waited."""
    monkeypatch.setattr(http, "monotonic", lambda: 1000.0)


def test_an_answer_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST", 1000)
    packed = gzip.compress(b'{"results": "' + b"x" * 1000 + b'"}')
    crm = Crm(httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(packed)))
    with pytest.raises(UnexpectedError, match="GET /deals: more than 1000 bytes") as caught:
        crm.client.get("/deals")
    assert (len(packed) < 1000, caught.value.status, len(crm.requests)) == (True, 413, 1)


# What is tried again.


@pytest.mark.parametrize(
    "accident",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(429),
        httpx.Response(408),
        httpx.Response(423),
        httpx.Response(477),
        httpx.Response(200, content=b'{"results": [1'),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, content=b""),
    ],
    ids=str,
)
def test_an_accident_is_tried_again(accident: Answer) -> None:
    crm = Crm(accident, accident, OK)
    assert crm.client.get("/deals") == {"results": [1]}
    assert crm.client.spent == 3


def test_waits_grow_up_to_their_longest(longest: None, still: None) -> None:
    crm = Crm(httpx.Response(503))
    with pytest.raises(UnavailableError, match=r"^GET /deals: 503$"):
        crm.client.get("/deals")
    assert [wait for wait in crm.waits if wait > 0.1] == [1, 2, 4, 8, 16]
    assert len(crm.requests) == ATTEMPTS


def test_waits_have_full_jitter() -> None:
    waits = []
    for _ in range(200):
        crm = Crm(httpx.Response(503), OK)
        crm.client.get("/deals")
        waits.append(max(crm.waits))
    assert min(waits) < 0.1
    assert max(waits) > 0.9


def test_retry_after_in_seconds_is_the_least_that_is_waited(longest: None, still: None) -> None:
    crm = Crm(httpx.Response(429, headers={"retry-after": "7"}), OK)
    crm.client.get("/deals")
    assert max(crm.waits) == 8


def test_retry_after_as_a_date_goes_by_the_clock_of_the_crm(longest: None, still: None) -> None:
    headers = {"retry-after": "Mon, 23 Nov 2026 08:00:30 GMT", "date": "Mon, 23 Nov 2026 08:00:00 GMT"}
    crm = Crm(httpx.Response(503, headers=headers), OK)
    crm.client.get("/deals")
    assert max(crm.waits) == 31


def test_retry_after_as_a_date_goes_by_our_clock_where_the_crm_tells_no_other(longest: None, still: None) -> None:
    crm = Crm(httpx.Response(429, headers={"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}), OK)
    crm.client.get("/deals")
    assert max(crm.waits) == 31


def test_a_long_wait_ends_the_run_until_then() -> None:
    crm = Crm(httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(BudgetError, match=r"^GET /deals: 429$") as caught:
        crm.client.get("/deals")
    assert caught.value.until == NOW + timedelta(hours=1)
    assert len(crm.requests) == 1


def test_an_endless_wait_is_asked_about_after_a_week() -> None:
    crm = Crm(httpx.Response(503, headers={"retry-after": "9" * 400}))
    with pytest.raises(BudgetError) as caught:
        crm.client.get("/deals")
    assert caught.value.until == NOW + timedelta(days=7)


def test_a_storm_of_429_ends_the_run_for_minutes() -> None:
    crm = Crm(httpx.Response(429))
    with pytest.raises(BudgetError) as caught:
        crm.client.get("/deals")
    assert len(crm.requests) == ATTEMPTS
    assert caught.value.until == NOW + timedelta(minutes=5)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40))
def test_whatever_retry_after_says_the_crm_is_asked_again_or_later(said: str) -> None:
    busy = httpx.Response(503, headers=[(b"retry-after", said.encode("latin-1"))])
    crm = Crm(busy, OK)
    with contextlib.suppress(BudgetError):
        assert crm.client.get("/deals") == {"results": [1]}


@given(st.integers(0, 400), st.sampled_from(["2026", "1999", "9999", "0000", "20260"]))
def test_dates_that_do_not_exist_are_no_wait(number: int, year: str) -> None:
    busy = httpx.Response(503, headers={"retry-after": f"Mon, {number} Nov {year} 10:{number}:00 +{number}00"})
    crm = Crm(busy, OK)
    with contextlib.suppress(BudgetError):
        assert crm.client.get("/deals") == {"results": [1]}


# What is not.


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    crm = Crm(httpx.Response(status))
    with pytest.raises(RefusedError) as caught:
        crm.client.get("/deals")
    assert caught.value.status == status
    assert len(crm.requests) == 1


@pytest.mark.parametrize("status", [301, 304, 400, 404, 409, 410, 422])
def test_an_answer_that_the_protocol_does_not_have_says_its_status(status: int) -> None:
    crm = Crm(httpx.Response(status, content=b"x" * 5000))
    with pytest.raises(UnexpectedError, match=f"^POST /search: {status}$") as caught:
        crm.client.post("/search", {"secret": SECRET})
    assert caught.value.status == status
    assert caught.value.body == "x" * 2000
    assert len(crm.requests) == 1


def test_a_refusal_may_be_about_the_rate() -> None:
    limits = replace(LIMITS, is_limit=lambda response: b"LIMIT" in response.content)
    crm = Crm(httpx.Response(403, content=b"REQUEST_LIMIT_EXCEEDED"), OK, limits=limits)
    assert crm.client.get("/deals") == {"results": [1]}


@pytest.mark.parametrize("address", ["https://evil.test/deals", "http://crm.test/deals", "https://crm.test:8443/deals"])
def test_credentials_go_to_no_other_host(address: str) -> None:
    crm = Crm(OK)
    with pytest.raises(UnexpectedError, match="another host"):
        crm.client.get(address)
    assert crm.requests == []


def test_a_whole_address_of_the_same_host_keeps_its_query() -> None:
    crm = Crm(OK)
    crm.client.get("https://crm.test/deals?after=42&limit=100")
    assert str(crm.requests[0].url) == "https://crm.test/deals?after=42&limit=100"


# What is asked and told.


def test_parameters_that_are_none_are_left_out() -> None:
    crm = Crm(OK)
    crm.client.get("/deals", after=None, limit=100)
    assert str(crm.requests[0].url) == "https://crm.test/deals?limit=100"


def test_money_never_is_a_float() -> None:
    crm = Crm(httpx.Response(200, content=b'{"value": 12345678901234.57, "count": 3}'))
    assert crm.client.get("/deals") == {"value": Decimal("12345678901234.57"), "count": 3}


def test_the_first_answer_tells_how_far_the_crm_s_clock_is_behind() -> None:
    first = httpx.Response(200, json={}, headers={"date": (NOW - timedelta(minutes=20)).strftime(HTTP_DATE)})
    later = httpx.Response(200, json={}, headers={"date": (NOW - timedelta(hours=20)).strftime(HTTP_DATE)})
    crm = Crm(first, later)
    assert crm.client.behind is None
    crm.client.get("/deals")
    crm.client.get("/deals")
    assert crm.client.behind == timedelta(minutes=20)


def test_a_crm_whose_clock_is_ahead_is_not_behind() -> None:
    crm = Crm(httpx.Response(200, json={}, headers={"date": (NOW + timedelta(hours=2)).strftime(HTTP_DATE)}))
    crm.client.get("/deals")
    assert crm.client.behind == timedelta(0)


def test_of_a_crm_without_a_clock_nobody_knows_how_far_it_is_behind() -> None:
    crm = Crm(httpx.Response(200, json={}, headers={"date": "yesterday"}))
    crm.client.get("/deals")
    assert crm.client.behind is None


def test_the_secrets_of_the_limits_are_shown_nowhere() -> None:
    assert "s3cret" not in repr(Limits(base_url="https://crm.test", headers={"Authorization": "Bearer s3cret"}))


def test_what_a_knock_proves_itself_by_is_shown_nowhere() -> None:
    headers = {"authorization": "Basic s3cret"}
    assert "s3cret" not in repr(Knock(method="POST", url="https://bot.test/s3cret", headers=headers, body=b"s3cret"))


@pytest.mark.parametrize(
    "accident",
    [
        httpx.ReadTimeout(f"https://crm.test/deals?key={SECRET}"),
        *(httpx.Response(status, content=SECRET.encode()) for status in (200, 301, 401, 403, 404, 429, 500)),
        httpx.Response(429, headers={"retry-after": "9999"}, content=SECRET.encode()),
    ],
    ids=str,
)
def test_no_secret_and_no_query_is_told(accident: Answer, caplog: pytest.LogCaptureFixture) -> None:
    crm, asked = Crm(accident), {"email": PERSON, "key": SECRET}
    with pytest.raises(CrmError) as caught:
        crm.client.get("/deals", **asked)
    told = "".join(traceback.format_exception(caught.value)) + str(vars(caught.value).get("until", ""))
    told += "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    assert str(caught.value).startswith("GET /deals: ")
    assert SECRET not in told
    assert PERSON not in told


# Budgets and pace.


def _counting(*left: int, long: bool, resets: datetime | None = None) -> Limits:
    """A budget of 100 that stands at these, answer by answer."""
    told = iter(left)

    def budgets(_response: httpx.Response, _now: datetime) -> list[Budget]:
        return [Budget(limit=100, remaining=next(told), long=long, resets=resets)]

    return replace(LIMITS, budgets=budgets)


def test_of_a_long_budget_eighty_per_cent_are_spent_and_no_more() -> None:
    tomorrow = NOW + timedelta(hours=14)
    crm = Crm(OK, limits=_counting(21, 20, 90, long=True, resets=tomorrow))
    crm.client.get("/deals")
    assert crm.client.get("/deals") == {"results": [1]}, "the answer is in hand"
    for _ in range(2):
        with pytest.raises(BudgetError, match=r"^GET /deals: 80 % of the budget is spent$") as caught:
            crm.client.get("/leads")
        assert caught.value.until == tomorrow
    assert len(crm.requests) == 2
    crm.now = tomorrow
    assert crm.client.get("/deals") == {"results": [1]}


def test_a_long_budget_that_does_not_say_when_it_is_new_waits_an_hour() -> None:
    crm = Crm(OK, limits=_counting(0, long=True))
    crm.client.get("/deals")
    with pytest.raises(BudgetError) as caught:
        crm.client.get("/deals")
    assert caught.value.until == NOW + timedelta(hours=1)


def test_a_refusal_of_the_day_is_not_tried_again_today() -> None:
    tomorrow = NOW + timedelta(hours=14)
    crm = Crm(httpx.Response(429), limits=_counting(0, long=True, resets=tomorrow))
    with pytest.raises(BudgetError) as caught:
        crm.client.get("/deals")
    assert caught.value.until == tomorrow
    assert len(crm.requests) == 1


def test_a_short_budget_is_waited_for_before_the_next_request(still: None) -> None:
    crm = Crm(OK, limits=_counting(1, 0, 99, long=False, resets=NOW + timedelta(seconds=9)))
    crm.client.get("/deals")
    crm.client.get("/deals")
    assert max(crm.waits, default=0) < 1, "nothing is asked any more: nothing is waited for"
    crm.client.get("/deals")
    assert max(crm.waits) == pytest.approx(9)


def test_a_pace_is_kept_and_a_slower_one_where_the_crm_wants_it(still: None) -> None:
    crm = Crm(OK, limits=replace(LIMITS, per_second=10, slower={"/search": 4}))
    crm.client.get("/deals")
    assert crm.waits == []
    crm.client.post("/deals/search", {})
    crm.client.get("/deals")
    assert crm.waits == [pytest.approx(0.1), pytest.approx(0.25)]


# Signing in.


class Door:
    """Gives out tokens; the CRM below takes only the newest."""

    def __init__(self, *answers: int | bytes) -> None:
        self.answers: list[int | bytes] = list(answers)
        self.given = 0

    def __call__(self, client: httpx.Client) -> Mapping[str, str]:
        response = client.post("/token", content=f"secret={SECRET}")
        response.raise_for_status()
        return {"Authorization": f"Bearer {response.json()['access_token']}"}

    def crm(self, takes: Callable[[str], bool]) -> Crm:
        crm = Crm(OK)

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/token":
                told = self.answers.pop(0) if self.answers else 200
                if isinstance(told, bytes):
                    return httpx.Response(200, content=told)
                self.given += 1
                return httpx.Response(told, json={"access_token": f"t{self.given}"})
            if not takes(request.headers.get("authorization", "")):
                crm.requests.append(request)
                return httpx.Response(401)
            return crm.answer(request)

        transport = httpx.MockTransport(answer)
        crm.client = Client(
            replace(LIMITS, headers={}, sign_in=self), transport=transport, pause=crm.waits.append, now=lambda: NOW
        )
        return crm


def test_a_token_is_fetched_once() -> None:
    door = Door()
    crm = door.crm(lambda token: token == "Bearer t1")
    crm.client.get("/deals")
    crm.client.get("/deals")
    assert door.given == 1
    assert crm.client.spent == 3


def test_a_token_that_has_expired_is_fetched_anew() -> None:
    door = Door()
    crm = door.crm(lambda token: token == "Bearer t2")
    assert crm.client.get("/deals") == {"results": [1]}
    assert door.given == 2


def test_a_new_token_that_is_refused_too_is_a_refusal() -> None:
    door = Door()
    crm = door.crm(lambda _token: False)
    with pytest.raises(RefusedError) as caught:
        crm.client.get("/deals")
    assert caught.value.status == 401
    assert (door.given, len(crm.requests)) == (2, 2)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_being_refused_at_the_door_is_a_refusal(status: int) -> None:
    crm = Door(status).crm(lambda _token: True)
    with pytest.raises(RefusedError, match=f"^GET /deals: signing in, {status}$"):
        crm.client.get("/deals")
    assert crm.requests == []


def test_an_accident_at_the_door_is_tried_again() -> None:
    door = Door(503, 429, b'{"access_to', b"{}")
    crm = door.crm(lambda _token: True)
    assert crm.client.get("/deals") == {"results": [1]}


# Over a real socket.


@contextlib.contextmanager
def saying(*answers: bytes | None) -> Iterator[str]:
    """A server that says these bytes to one connection after the other and hangs up; None says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                connection.recv(65536)
                if answer is None:
                    held.append(connection)
                    continue
                connection.sendall(answer)
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)
        for connection in held:
            connection.close()


class Hurried(httpx.HTTPTransport):
    """As the real one, with no patience."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), 0.2)
        return super().handle_request(request)


WHOLE = b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{"results":[1]}'


def _real(address: str, token: str = SECRET) -> Client:
    limits = replace(LIMITS, base_url=address, headers={"Authorization": f"Bearer {token}"})
    return Client(limits, transport=Hurried(), pause=lambda _seconds: None)


@pytest.mark.parametrize(
    "accident",
    [
        None,
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"results"',
        b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"res',
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        WHOLE.replace(b'{"results":[1]}', b'{"results":[1,2'),
    ],
    ids=["silence", "hung up", "half a header", "half a body", "half a chunk", "broken gzip", "not HTTP", "half JSON"],
)
def test_a_connection_that_fails_is_tried_again(accident: bytes | None) -> None:
    with saying(accident, WHOLE) as address:
        client = _real(address)
        assert client.get("/deals") == {"results": [1]}
        assert client.spent == 2
        client.close()


def test_a_crm_that_stays_silent_is_unavailable() -> None:
    with saying(*[None] * ATTEMPTS) as address:
        client = _real(address)
        with pytest.raises(UnavailableError, match=r"^GET /deals: ReadTimeout$"):
            client.get("/deals")
        client.close()


def test_a_crm_that_nobody_runs_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = _real(f"http://127.0.0.1:{port}")
    with pytest.raises(UnavailableError, match=r"^GET /deals: ConnectError$"):
        client.get("/deals")
    client.close()


def test_a_token_pasted_with_a_stray_sign_is_for_the_crm_to_refuse() -> None:
    with saying(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n") as address:
        client = _real(address, token="clé…\n")
        with pytest.raises(RefusedError):
            client.get("/deals")
        client.close()


def test_a_token_that_no_header_can_carry_is_refused_without_being_told() -> None:
    with saying(WHOLE) as address:
        client = _real(address, token=f"{SECRET}\nX-Other: 1")
        with pytest.raises(RefusedError) as caught:
            client.get("/deals")
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        client.close()


def test_a_client_waits_for_real_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults: dict[str, Any] = Client.__init__.__kwdefaults__
    assert defaults["pause"] is http.sleep
    assert defaults["now"]().tzinfo is UTC


# Files.

FILE = httpx.Response(200, content=b"name;amount\n", headers={"etag": '"1"', "content-type": "text/csv"})


def _moved(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": to})


def test_a_file_is_fetched_whole_after_accidents_and_links() -> None:
    crm = Crm(httpx.Response(503), _moved("https://files.test/b?key=1"), httpx.ReadTimeout("slow"), FILE)
    answer = crm.client.download("https://share.test/a", 1000, {})
    assert (answer.content, answer.headers["etag"]) == (b"name;amount\n", '"1"')
    assert [request.url.host for request in crm.requests] == ["share.test", "share.test", "files.test", "share.test"]
    assert crm.client.spent == 4


def test_a_file_that_is_the_same_as_before_is_not_sent_again() -> None:
    crm = Crm(httpx.Response(304))
    assert crm.client.download("https://share.test/a", 1000, {"if-none-match": '"1"'}).status_code == 304
    assert crm.requests[0].headers["if-none-match"] == '"1"'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (_moved("http://share.test/a"), "a link that is not https"),
        (_moved("https://share.test/a"), "302"),
        (httpx.Response(200, content=b"x" * 1001), "more than 1000 bytes"),
        (httpx.Response(404), "404"),
    ],
    ids=["plain link", "endless links", "too long", "not there"],
)
def test_a_file_that_cannot_be_had_is_said_without_its_address(answer: httpx.Response, why: str) -> None:
    crm = Crm(answer)
    with pytest.raises(UnexpectedError) as caught:
        crm.client.download(f"https://share.test/{SECRET}", 1000, {})
    assert why in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert len(crm.requests) <= 6
