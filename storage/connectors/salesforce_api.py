"""Salesforce's protocol: how one signs in, how queries are followed to their end, and what may stand in SOQL."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from storage.connectors.base import DriftError
from storage.connectors.http import Budget, Client, Limits, RefusedError, UnexpectedError

API = "/services/data/v66.0"
TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
LIMIT = 2000
"""Rows a query: as many as one answer holds at most."""
AT_ONCE = 400
"""Ids a query: as many as fit into one address."""


def address(said: str) -> str:
    """The address of the organisation, from what people copy out of their browser."""
    url = httpx.URL(said.strip() if "://" in said else f"https://{said.strip()}")
    host = re.sub(r"\.(lightning\.force|my\.salesforce-setup)\.com$", ".my.salesforce.com", url.host)
    if url.scheme != "https" or not host.endswith((".salesforce.com", ".salesforce.mil")) or url.userinfo or url.port:
        raise ValueError("not an https address of Salesforce, such as https://company.my.salesforce.com")
    return f"https://{host}"


class Api:
    """Asks in SOQL, deleted rows included. Raises what the client raises, and `DriftError` for what is no more."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def first(self, soql: str) -> Any:
        """The first row of a query; None where it has none."""
        rows = self._client.get(f"{API}/queryAll", q=f"{soql} LIMIT 1")["records"]
        return rows[0] if rows else None

    def batches(self, object_: str, soql: str) -> Iterator[tuple[list[Any], bool]]:
        """The answers to a query, each with whether nothing follows it: neither in the query nor beyond its limit."""
        seen, path, given = 0, f"{API}/queryAll", {"q": f"{soql} LIMIT {LIMIT}"}
        while True:
            try:
                answer = self._client.get(path, **given)
            except (UnexpectedError, RefusedError) as error:
                # Locators die of age, of ten others, or with the session that made them: the keyset goes on.
                if seen and (isinstance(error, RefusedError) or "INVALID_QUERY_LOCATOR" in _codes(error)):
                    return
                raise drift(object_, error) or error from None
            rows = answer.get("records") if isinstance(answer, dict) else None
            if not isinstance(rows, list):
                raise DriftError(object_, "records")
            seen += len(rows)
            done = answer.get("done") is not False
            yield rows, done and seen < LIMIT
            if done:
                return
            path, given = answer.get("nextRecordsUrl"), {}
            if not isinstance(path, str):
                raise DriftError(object_, "nextRecordsUrl")

    def all(self, object_: str, select: str, where: str = "") -> list[Any]:
        """Every row of a query that has no order of its own; `select` holds the Id."""
        found: list[Any] = []
        whole = False
        while not whole:
            conditions = [where] if where else []
            conditions += [f"Id > '{id_of(object_, found[-1])}'"] if found else []
            told = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            for rows, whole in self.batches(object_, f"{select}{told} ORDER BY Id"):  # noqa: B007 - the last one's
                found += rows
        return found

    def by_ids(self, object_: str, select: str, field: str, ids: Sequence[str]) -> list[Any]:
        """The rows of which `field` is one of these ids. Raises `ValueError` for what is no id."""
        starts = range(0, len(ids), AT_ONCE)
        quoted = [",".join(f"'{checked(each)}'" for each in ids[start : start + AT_ONCE]) for start in starts]
        return [row for some in quoted for row in self.all(object_, select, f"{field} IN ({some})")]


def id_of(object_: str, row: Any) -> str:
    """Raises `DriftError` for a row that tells none."""
    found = row.get("Id") if isinstance(row, dict) else None
    if not is_id(found):
        raise DriftError(object_, "Id")
    return str(found)


# SOQL has no parameters: nothing but ids and moments, checked, is written into it.


def is_id(said: object) -> bool:
    return isinstance(said, str) and re.fullmatch(r"[A-Za-z0-9]{15,18}", said) is not None


def checked(ext_id: str) -> str:
    if not is_id(ext_id):
        raise ValueError("not an id of Salesforce")
    return ext_id


def literal(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _codes(error: Exception) -> list[str]:
    return re.findall(r'"errorCode"\s*:\s*"(\w+)"', error.body) if isinstance(error, UnexpectedError) else []


def drift(object_: str, error: Exception) -> DriftError | None:
    """The field or the entity that is no more, or that this user may not see: Salesforce says the same of both."""
    if not isinstance(error, UnexpectedError) or not {"INVALID_FIELD", "INVALID_TYPE"} & set(_codes(error)):
        return None
    found = re.search(r"(?:column|relationship|sObject type) '(\w+)'", error.body)
    return DriftError(object_, found[1] if found else "?")


def limits(base_url: str, client_id: str, client_secret: str) -> Limits:
    sign_in = _sign_in(client_id, client_secret)
    return Limits(base_url=base_url, budgets=_budgets, is_limit=_is_limit, sign_in=sign_in)


def _sign_in(client_id: str, client_secret: str) -> Callable[[httpx.Client], Mapping[str, str]]:
    def sign_in(http: httpx.Client) -> Mapping[str, str]:
        given = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        response = http.post(TOKEN, data=given).raise_for_status()
        return {"Authorization": f"Bearer {response.json()['access_token']}"}

    return sign_in


def _budgets(response: httpx.Response, _now: datetime) -> list[Budget]:
    """The requests of the last 24 hours, of the whole organisation: they come back by and by."""
    found = re.search(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)", response.headers.get("Sforce-Limit-Info", ""))
    if found is None:
        return []
    used, limit = int(found[1]), int(found[2])
    return [Budget(limit=limit, remaining=limit - used, long=True)]


def _is_limit(response: httpx.Response) -> bool:
    """Salesforce says with a 403 both that it has had enough and that something is not allowed."""
    return response.status_code == 429 or (response.status_code == 403 and "REQUEST_LIMIT_EXCEEDED" in response.text)
