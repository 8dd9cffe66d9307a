"""The one way to ask a CRM: within its limits, again when it is worth it, and with the reason when it is not.

Time-outs, cut connections, half bodies, 429 and 5xx are tried again (stamina): after `Retry-After` where the CRM gives
one, else with growing pauses, with full jitter. 401 and 403 stop the source. Once the CRM's own headers say that 80 %
of a long budget (a day's requests) is spent, the run ends and goes on when the budget is new.

Every request here reads, so asking twice is harmless. No answer is read beyond `MOST` bytes. Numbers with a point come
as `Decimal`: money never was a float.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx
import stamina

SHARE = 80
"""Per cent of a long budget that Vigie may see spent: the rest belongs to the CRM's other users."""
ATTEMPTS = 6
PATIENCE = timedelta(minutes=2)
"""The longest that a CRM may ask to wait within a run; what takes longer ends the run, to go on later."""
MOST = 64 * 1024 * 1024
"""Bytes of one answer, unpacked: a page of any CRM here is a hundredth of it."""
_LONGEST = timedelta(days=7)
"""However long a CRM asks to be left alone, it is asked again after this."""
_LINKS = 6
"""From one address to the next, and no further."""
T = TypeVar("T")
_BUSY = frozenset({408, 423, 425, 477})
"""Refusals of the moment, like 5xx: too slow, locked, too early, HubSpot's account that is being moved."""


class CrmError(Exception):
    """The CRM could not be read. `str()` names the method, the path and the status: no query, no body, no secret."""


class RefusedError(CrmError):
    """401 or 403: the credentials are wrong, withdrawn, or lack a right. Asking again does not help."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


class BudgetError(CrmError):
    """The CRM's budget is spent, or it asks to wait for long; `until` is when to go on."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class UnavailableError(CrmError):
    """Time-outs, cut connections, 5xx or what is not JSON, to the last attempt."""


