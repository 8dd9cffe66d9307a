"""Pipedrive: deals, leads, organizations, users, pipelines, stages and products, through API v2 where it has them, else
v1. It has neither invoices nor contracts (its subscriptions are no more) nor what campaigns cost.

Checked against Pipedrive's published documentation of 2026: archived deals and leads are in lists of their own and
still count; deleted deals are told for 30 days, other deletes by no list but the complete one; moments are asked for in
whole seconds; `source_lead_id` is told only where asked for. A converted lead is deleted there: it is kept here for as
long as a deal names it. Which deal took another over is told nowhere but in webhooks, of which only ids are believed.

The customer is the organization, or the contact where there is none: of contacts only these are asked for by name.
"""

import base64
import hmac
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, BaseModel, Field

from storage.connectors.base import (
    Account,
    Declaration,
    DriftError,
    Hint,
    Knock,
    NotGenuineError,
    Opening,
    Suggestion,
    Walk,
)
from storage.connectors.http import Budget, Limits, RefusedError, UnexpectedError
from storage.connectors.pipedrive_rows import CONTACT, Line, Made, Rows, SourceLead, product_of
from storage.connectors.reading import Secret, read_rows
from storage.connectors.windows import Stretch, Window, along, windows
from storage.records import Gone, Mention, Page, Position, Problem, Record

SOURCE = "pipedrive"
PATHS = {
    "person": "/api/v1/users",
    "pipeline": "/api/v2/pipelines",
    "stage": "/api/v2/stages",
    "customer": "/api/v2/organizations",
    "contact": "/api/v2/persons",
    "lead": "/api/v1/leads",
    "lead.archived": "/api/v1/leads/archived",
    "product": "/api/v2/products",
    "deal": "/api/v2/deals",
    "deal.products": "/api/v2/deals/products",
    "deal.archived": "/api/v2/deals/archived",
    "me": "/api/v1/users/me",
}
PAGE_ROWS = 500
LOOK_BACK = timedelta(minutes=30)
_IDS = 100
"""As many as one request may name."""
_log = logging.getLogger(__name__)

_ENTITIES = {
    "deal": "deal",
    "lead": "lead",
    "organization": "customer",
    "user": "person",
    "pipeline": "pipeline",
    "stage": "stage",
    "product": "product",
}
_DEAL_MORE = {"include_fields": "source_lead_id,products_count"}
"""What deals tell only where it is asked for."""
_SOURCE_LEAD = {"include_fields": "source_lead_id"}
_ARCHIVED = "open,won,lost,deleted"
"""Of archived deals, all that is ever told of them."""

WALKS = (
    Walk(object="person"),
    Walk(object="pipeline"),
    Walk(object="stage"),
    Walk(object="product"),
    Walk(object="customer", key="update_time", look_back=LOOK_BACK),
    Walk(object="lead", key="update_time", look_back=LOOK_BACK),
    Walk(object="deal", key="update_time", look_back=LOOK_BACK, tells_deletes=True),
)


def _company(said: str) -> str:
    """`acme` of `acme`, `acme.pipedrive.com` or an address in the browser."""
    host = httpx.URL(said.strip() if "://" in said else f"https://{said.strip()}").host
    name = host.removesuffix(".pipedrive.com")
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise ValueError("the company domain is what stands before .pipedrive.com")
    return name


class Options(BaseModel):
    company: Annotated[str, AfterValidator(_company)] = Field(
        description="Company domain: what stands before .pipedrive.com in the address bar"
    )
    api_token: Secret = Field(
        description="API token of a user who sees all deals: Personal preferences, API, Your personal API token"
    )
    webhook_user: Secret | None = Field(default=None, description="HTTP user given when the webhooks were created")
    webhook_password: Secret | None = Field(
        default=None, description="HTTP password given when the webhooks were created"
    )


