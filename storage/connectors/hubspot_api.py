"""HubSpot's protocol: where things are, how they are listed, searched and read by id, and what its headers say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from storage.connectors.base import DriftError
from storage.connectors.http import Budget, Client, Limits, RefusedError, UnexpectedError
from storage.connectors.reading import UnreadableError, instant

VERSION = "2026-09"
ADDRESS = "https://api.hubapi.com"
OWNERS = f"/crm/owners/{VERSION}"
RATES = f"/settings/currencies/{VERSION}/exchange-rates"
CAMPAIGNS = f"/marketing/campaigns/{VERSION}"
ACCOUNT = f"/account-info/{VERSION}/details"
LISTED, LISTED_WITH_HISTORY, FOUND, LINKED = 100, 50, 200, 1000
"""The most rows that HubSpot gives in one answer, by how it is asked."""
_PRIMARY = {"deal_to_company", "deal_to_primary_company", "lead_to_primary_company"}
_PRIMARY_IDS = {5, 610}
"""How listings and associations mark the primary company among those of a deal or a lead."""
_ABSENT = {400, 403, 404}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of HubSpot's objects, and how it is read."""

    object: str
    """What it is for Vigie."""
    name: str
    """What HubSpot calls it."""
    model: type[BaseModel]
    properties: type[BaseModel]
    make: Callable[..., Any]
    """The row, checked, in Vigie's words."""
    key: str = "hs_lastmodifieddate"
    history: str | None = None
    """The property of which every value is wanted."""

    @property
    def asked(self) -> list[str]:
        return list(self.properties.model_fields)

    @property
    def at_once(self) -> int:
        return LISTED_WITH_HISTORY if self.history else LISTED


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one answer, and where the next ones are: empty after the last."""

    rows: Sequence[Json]
    after: str = ""


def limits(token: str) -> Limits:
    return Limits(
        base_url=ADDRESS,
        headers={"Authorization": f"Bearer {token}"},
        # 100 in 10 seconds for the smallest private app; search has its own, smaller limit.
        per_second=9,
        slower={"/search": 4},
        budgets=_budgets,
    )


class Api:
    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, path: str, **params: Any) -> Any:
        return self._client.get(path, **params)

    def all(self, object_: str, path: str, **params: str) -> Iterator[Json]:
        """Every row of a small object."""
        after = ""
        while True:
            found = _found(object_, self._client.get(path, limit=LISTED, after=after or None, **params))
            yield from found.rows
            after = found.after
            if not after:
                return

    def pipelines(self, type_: str) -> Sequence[Json]:
        return _found("stage", self._client.get(f"/crm/pipelines/{VERSION}/{type_}")).rows

    def there_is(self, kind: Kind) -> bool:
        """Raises what the client raises where this account or this token does not have the object."""
        self._client.get(_path(kind), limit=1)
        return True

    def listed(self, kind: Kind, after: str, links: Sequence[str]) -> Rows:
        found = self._page(
            kind,
            after,
            limit=kind.at_once,
            archived="false",
            properties=",".join(kind.asked),
            propertiesWithHistory=kind.history,
            associations=",".join(links) or None,
        )
        return Rows([dict(row) | {"links": _links(row.get("associations"))} for row in found.rows], found.after)

    def archived(self, kind: Kind, after: str) -> Rows:
        """What was deleted in the last months: only ids and moments."""
        return self._page(kind, after, limit=LISTED, archived="true", properties=kind.key)

    def _page(self, kind: Kind, after: str, **asked: Any) -> Rows:
        """One page of a list. Where a cursor is refused, the list begins again: nothing is lost by that."""
        try:
            answer = self._client.get(_path(kind), after=after or None, **asked)
        except UnexpectedError as error:
            if not after or error.status not in {400, 404, 410}:
                raise
            answer = self._client.get(_path(kind), **asked)
        return _found(kind.object, answer)

    def search(self, kind: Kind, since: datetime | None, beyond: str) -> Rows:
        """The first ids modified at or after `since`; or, of those exactly at `since`, the first ones after an id."""
        moment = str(((since or _EPOCH) - _EPOCH) // timedelta(milliseconds=1))
        filters = [{"propertyName": kind.key, "operator": "GTE", "value": moment}]
        if beyond:
            filters += [
                {"propertyName": kind.key, "operator": "LTE", "value": moment},
                {"propertyName": "hs_object_id", "operator": "GT", "value": beyond},
            ]
        asked = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id" if beyond else kind.key, "direction": "ASCENDING"}],
            "properties": [kind.key],
            "limit": FOUND,
        }
        return _found(kind.object, self._client.post(_path(kind, "/search"), asked))

    def by_id(self, kind: Kind, ids: Sequence[str], links: Sequence[str], *, archived: bool = False) -> list[Json]:
        """The rows that there are among these ids; for a merged one, the row that took it over."""
        rows: dict[str, Json] = {}
        for some in _chunks(ids, kind.at_once):
            asked: dict[str, Any] = {"inputs": [{"id": each} for each in some], "properties": kind.asked}
            if kind.history:
                asked["propertiesWithHistory"] = [kind.history]
            path = _path(kind, "/batch/read")
            answer = self._client.ask("POST", path, params={"archived": "true"} if archived else None, json=asked)
            rows |= {id_of(kind, row): row for row in _found(kind.object, answer).rows}
        linked: dict[str, dict[str, list[Json]]] = {}
        for to in links:
            for some in _chunks(list(rows), LINKED):
                path = f"/crm/associations/{VERSION}/{kind.name}/{to}/batch/read"
                answer = self._client.post(path, {"inputs": [{"id": each} for each in some]})
                for found in _found(kind.object, answer).rows:
                    linked.setdefault(str(found["from"]["id"]), {})[to] = [_link(each) for each in found["to"]]
        return [dict(row) | {"links": linked.get(ext_id, {})} for ext_id, row in rows.items()]


def perhaps(ask: Callable[[], T]) -> T | None:
    """What `ask` gives; None where the account does not have it, or the token has no right to it."""
    try:
        return ask()
    except (RefusedError, UnexpectedError) as error:
        if error.status not in _ABSENT:
            raise
        return None


def id_of(kind: Kind, row: Json) -> str:
    """Raises `DriftError` for a row that tells none."""
    if not isinstance(row.get("id"), (str, int)):
        raise DriftError(kind.object, "id")
    return str(row["id"])


def property_of(row: Json, name: str) -> str | None:
    """Of a row that nothing has checked yet."""
    properties = row.get("properties")
    said = properties.get(name) if isinstance(properties, Mapping) else None
    return said if isinstance(said, str) else None


def moment_of(kind: Kind, row: Json) -> datetime | None:
    """When a row that nothing has checked yet was modified; None where that cannot be read."""
    return _instant(property_of(row, kind.key))


def archived_at(kind: Kind, row: Json) -> datetime | None:
    said = row.get("archivedAt")
    told = [moment_of(kind, row), _instant(said if isinstance(said, str) else None)]
    return max((moment for moment in told if moment is not None), default=None)


def _instant(said: str | None) -> datetime | None:
    try:
        return instant(said, "")
    except UnreadableError:
        return None


def _path(kind: Kind, more: str = "") -> str:
    return f"/crm/objects/{VERSION}/{kind.name}{more}"


def _found(object_: str, answer: Any) -> Rows:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
        raise DriftError(object_, "results")
    rows = [row for row in answer["results"] if isinstance(row, Mapping)]
    if len(rows) != len(answer["results"]):
        raise DriftError(object_, "results")
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return Rows(rows, "" if after is None else str(after))


def _links(associations: Any) -> dict[str, list[Json]]:
    """As a listing tells them: `{"companies": {"results": [{"id": "1", "type": "deal_to_company"}]}}`."""
    return {to: [_link(each) for each in told.get("results", ())] for to, told in (associations or {}).items()}


def _link(told: Json) -> Json:
    """As a listing or as the associations tell it."""
    types = {kind.get("typeId") for kind in told.get("associationTypes", ())}
    return {
        "id": told.get("id") or told.get("toObjectId"),
        "primary": told.get("type") in _PRIMARY or bool(_PRIMARY_IDS & types),
    }


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _budgets(response: httpx.Response, now: datetime) -> list[Budget]:
    """Of ten seconds and of the day; search answers tell none."""

    def told(name: str) -> int | None:
        said = response.headers.get(f"x-hubspot-ratelimit-{name}", "")
        return int(said) if said.isdecimal() else None

    budgets = []
    most, left, interval = told("max"), told("remaining"), told("interval-milliseconds")
    if most and left is not None and interval is not None:
        budgets.append(Budget(limit=most, remaining=left, resets=now + timedelta(milliseconds=interval)))
    most, left = told("daily"), told("daily-remaining")
    if most and left is not None:
        # The day is that of the account's time zone, which the headers do not tell.
        budgets.append(Budget(limit=most, remaining=left, long=True))
    if response.status_code == 429 and '"DAILY"' in response.text:
        budgets.append(Budget(limit=1, remaining=0, long=True))
    return budgets