class UnexpectedError(CrmError):
    """An answer that the protocol does not have: 3xx or 4xx that asking again cannot mend, a link to another host."""

    def __init__(self, message: str, status: int, body: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        """The first 2,000 characters, for the connector to look at; never logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a rate header says."""

    limit: int
    remaining: int
    resets: datetime | None = None
    """None = unknown; long budgets then wait an hour."""
    long: bool = False
    """A budget of hours or a day, of which 80 % may be spent; a short one (seconds) is waited for."""

    @property
    def spent(self) -> bool:
        if self.long:
            return 100 * (self.limit - self.remaining) >= SHARE * self.limit
        return self.remaining <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How one CRM wants to be asked."""

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets among them."""
    per_second: float = 5.0
    """The pace that is kept even where the CRM tells no limit."""
    slower: Mapping[str, float] = field(default_factory=dict)
    """Where a part of the API wants fewer a second: how its paths end, and how many."""
    budgets: Callable[[httpx.Response, datetime], list[Budget]] = field(default=lambda _response, _now: [])
    is_limit: Callable[[httpx.Response], bool] = field(default=lambda response: response.status_code == 429)
    """Whether a refusal is about the rate (Salesforce says so with a 403)."""
    sign_in: Callable[[httpx.Client], Mapping[str, str]] | None = None
    """Where a token must be fetched first: asks for it (`raise_for_status`) and gives the headers; asked once more
    after a 401."""


class Client:
    """Asks one CRM for one workspace; not for several threads at once.

    `transport`, `pause` and `now` are for tests.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits, self._pause, self._now = limits, pause, now
        self._http = httpx.Client(
            base_url=limits.base_url,
            # As bytes: a token pasted with a stray "…" is for the CRM to refuse, not for the codec to raise over.
            headers=[(name.encode(), value.strip().encode()) for name, value in limits.headers.items()],
            timeout=httpx.Timeout(30, connect=10),
            transport=transport,
        )
        self._signed_in = limits.sign_in is None
        self._renewed = False
        self._next_at = 0.0
        self._number = 1
        self._closed_until: datetime | None = None
        self._closed_by = ""
        self.spent = 0
        """Requests sent, retries included."""
        self.behind: timedelta | None = None
        """How far the CRM's clock (its Date header at the first answer) is behind ours; None where it tells none."""

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at `path`; parameters that are None are left out. Raises `CrmError`."""
        return self.ask("GET", path, params=params)

    def post(self, path: str, json: Any) -> Any:
        return self.ask("POST", path, json=json)

    def ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None) -> Any:
        """One request, tried again where that may help, and its JSON.

        `path` may be a whole address of the same host (a "next page" link, without `params`). Raises `CrmError`; a 404
        is an `UnexpectedError` with that status.
        """
        address, home = httpx.URL(path), self._http.base_url
        shown = f"{method} {address.path}"
        if address.is_absolute_url and (address.scheme, address.host, address.port) != (
            home.scheme,
            home.host,
            home.port,
        ):
            # The credentials go nowhere else, whatever an answer says.
            raise UnexpectedError(f"{shown}: another host", 0, "")
        self._renewed = False
        given = {key: value for key, value in (params or {}).items() if value is not None}
        return self._patiently(shown, lambda: self._once(method, path, given, json, shown))

    def download(self, address: str, most: int, headers: Mapping[str, str]) -> httpx.Response:
        """A file, whole, or the word that it is the same as before (304). Links to other https addresses are followed,
        so this is not for sources with credentials.

        Raises `CrmError`; a file of more than `most` bytes is an `UnexpectedError` with the status 413.
        """
        # The address may be a secret: whoever knows it reads the file.
        return self._patiently("GET file", lambda: self._fetch(address, most, headers, "GET file"))

    def wait(self, seconds: float) -> None:
        """Pause, as between two requests."""
        self._pause(seconds)

    def _patiently(self, shown: str, once: Callable[[], T]) -> T:
        try:
            # Retries wait in `_again`, which knows what the CRM asked for.
            for attempt in stamina.retry_context(
                on=self._again, attempts=ATTEMPTS, timeout=None, wait_initial=0, wait_max=0, wait_jitter=0
            ):
                with attempt:
                    self._number = attempt.num
                    return once()
        except _Again as last:
            if last.until is not None:
                raise BudgetError(f"{shown}: {last}", last.until) from None
            raise UnavailableError(f"{shown}: {last}") from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._http.close()

    def _once(self, method: str, path: str, params: Mapping[str, Any], json: Any, shown: str) -> Any:
        if not self._signed_in and self._limits.sign_in is not None:
            self._sign_in(shown)
        self._keep_pace(path)
        self.spent += 1
        try:
            with self._http.stream(method, path, params=params or None, json=json) as told:
                response = _whole(told, MOST, shown)
        except httpx.LocalProtocolError:
            raise RefusedError(f"{shown}: the credentials cannot be sent") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(type(error).__name__) from None
        if response.status_code == 401 and self._limits.sign_in is not None and not self._renewed:
            self._signed_in, self._renewed = False, True
            raise _Again("401")
        return self._read(response, shown)

    def _fetch(self, address: str, most: int, headers: Mapping[str, str], shown: str) -> httpx.Response:
        self._keep_pace(address)
        url = httpx.URL(address)
        for _ in range(_LINKS):
            self.spent += 1
            try:
                with self._http.stream("GET", url, headers=headers) as response:
                    whole = _whole(response, most, shown)
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise _Again(type(error).__name__) from None
            if response.next_request is None:
                break
            url = response.next_request.url
            if url.scheme != "https":
                raise UnexpectedError(f"{shown}: a link that is not https", 0, "")
        if whole.status_code != httpx.codes.NOT_MODIFIED:
            self._judge(whole, shown)
        return whole

    def _sign_in(self, shown: str) -> None:
        assert self._limits.sign_in is not None  # noqa: S101 - the caller has looked
        self.spent += 1
        try:
            self._http.headers.update(self._limits.sign_in(self._http))
        except httpx.HTTPStatusError as error:
            response, status = error.response, error.response.status_code
            if status < 500 and status != 429 and status not in _BUSY:
                raise RefusedError(f"{shown}: signing in, {status}", status) from None
            raise _Again(f"signing in, {status}", wait=_retry_after(response, self._now())) from None
        except (httpx.TransportError, httpx.DecodingError, ValueError, KeyError) as error:
            raise _Again(f"signing in, {type(error).__name__}") from None
        self._signed_in = True

    def _judge(self, response: httpx.Response, shown: str) -> None:
        """Raise for what is no answer."""
        status, now = response.status_code, self._now()
        if self._limits.is_limit(response):
            self._refuse_if_spent(response, now, f"{shown}: {status}")
            raise _Again(str(status), wait=_retry_after(response, now), until=now + timedelta(minutes=5))
        if status >= 500 or status in _BUSY:
            raise _Again(str(status), wait=_retry_after(response, now))
        if status in {401, 403}:
            raise RefusedError(f"{shown}: {status}", status)
        if not response.is_success:
            raise UnexpectedError(f"{shown}: {status}", status, response.text[:2000])

    def _read(self, response: httpx.Response, shown: str) -> Any:
        self._judge(response, shown)
        try:
            found = response.json(parse_float=Decimal)
        except ValueError:
            # Half a body behind a complete header: worth another try.
            raise _Again("not JSON") from None
        now, there = self._now(), _moment(response.headers.get("date", ""))
        if self.behind is None and there is not None:
            self.behind = max(timedelta(0), now - there)
        self._mind(response, now, shown)
        return found

    def _mind(self, response: httpx.Response, now: datetime, shown: str) -> None:
        """The answer is in hand: what is spent is minded before the next request."""
        for budget in self._limits.budgets(response, now):
            if not budget.spent:
                continue
            until = budget.resets or now + timedelta(hours=1 if budget.long else 0)
            if budget.long:
                self._closed_until = max(until, self._closed_until or until)
                self._closed_by = shown
            else:
                wait = min(until - now, PATIENCE).total_seconds()
                self._next_at = max(self._next_at, monotonic() + wait)

    def _keep_pace(self, path: str) -> None:
        if self._closed_until is not None and self._now() < self._closed_until:
            raise BudgetError(f"{self._closed_by}: {SHARE} % of the budget is spent", self._closed_until)
        wait = self._next_at - monotonic()
        if wait > 0:
            self._pause(wait)
        paces = (pace for ending, pace in self._limits.slower.items() if path.endswith(ending))
        self._next_at = monotonic() + 1 / next(paces, self._limits.per_second)

    def _again(self, error: Exception) -> bool:
        """Whether to try again, after waiting as long as the CRM asked, or ever longer."""
        if not isinstance(error, _Again):
            return False
        if error.wait is not None and error.wait > PATIENCE:
            error.until = self._now() + error.wait
            return False
        if self._number < ATTEMPTS:
            asked = error.wait.total_seconds() if error.wait is not None else 0.0
            # Full jitter on top of what was asked: a crowd that was told "10 s" must not come back together.
            self._pause(asked + random.uniform(0, min(30.0, 0.5 * 2**self._number)))  # noqa: S311 - no secret
        return True

    def _refuse_if_spent(self, response: httpx.Response, now: datetime, shown: str) -> None:
        """A refusal because of the day's budget is not worth another try today."""
        spent = [each for each in self._limits.budgets(response, now) if each.long and each.spent]
        if spent:
            raise BudgetError(shown, max(budget.resets or now + timedelta(hours=1) for budget in spent))


class _Again(Exception):  # noqa: N818 - never leaves this room
    def __init__(self, message: str, *, wait: timedelta | None = None, until: datetime | None = None) -> None:
        super().__init__(message)
        self.wait, self.until = wait, until


def _whole(response: httpx.Response, most: int, shown: str) -> httpx.Response:
    """The answer with its body, which must not be longer than so many bytes once it is unpacked."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > most:
            raise UnexpectedError(f"{shown}: more than {most} bytes", 413, "")
    unpacked = (b"content-encoding", b"content-length", b"transfer-encoding")
    told = [(name, value) for name, value in response.headers.raw if name.lower() not in unpacked]
    return httpx.Response(response.status_code, headers=told, content=bytes(body))


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """Seconds or a date (by the CRM's own clock where it tells it); None where the CRM does not say."""
    said = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", said):
        return timedelta(seconds=min(float(said), _LONGEST.total_seconds()))
    when = _moment(said)
    if when is None:
        return None
    return min(max(timedelta(0), when - (_moment(response.headers.get("date", "")) or now)), _LONGEST)


def _moment(said: str) -> datetime | None:
    """A date of HTTP; None for what is none."""
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