@dataclass(frozen=True, slots=True)
class _Leg:
    """A stretch of a walk and how its rows are read."""

    stretch: Stretch
    model: type[Any]
    make: Callable[[Any], Made]
    id: str = "id"


class Pipedrive:
    source = SOURCE
    walks = WALKS

    def __init__(self, opening: Opening) -> None:
        self._client = opening.client
        self._rows = Rows(opening.currency, opening.stages)
        self._named: set[str] = set()

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        legs = self._legs(walk.object, position)
        for index, rows, after, last in along(position, [leg.stretch for leg in legs], lambda: self._client.behind):
            leg = legs[index]
            if leg.model is not SourceLead:
                self._learn_products(walk.object, rows)
            made, problems = read_rows(rows, leg.model, leg.make, walk.object, leg.id)
            page = _page(walk.object, made, problems, self._contacts(rows))
            yield replace(page, position=after, listing=position.listing, last=last)

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """A lead that is not found is left as it is: it may have become a deal; only a listing can tell. So is a row
        that this user may not see, or an id that is none: one webhook must not stop the source.
        """
        rows: list[Any] = []
        gone: list[Gone] = []
        asked = _DEAL_MORE if object_ == "deal" else {}
        for ext_id in ext_ids:
            if object_ == "customer" and ext_id.startswith(CONTACT):
                # Known by the name that its deals gave it.
                continue
            try:
                rows.append(self._data(object_, f"{PATHS[object_]}/{quote(ext_id, safe='')}", **asked)["data"])
            except (RefusedError, UnexpectedError) as error:
                if error.status not in {400, 403, 404, 410}:
                    raise
                if error.status in {404, 410} and object_ != "lead":
                    gone.append(Gone(object=object_, ext_id=ext_id))
        self._learn_products(object_, rows)
        made, problems = read_rows(rows, *self._rows.forms[object_], object_)
        return _page(object_, [*made, gone], problems, self._contacts(rows))

    def _contacts(self, rows: Sequence[Any]) -> list[Mention]:
        """Names of the contacts that stand for customers in these rows, each asked for once."""
        better = ("org_id", "organization_id", "is_deleted")
        told = [row for row in rows if isinstance(row, dict) and not any(row.get(name) for name in better)]
        ids = sorted({str(row["person_id"]) for row in told if row.get("person_id")} - self._named)
        self._named.update(ids)
        found: dict[str, str] = {}
        for start in range(0, len(ids), _IDS):
            some = ",".join(ids[start : start + _IDS])
            answer = self._data("contact", PATHS["contact"], ids=some, limit=_IDS)
            found |= {str(each.get("id")): str(each.get("name")) for each in _list("contact", answer)}
        # One that is deleted has no name any more, and is a customer all the same.
        return [Mention(object="customer", ext_id=f"{CONTACT}{each}", name=found.get(each, each)) for each in ids]

    def _learn_products(self, object_: str, rows: Sequence[Any]) -> None:
        """The product of each of these deals that has some."""
        if object_ != "deal":
            return
        self._rows.products = {}
        told = [row for row in rows if isinstance(row, dict) and not row.get("is_deleted")]
        ids = [row["id"] for row in told if row.get("products_count") and isinstance(row.get("id"), int)]
        for start in range(0, len(ids), _IDS):
            stretch = self._by_cursor("deal.products", deal_ids=ids[start : start + _IDS])
            try:
                found = [line for window in stretch("") for line in window.rows]
            except (RefusedError, UnexpectedError) as error:
                if error.status not in {400, 403, 404}:
                    raise
                # Deals count without their products, too.
                _log.warning("pipedrive_products_refused status=%s", error.status)
                return
            lines, _ = read_rows(found, Line, lambda line: line, "deal", "deal_id")
            for deal in {line.deal_id for line in lines}:
                if product := product_of([line for line in lines if line.deal_id == deal]):
                    self._rows.products[deal] = product

    def _legs(self, object_: str, position: Position) -> list[_Leg]:
        since = None if position.listing or position.since is None else _seconds(position.since)
        own = [_Leg(stretch, *self._rows.forms[object_]) for stretch in self._stretches(object_, since)]
        if object_ != "lead" or since:
            return own
        # Leads that became deals are in no list of leads: a listing without them would take them for deleted.
        named = [self._by_cursor(name, sort_by="id", **_SOURCE_LEAD) for name in ("deal", "deal.archived")]
        return own + [_Leg(stretch, SourceLead, self._rows.source_lead, "source_lead_id") for stretch in named]

    def _stretches(self, object_: str, since: str | None) -> list[Stretch]:
        cursor, place = self._by_cursor, self._by_place
        by_time = {"sort_by": "update_time"} | (_DEAL_MORE if object_ == "deal" else {})
        by_id = by_time | {"sort_by": "id"}
        if object_ == "person":
            return [self._whole]
        if object_ == "deal":
            # Whether a delete counts as an update is not documented: all 30 days of them are read, and with a listing
            # too, for then they need not be guessed.
            gone = cursor("deal", status="deleted", **by_id)
            changed = by_id if since is None else by_time | {"updated_since": since}
            return [cursor("deal", **changed), cursor("deal.archived", status=_ARCHIVED, **changed), gone]
        if object_ == "lead" and since is None:
            # Imported leads share a moment; ids are their own.
            return [place("lead", sort="id ASC"), place("lead.archived", sort="id ASC")]
        if object_ == "lead" and since is not None:
            # An archived lead cannot be edited, and its archive cannot be asked since when: listings read it.
            return [place("lead", sort="update_time ASC", updated_since=since)]
        if object_ == "customer" and since is not None:
            return [cursor("customer", updated_since=since, **by_time)]
        return [cursor(object_, **by_id)]

    def _whole(self, _token: str) -> Iterator[Window]:
        """Users come in one answer."""
        yield Window(_list("person", self._data("person", PATHS["person"])), "", last=True)

    def _by_cursor(self, name: str, **asked: Any) -> Stretch:
        """v2: page after page by cursor. Where one is refused, the stretch begins again: nothing is lost by that."""

        def stretch(cursor: str) -> Iterator[Window]:
            while True:
                try:
                    answer = self._data(name, PATHS[name], limit=PAGE_ROWS, cursor=cursor or None, **asked)
                except UnexpectedError as error:
                    if not cursor or error.status not in {400, 404, 410, 422}:
                        raise
                    cursor = ""
                    continue
                following = (answer.get("additional_data") or {}).get("next_cursor") or ""
                if following and following == cursor:
                    raise DriftError(_object(name), "next_cursor")
                yield Window(_list(name, answer), following, last=not following)
                if not following:
                    return
                cursor = following

        return stretch

    def _by_place(self, name: str, **asked: str) -> Stretch:
        """v1: pages by start and limit."""

        def ask(start: int, size: int) -> tuple[Sequence[Any], bool]:
            answer = self._data(name, PATHS[name], start=start, limit=size, **asked)
            rows = _list(name, answer)
            paging = (answer.get("additional_data") or {}).get("pagination") or {}
            return rows, bool(paging.get("more_items_in_collection"))

        return lambda token: windows(ask, lambda row: f"{row.get('id')} {row.get('update_time')}", PAGE_ROWS, token)

    def _data(self, name: str, path: str, **asked: Any) -> dict[str, Any]:
        answer = self._client.get(path, **asked)
        if not isinstance(answer, dict) or "data" not in answer:
            raise DriftError(_object(name), "data")
        return answer


