"""Pipedrive as its documentation says: API v2 by cursor, v1 by place, two archives, deletes told for 30 days.

Strict where the real one is: a parameter that an endpoint does not have, a moment with fractions of a second, a
cursor of another day is refused with 400.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from storage.connectors.base import Knock
from tests.crm.world import Crm, Thing

TOKEN = "pipedrive-token"
USER, PASSWORD = "vigie", "hook-password"
KEPT = timedelta(days=30)
"""How long deleted rows are told of."""
COSTS = {"/deals/archived": 20, "/leads/archived": 40, "/users": 20, "/leads": 20, "/stages": 5, "/pipelines": 5}
"""Tokens a list costs; 10 for any other."""
WITH_CURSOR = {"limit", "cursor", "sort_by", "sort_direction"}
ALLOWED = {
    "deals": WITH_CURSOR | {"updated_since", "updated_until", "status", "include_fields", "ids"},
    "products": WITH_CURSOR,
    "deals/products": {"limit", "cursor", "deal_ids"},
    "persons": WITH_CURSOR | {"ids"},
    "organizations": WITH_CURSOR | {"updated_since", "updated_until", "include_fields", "ids"},
    "pipelines": WITH_CURSOR,
    "stages": WITH_CURSOR | {"pipeline_id"},
    "users": set[str](),
    "leads": {"limit", "start", "sort", "updated_since", "owner_id", "organization_id"},
    "leads/archived": {"limit", "start", "sort", "owner_id", "organization_id"},
}
FIELDS = {"source_lead_id", "products_count"}
"""What deals tell only where it is asked for."""
ENTITIES = {"deal": "deal", "lead": "lead", "customer": "organization", "person": "user"}


class Pipedrive(Crm):
    source: ClassVar[str] = "pipedrive"
    verbs: ClassVar[frozenset[str]] = frozenset(
        {
            "delete",
            "restore",
            "archive",
            "merge_deals",
            "merge_customers",
            "leads",
            "currencies",
            "late",
            "equal",
            "products",
        }
    )

    def __init__(self, *, window: int = 500, converted_vanish: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.window = window
        """Rows a page at most; the real one gives 500."""
        self.converted_vanish = converted_vanish
        """As documented: a lead that became a deal is in no list. The tests of whole lives keep it, to compare."""
        self.contacts: dict[str, str] = {}
        """Persons: id to name. Only a bent row names one."""
        self.daily = 10_000_000
        """Tokens a day."""
        self.burst: tuple[int, int] = (80, 79)
        """Requests of two seconds, and those left."""
        self.spent: dict[str, int] = {}
        """Tokens by day."""
        self._epoch = 0

    def expire_cursors(self) -> None:
        """Every cursor that was given out is refused from now on."""
        self._epoch += 1

    def new_id(self, object_: str, number: int) -> str:
        if object_ == "lead":
            return str(uuid.UUID(int=(0x9E3779B97F4A7C15 * number) % 2**128))
        return super().new_id(object_, number)

    def options(self) -> dict[str, Any]:
        return {
            "company": "acme",
            "api_token": TOKEN,
            "webhook_user": USER,
            "webhook_password": PASSWORD,
        }

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-api-token") != TOKEN:
            return refused(401, "unauthorized access")
        path = request.url.path
        day = f"{self.now:%Y-%m-%d}"
        if self.spent.get(day, 0) >= self.daily:
            return self._with_limits(refused(429, "Daily token budget exceeded"), day)
        self.spent[day] = self.spent.get(day, 0) + next(
            (cost for ending, cost in COSTS.items() if path.endswith(ending)), 1 if path[-1].isdigit() else 10
        )
        try:
            if path == "/api/v2/deals/products":
                response = self._deal_products(request.url.params)
            else:
                response = self._route(path, dict(request.url.params))
        except _RefusedError as error:
            response = refused(error.status, str(error))
        return self._with_limits(response, day)

    def knock(self, object_: str, thing_id: str, event_id: str) -> Knock | None:
        thing = self.get(object_, thing_id)
        if object_ not in ENTITIES:
            return None
        meta = {
            "action": "delete" if thing.deleted else "change",
            "attempt": 1,
            "entity": ENTITIES[object_],
            "entity_id": thing_id,
            "id": event_id,
            "timestamp": moment(self.now),
            "type": "general",
            "version": "2.0",
            "webhook_id": 7,
        }
        if thing.merged_into:
            meta["merged_to_id"] = thing.merged_into
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return Knock(
            method="POST",
            url="https://vigie.example.test/hooks/pipedrive",
            headers={"authorization": f"Basic {pair}", "content-type": "application/json"},
            body=json.dumps({"meta": meta, "data": None, "previous": None}).encode(),
        )

    # Answers.

    def _with_limits(self, response: httpx.Response, day: str) -> httpx.Response:
        limit, left = self.burst
        response.headers.update(
            {
                "x-ratelimit-limit": str(limit),
                "x-ratelimit-remaining": str(left),
                "x-ratelimit-reset": "2",
                "x-daily-ratelimit-token-limit": str(self.daily),
                "x-daily-ratelimit-token-remaining": str(max(0, self.daily - self.spent.get(day, 0))),
            }
        )
        return response

    def _route(self, path: str, asked: dict[str, str]) -> httpx.Response:
        found = re.fullmatch(
            r"/api/(v[12])/(deals|organizations|persons|pipelines|stages|users|leads|products)(?:/([\w-]+))?", path
        )
        if found is None:
            return refused(404, "Unknown method.")
        version, name, rest = found.groups()
        if (version == "v1") != (name in {"users", "leads"}):
            return refused(410, "This version of the endpoint is out of support.")
        object_ = {"deals": "deal", "organizations": "customer", "users": "person", "leads": "lead"}.get(
            name, name.removesuffix("s")
        )
        if rest == "me":
            told = {"id": 1, "company_name": "Acme SARL", "default_currency": self.currency}
            return good(told | {"timezone_name": "Europe/Paris"})
        if rest not in {None, "archived"}:
            thing = self._alive_or_recent(object_, rest or "")
            if thing is None or (object_ == "lead" and (thing.deleted or self._became_deal(thing))):
                return refused(404, f"{name} not found")
            return good(self._row(thing, asked))
        unknown = asked.keys() - ALLOWED.get(f"{name}/{rest}" if name == "leads" and rest else name, set())
        if unknown:
            return refused(400, f"unknown parameters {sorted(unknown)}")
        if name == "persons":
            asked_for = asked["ids"].split(",")
            return good([{"id": int(each), "name": self.contacts[each]} for each in asked_for if each in self.contacts])
        things = [thing for thing in self.visible(object_) if self._is_listed(thing, asked)]
        if object_ in {"deal", "lead"}:
            things = [thing for thing in things if thing.archived == (rest == "archived")]
        if name == "users":
            return good([self._row(thing, asked) for thing in things])
        return self._by_place(things, asked) if version == "v1" else self._by_cursor(things, asked)

    def _deal_products(self, asked: httpx.QueryParams) -> httpx.Response:
        ids = asked.get_list("deal_ids")
        if not 1 <= len(ids) <= 100 or asked.keys() - ALLOWED["deals/products"]:
            raise _RefusedError("deal_ids")
        lines = [
            {
                "id": int(deal.id) * 100 + number,
                "deal_id": int(deal.id),
                "product_id": int(product),
                "sum": float(amount),
                "is_enabled": enabled,
            }
            for deal in self.visible("deal")
            if deal.id in ids
            # One that is switched off counts in nothing.
            for number, (product, amount, enabled) in enumerate(
                [(product, amount, True) for product, amount in deal["products"]]
                + [(product, 10**9, False) for product, _ in deal["products"][:1]]
            )
        ]
        start, limit = int(asked.get("cursor", "0")), min(int(asked.get("limit", "100")), self.window)
        following = str(start + limit) if start + limit < len(lines) else None
        return good(lines[start : start + limit], {"next_cursor": following})

    def _is_listed(self, thing: Thing, asked: dict[str, str]) -> bool:
        since = asked.get("updated_since")
        if since is not None:
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", since):
                raise _RefusedError("updated_since: not RFC 3339 in whole seconds")
            if moment(thing.modified) < since:
                return False
        if thing.object == "lead" and self._became_deal(thing):
            return False
        if thing.object != "deal":
            return thing.deleted is None
        statuses = set(asked.get("status", "open,won,lost").split(","))
        if not statuses <= {"open", "won", "lost", "deleted"}:
            raise _RefusedError("status")
        if thing.deleted is not None:
            return "deleted" in statuses and self.now - thing.deleted <= KEPT
        return self.get("stage", thing["stage"])["status"] in statuses

    def _became_deal(self, lead: Thing) -> bool:
        return self.converted_vanish and any(deal["lead"] == lead.id for deal in self.visible("deal"))

    def _alive_or_recent(self, object_: str, thing_id: str) -> Thing | None:
        thing = self.find(object_, thing_id)
        gone = thing is not None and thing.deleted is not None and self.now - thing.deleted > KEPT
        return None if gone else thing

    def _by_cursor(self, things: Sequence[Thing], asked: dict[str, str]) -> httpx.Response:
        """Keyset: rows after the (value, id) that the cursor holds."""
        sort, limit = asked.get("sort_by", "id"), int(asked.get("limit", 100))
        if sort not in {"id", "update_time", "add_time"} or not 1 <= limit <= 500:
            raise _RefusedError("sort_by or limit")
        keys: dict[str, Callable[[Thing], Any]] = {
            "id": lambda thing: int(thing.id),
            "update_time": lambda thing: moment(thing.modified),
            "add_time": lambda thing: moment(thing.created),
        }

        def place(thing: Thing) -> list[Any]:
            return [keys[sort](thing), int(thing.id)]

        ordered = sorted(things, key=place)
        if asked.get("cursor"):
            try:
                epoch, sorted_by, after = json.loads(base64.b64decode(asked["cursor"], validate=True))
            except ValueError:
                raise _RefusedError("Invalid cursor") from None
            if epoch != self._epoch or sorted_by != sort:
                raise _RefusedError("Invalid cursor")
            ordered = [thing for thing in ordered if place(thing) > after]
        page = ordered[: min(limit, self.window)]
        following = None
        if len(page) < len(ordered):
            following = base64.b64encode(json.dumps([self._epoch, sort, place(page[-1])]).encode()).decode()
        return good([self._row(thing, asked) for thing in page], {"next_cursor": following})

    def _by_place(self, things: Sequence[Thing], asked: dict[str, str]) -> httpx.Response:
        field, direction = asked.get("sort", "add_time ASC").split()
        if field not in {"id", "add_time", "update_time"} or direction not in {"ASC", "DESC"}:
            raise _RefusedError("sort")
        ordered = sorted(
            things,
            key={
                "id": lambda thing: thing.id,
                "add_time": lambda thing: (thing.created, thing.id),
                "update_time": lambda thing: (thing.modified, thing.id),
            }[field],
            reverse=direction == "DESC",
        )
        start, limit = int(asked.get("start", 0)), min(int(asked.get("limit", 100)), self.window)
        page = ordered[start : start + limit]
        paging = {"start": start, "limit": limit, "more_items_in_collection": start + limit < len(ordered)}
        rows = [self._row(thing, asked) for thing in page]
        return good(rows or None, {"pagination": paging})

    def _row(self, thing: Thing, asked: dict[str, str]) -> dict[str, Any]:
        base = {
            "id": thing.id if thing.object == "lead" else int(thing.id),
            "add_time": moment(thing.created),
            "update_time": moment(thing.modified),
        }
        kept = base | {"name": thing["name"], "is_deleted": thing.deleted is not None}
        if thing.object == "person":
            return {
                "id": int(thing.id),
                "name": thing["name"],
                "email": thing["email"],
                "active_flag": thing.deleted is None,
                "created": f"{thing.created:%Y-%m-%d %H:%M:%S}",
                "modified": f"{thing.modified:%Y-%m-%d %H:%M:%S}",
                "is_deleted": thing.deleted is not None,
            }
        if thing.object == "stage":
            return kept | {"pipeline_id": int(thing["pipeline"]), "order_nr": thing["position"]}
        if thing.object in {"pipeline", "customer", "product"}:
            return kept
        if thing.object == "lead":
            return base | {
                "add_time": moment(thing.created, ms=True),
                "update_time": moment(thing.modified, ms=True),
                "title": thing["name"],
                "owner_id": number(thing["owner"]),
                "organization_id": number(thing["customer"]),
                "person_id": None,
                "source_name": thing["origin"],
                "origin": "ManuallyCreated",
                "is_archived": thing.archived,
                "value": None,
            }
        return self._deal(thing, base, asked)

    def _deal(self, thing: Thing, base: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
        status = self.get("stage", thing["stage"])["status"]
        closed = None if thing["closed"] is None else moment(thing["closed"])
        amount = thing["amount"]
        wanted = set(filter(None, asked.get("include_fields", "").split(",")))
        if not wanted <= FIELDS:
            raise _RefusedError("include_fields")
        told = {"source_lead_id": thing["lead"], "products_count": len(thing["products"])}
        named = {name: told[name] for name in wanted}
        return (
            base
            | named
            | {
                "title": thing["name"],
                "status": "deleted" if thing.deleted else status,
                "owner_id": number(thing["owner"]),
                "org_id": number(thing["customer"]),
                "person_id": None,
                "pipeline_id": int(thing["pipeline"]),
                "stage_id": int(thing["stage"]),
                "value": None if amount is None else float(amount),
                "currency": thing["currency"],
                "stage_change_time": moment(thing["entered"][-1][0]),
                "close_time": closed,
                "won_time": closed if status == "won" else None,
                "lost_time": closed if status == "lost" else None,
                "is_deleted": thing.deleted is not None,
                "is_archived": thing.archived,
                "origin": "ManuallyCreated",
                "channel": None,
                "label_ids": [],
                "custom_fields": {},
            }
        )


class _RefusedError(Exception):
    status = 400


def good(data: Any, additional: Any = None) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": data, "additional_data": additional})


def refused(status: int, error: str) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "error": error, "errorCode": status})


def number(thing_id: str | None) -> int | None:
    return None if thing_id is None else int(thing_id)


def moment(when: datetime, *, ms: bool = False) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}{f'.{when.microsecond // 1000:03}' if ms else ''}Z"
