"""The one way to ask a CRM: within its limits, again when it is worth it, and with the reason when it is not.

Time-outs, cut connections, 429 and 5xx are tried again (stamina): after `Retry-After` where the CRM gives one, else
with growing pauses, with full jitter. 401 and 403 stop the source. Once the CRM's own headers say that 80 % of a long
budget (a day's requests) is spent, the run ends and goes on when the budget is new.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import Any

import httpx
import stamina

SHARE = 0.8
"""Of a long budget, Vigie spends no more: the rest belongs to the CRM's other users."""
ATTEMPTS = 6
PATIENCE = timedelta(minutes=2)
"""The longest that a CRM may ask to wait within a run; what takes longer ends the run, to go on later."""


class CrmError(Exception):
    """The CRM could not be read. `str()` names the method, the path and the status: no query, no body, no secret."""


class RefusedError(CrmError):
    """401 or 403: the credentials are wrong, withdrawn, or lack a right. Asking again does not help."""


class BudgetError(CrmError):
    """The CRM's budget is spent, or it asks to wait for long; `until` is when to go on."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class UnavailableError(CrmError):
    """Time-outs, cut connections or 5xx, to the last attempt."""


class UnexpectedError(CrmError):
    """An answer that the protocol does not have: 4xx that asking again cannot mend, or not JSON."""

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
        return self.remaining <= (self.limit * (1 - SHARE) if self.long else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How one CRM wants to be asked."""

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    per_second: float = 5.0
    """The pace that is kept even where the CRM tells no limit."""
    budgets: Callable[[httpx.Response, datetime], list[Budget]] = field(default=lambda _response, _now: [])
    is_limit: Callable[[httpx.Response], bool] = field(default=lambda response: response.status_code == 429)
    """Whether a refusal is about the rate (Salesforce says so with a 403)."""
    sign_in: Callable[[httpx.Client], Mapping[str, str]] | None = None
    """Where a token must be fetched first: asks for it and gives the headers; asked once more after a 401."""


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
            headers=dict(limits.headers),
            timeout=httpx.Timeout(30, connect=10),
            transport=transport,
        )
        self._signed_in = limits.sign_in is None
        self._next_at = 0.0
        self._number = 1
        self._closed_until: datetime | None = None
        self._closed_by = ""
        self.spent = 0
        """Requests sent, retries included."""
        self.there: datetime | None = None
        """The CRM's own moment (its Date header) at the first answer; None where it tells none."""

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at `path`; parameters that are None are left out. Raises `CrmError`."""
        return self.ask("GET", path, params=params)

    def post(self, path: str, json: Any) -> Any:
        return self.ask("POST", path, json=json)

    def ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None) -> Any:
        """One request, tried again where that may help, and its JSON.

        `path` may be a whole address of the same host (a "next page" link). Raises `CrmError`; a 404 is an
        `UnexpectedError` with that status.
        """
        shown = f"{method} {httpx.URL(path).path}"
        given = {key: value for key, value in (params or {}).items() if value is not None}
        try:
            # Retries wait in `_again`, which knows what the CRM asked for.
            for attempt in stamina.retry_context(
                on=self._again, attempts=ATTEMPTS, timeout=None, wait_initial=0, wait_max=0, wait_jitter=0
            ):
                with attempt:
                    self._number = attempt.num
                    return self._once(method, path, given, json, shown)
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
        self._keep_pace()
        self.spent += 1
        try:
            response = self._http.request(method, path, params=params or None, json=json)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(type(error).__name__) from None
        if response.status_code == 401 and self._limits.sign_in is not None and self._signed_in:
            self._signed_in = False
            raise _Again("401")
        return self._read(response, shown)

    def _sign_in(self, shown: str) -> None:
        assert self._limits.sign_in is not None  # noqa: S101 - the caller has looked
        self.spent += 1
        try:
            self._http.headers.update(self._limits.sign_in(self._http))
        except httpx.HTTPStatusError as error:
            if error.response.status_code < 500 and error.response.status_code != 429:
                raise RefusedError(f"{shown}: signing in, {error.response.status_code}") from None
            raise _Again(str(error.response.status_code)) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(type(error).__name__) from None
        self._signed_in = True

    def _read(self, response: httpx.Response, shown: str) -> Any:
        status, now = response.status_code, self._now()
        if self._limits.is_limit(response):
            raise _Again(str(status), wait=_retry_after(response, now), until=self._reset(response, now))
        if status >= 500:
            raise _Again(str(status), wait=_retry_after(response, now))
        if status in {401, 403}:
            raise RefusedError(f"{shown}: {status}")
        if not response.is_success:
            raise UnexpectedError(f"{shown}: {status}", status, response.text[:2000])
        try:
            found = response.json()
        except ValueError:
            # Half a body behind a complete header: worth another try.
            raise _Again("not JSON") from None
        self.there = self.there or _moment(response.headers.get("date", ""))
        self._mind(response, now, shown)
        return found

    def _mind(self, response: httpx.Response, now: datetime, shown: str) -> None:
        """Wait out a short budget; the answer is in hand, so a long one is minded before the next request."""
        for budget in self._limits.budgets(response, now):
            if not budget.spent:
                continue
            until = budget.resets or now + timedelta(hours=1)
            if budget.long:
                self._closed_until = until
                self._closed_by = shown
            else:
                self._pause(max(0.0, min((until - now).total_seconds(), PATIENCE.total_seconds())))

    def _keep_pace(self) -> None:
        if self._closed_until is not None and self._now() < self._closed_until:
            raise BudgetError(f"{self._closed_by}: {SHARE:.0%} of the budget is spent", self._closed_until)
        wait = self._next_at - monotonic()
        if wait > 0:
            self._pause(wait)
        self._next_at = monotonic() + 1 / self._limits.per_second

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

    def _reset(self, response: httpx.Response, now: datetime) -> datetime:
        spent = [budget.resets for budget in self._limits.budgets(response, now) if budget.long and budget.spent]
        return next((moment for moment in spent if moment is not None), now + timedelta(minutes=5))


class _Again(Exception):  # noqa: N818 - never leaves this room
    def __init__(self, message: str, *, wait: timedelta | None = None, until: datetime | None = None) -> None:
        super().__init__(message)
        self.wait, self.until = wait, until


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """Seconds or a date; None where the CRM does not say."""
    said = response.headers.get("retry-after", "").strip()
    if said.replace(".", "", 1).isdigit():
        return timedelta(seconds=float(said))
    when = _moment(said)
    return None if when is None else max(timedelta(0), when - now)


def _moment(said: str) -> datetime | None:
    """A date of HTTP; None for what is none."""
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