def _object(name: str) -> str:
    return name.partition(".")[0]


def _list(name: str, answer: dict[str, Any]) -> Sequence[Any]:
    """v1 says null for an empty list."""
    rows = answer["data"] or []
    if not isinstance(rows, list):
        raise DriftError(_object(name), "data")
    return rows


def _page(object_: str, made: Sequence[Made], problems: Sequence[Problem], mentions: Sequence[Mention]) -> Page:
    told = [each for one in made for each in one]
    records = {(each.object, each.ext_id): each for each in told if isinstance(each, Record)}
    return Page(
        object=object_,
        # The leads that deals were before the deals.
        records=sorted(records.values(), key=lambda record: record.object == object_),
        mentions=mentions,
        gone=[each for each in told if isinstance(each, Gone)],
        problems=[*problems, *(each for each in told if isinstance(each, Problem))],
    )


def _seconds(when: datetime) -> str:
    """RFC 3339 in whole seconds, rounded down: fractions are refused."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def limits(options: Options) -> Limits:
    return Limits(
        base_url=f"https://{options.company}.pipedrive.com",
        headers={"x-api-token": options.api_token.get_secret_value(), "accept": "application/json"},
        # The smallest plan allows 20 in two seconds.
        per_second=8,
        budgets=_budgets,
        is_limit=_is_limit,
    )


def _budgets(response: httpx.Response, now: datetime) -> list[Budget]:
    """The two seconds' requests and the day's tokens; the latter are new at midnight, of UTC as far as is known."""

    def number(name: str) -> int | None:
        said = response.headers.get(name, "").strip()
        return int(said) if said.isdecimal() else None

    found = []
    limit, remaining = number("x-ratelimit-limit"), number("x-ratelimit-remaining")
    if limit is not None and remaining is not None:
        resets = now + timedelta(seconds=number("x-ratelimit-reset") or 2)
        found.append(Budget(limit=limit, remaining=remaining, resets=resets))
    limit, remaining = number("x-daily-ratelimit-token-limit"), number("x-daily-ratelimit-token-remaining")
    if limit is not None and remaining is not None:
        midnight = (now + timedelta(days=1)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        found.append(Budget(limit=limit, remaining=remaining, resets=midnight, long=True))
    return found


def _is_limit(response: httpx.Response) -> bool:
    """Who goes on after 429 gets a 403 with a page of HTML for a while; a real refusal is JSON."""
    html = "html" in response.headers.get("content-type", "")
    return response.status_code == 429 or (response.status_code == 403 and html)


def check(opening: Opening) -> Account:
    answer = opening.client.get(PATHS["me"])
    me = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(me, dict) or not me.get("company_name"):
        raise UnexpectedError(f"GET {PATHS['me']}: no company", 200, "")
    return Account(str(me["company_name"]), me.get("default_currency"), me.get("timezone_name"))


def hints(knock: Knock, options: Options, _now: datetime) -> Sequence[Hint]:
    """The row that a webhook (version 2) speaks of, once its HTTP user and password are right."""
    user, password = (
        secret.get_secret_value() if secret else "" for secret in (options.webhook_user, options.webhook_password)
    )
    if not user or not password:
        raise NotGenuineError("no HTTP user and password were agreed on")
    expected = b"Basic " + base64.b64encode(f"{user}:{password}".encode())
    if not hmac.compare_digest(knock.headers.get("authorization", "").encode(), expected):
        raise NotGenuineError("wrong HTTP user or password")
    said = json.loads(knock.body)
    meta = said.get("meta") if isinstance(said, dict) else None
    if not isinstance(meta, dict):
        raise ValueError("no meta")
    object_, ext_id = _ENTITIES.get(str(meta.get("entity"))), meta.get("entity_id")
    if object_ is None:
        return []
    if not isinstance(ext_id, (str, int)) or not str(ext_id):
        raise ValueError("no entity_id")
    # `attempt` counts the deliveries of one event.
    event = (object_, ext_id, meta.get("action"), meta.get("timestamp"), meta.get("id"))
    return [Hint(":".join(map(str, event)), object_, str(ext_id))]


CONNECTOR = Declaration(
    source=SOURCE,
    title="Pipedrive",
    options=Options,
    walks=WALKS,
    limits=limits,
    open=Pipedrive,
    check=check,
    hints=hints,
)
