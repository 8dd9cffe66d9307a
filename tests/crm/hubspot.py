"""HubSpot's real protocol over a CRM's life: cursors, a search that lags and is capped, archived lists, merges."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from storage.connectors.base import Knock
from storage.connectors.hubspot_api import VERSION
from storage.connectors.hubspot_hooks import signature
from tests.crm.world import Crm, Thing

TOKEN = "pat-eu1-11111111-2222"
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
DOOR = "https://bot.example.test/hooks/hubspot"
TYPES = {
    "deals": "deal",
    "companies": "customer",
    "leads": "lead",
    "contacts": "lead",
    "products": "product",
    "subscriptions": "contract",
    "invoices": "purchase",
}
LINKED = ("deals", "leads", "subscriptions", "invoices")
NUMBERS = {"deal": "0-3", "customer": "0-2", "lead": "0-136"}
LEAD_STAGES = {"new-stage-id": "NEW", "qualified-stage-id": "QUALIFIED"}
RATE_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
RATES = {"USD": "0.9", "JPY": "0.006"}


def iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class HubSpot(Crm):
    """`page` is the most rows of any answer while the account is small, `cap` the most that a search can be paged to,
    `search_lag` (seconds) how far its index is behind, `has_leads` whether the account has Sales Hub Professional."""

    source: ClassVar[str] = "hubspot"
    verbs: ClassVar[frozenset[str]] = frozenset(
        {
            "delete",
            "restore",
            "merge_deals",
            "merge_customers",
            "leads",
            "currencies",
            "late",
            "equal",
            "products",
            "contracts",
            "purchases",
            "spend",
        }
    )

    def __init__(
        self,
        *,
        currency: str = "EUR",
        page: int = 7,
        cap: int = 10_000,
        search_lag: float = 20,
        has_leads: bool = True,
        has_currencies: bool = True,
    ) -> None:
        self._seen: dict[tuple[str, datetime], list[Thing]] = {}
        super().__init__(currency=currency)
        self.page, self.cap, self.search_lag = page, cap, timedelta(seconds=search_lag)
        self.has_leads, self.has_currencies = has_leads, has_currencies
        self.daily_left = 250_000
        self._oldest: str | None = None
        self.refused: set[str] = set()
        """First words of paths, and objects, that the token has no right to."""
        self.dropped: set[str] = set()
        """Properties that the account does not have (any more)."""
        self.poison: dict[str, dict[str, Any]] = {}
        """By id: properties that say something else than they should."""

    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "client_secret": SECRET, "purchases": True, "spend": True}

    def merge(self, object_: str, loser: str, winner: str) -> str:
        """Of two rows HubSpot makes a new one; both ids lead to it."""
        gone, kept = self._copy(object_, loser), self._copy(object_, winner)
        self._numbers[object_] += 1
        new_id = self.new_id(object_, self._numbers[object_])
        merged = (*gone.merged, *kept.merged, loser, winner)
        self._write(Thing(object_, new_id, kept.created, self.now, dict(kept.fields), merged=merged))
        for each in merged:
            taken = self._copy(object_, each)
            taken.deleted, taken.merged_into = taken.deleted or self.now, new_id
            self._write(taken)
        for each in (loser, winner):
            self.repoint(object_, each, new_id)
        return new_id

    def new_id(self, object_: str, number: int) -> str:
        """Stages of HubSpot's first pipeline have names, all else has numbers."""
        if object_ == "stage" and number <= len(self.statuses):
            return f"stage{number}"
        return super().new_id(object_, number)

    # Webhooks.

    def knock(self, object_: str, thing_id: str, event_id: str) -> Knock | None:
        if object_ not in NUMBERS:
            return None
        number = "0-1" if object_ == "lead" and not self.has_leads else NUMBERS[object_]
        event = {
            "eventId": int(event_id) if event_id.isdecimal() else event_id,
            "subscriptionId": 12345,
            "portalId": 62515,
            "occurredAt": milliseconds(self.now),
            "subscriptionType": "object.propertyChange",
            "objectTypeId": number,
            "attemptNumber": 0,
            "objectId": int(thing_id),
        }
        return self.signed([event])

    def signed(self, events: Sequence[Any], *, secret: str = SECRET) -> Knock:
        body, sent = json.dumps(events).encode(), str(milliseconds(self.now))
        headers = {
            "x-hubspot-request-timestamp": sent,
            "x-hubspot-signature-v3": signature(secret, "POST", DOOR, body, sent),
        }
        return Knock(method="POST", url=DOOR, headers=headers, body=body)

    # Requests.

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"status": "error", "category": "INVALID_AUTHENTICATION"})
        path, query = request.url.path, dict(request.url.params)
        if self.refused & set(path.split("/")):
            return _refused()
        asked = json.loads(request.content) if request.content else {}
        self.daily_left -= 1
        self._oldest = next((each.id for each in self.visible("customer") if each.deleted is None), None)
        match path.strip("/").split("/"):
            case ["crm", "objects", version, "line_items", *more] if version == VERSION:
                return self._limited(self._line_items(asked) if more else {"results": []})
            case ["marketing", "campaigns", version] if version == VERSION:
                return self._limited(self._campaigns(query))
            case ["crm", "objects", version, kind, *more] if version == VERSION and kind in TYPES:
                if (kind == "leads" and not self.has_leads) or (kind == "contacts" and self.has_leads):
                    return _refused()
                if more == ["search"]:
                    return self._search(kind, asked)
                if more == ["batch", "read"]:
                    return self._batch(kind, asked, query)
                if not more:
                    return self._limited(self._list(kind, query))
            case ["crm", "associations", version, kind, to, "batch", "read"] if version == VERSION and kind in LINKED:
                return self._limited(self._associations(kind, to, asked))
            case ["crm", "pipelines", version, "deals"] if version == VERSION:
                return self._limited({"results": self._pipelines()})
            case ["crm", "pipelines", version, "leads"] if version == VERSION:
                stages = [{"id": each, "metadata": {"leadState": state}} for each, state in LEAD_STAGES.items()]
                return self._limited({"results": [{"id": "lead-pipeline-id", "label": "Leads", "stages": stages}]})
            case ["crm", "owners", version] if version == VERSION:
                return self._limited(self._owners(query))
            case ["settings", "currencies", version, "exchange-rates"] if version == VERSION:
                return self._limited(self._rates()) if self.has_currencies else _refused()
            case ["account-info", version, "details"] if version == VERSION:
                account = {"portalId": 62515, "companyCurrency": self.currency, "timeZone": "Europe/Paris"}
                return self._limited(account)
        return httpx.Response(404, json={"status": "error", "message": "resource not found"})

    def _limited(self, answer: dict[str, Any] | httpx.Response) -> httpx.Response:
        """With the headers that every answer but a search's has."""
        response = answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        response.headers.update(
            {
                "x-hubspot-ratelimit-max": "190",
                "x-hubspot-ratelimit-remaining": "189",
                "x-hubspot-ratelimit-interval-milliseconds": "10000",
                "x-hubspot-ratelimit-daily": "250000",
                "x-hubspot-ratelimit-daily-remaining": str(self.daily_left),
            }
        )
        return response

    def _list(self, kind: str, query: dict[str, str]) -> dict[str, Any] | httpx.Response:
        history = [name for name in query.get("propertiesWithHistory", "").split(",") if name]
        limit = int(query.get("limit", "10"))
        if limit > (50 if history else 100):
            return _invalid("limit")
        archived = query.get("archived", "false") == "true"
        names = [name for name in query.get("properties", "").split(",") if name]
        links = [name for name in query.get("associations", "").split(",") if name]
        there = [each for each in self._of(kind) if (each.deleted is not None) is archived]
        there = [each for each in there if int(each.id) >= int(query.get("after", "0"))]
        there.sort(key=lambda each: int(each.id))
        size = self._size(limit, there)
        rows = [self._row(kind, each, names, history) for each in there[:size]]
        if not archived:
            for row, thing in zip(rows, there, strict=False):
                row |= self._listed_links(kind, thing, links)
        return {"results": rows} | _paging(there[size].id if len(there) > size else None)

    def _search(self, kind: str, asked: dict[str, Any]) -> httpx.Response:
        """As the index knew the rows some time ago; archived rows are not in it."""
        limit, start = asked.get("limit", 10), int(asked.get("after", 0))
        if limit > 200 or start + limit > self.cap:
            return _invalid("limit")
        (order,) = asked["sorts"]
        here = self.now
        self.now = here - self.search_lag
        there = [each for each in self._of(kind) if each.deleted is None]
        self.now = here
        for group in asked["filterGroups"]:
            for one in group["filters"]:
                there = [each for each in there if _passes(self._sortable(each, one["propertyName"]), one)]
        there.sort(key=lambda each: (self._sortable(each, order["propertyName"]), -int(each.id)))
        size = self._size(limit, there)
        rows = [self._row(kind, each, asked["properties"], []) for each in there[start : start + size]]
        after = str(start + size) if len(there) > start + size else None
        return httpx.Response(200, json={"total": len(there), "results": rows} | _paging(after))

    def _batch(self, kind: str, asked: dict[str, Any], query: dict[str, str]) -> httpx.Response:
        history, archived = asked.get("propertiesWithHistory", []), query.get("archived") == "true"
        ids = [each["id"] for each in asked["inputs"]]
        if len(ids) > (50 if history else 100) or len(set(ids)) != len(ids):
            return _invalid("inputs")
        known = {each.id: each for each in self._of(kind)}
        found: dict[str, Thing] = {}
        for each in ids:
            thing = known.get(each)
            if thing is not None and thing.merged_into and not archived:
                thing = known.get(thing.merged_into)
            if thing is not None and (thing.deleted is not None) is archived:
                found[thing.id] = thing
        rows = [self._row(kind, each, asked["properties"], history) for each in found.values()]
        missing = [each for each in ids if each not in found]
        errors = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}] if missing else []
        return self._limited(httpx.Response(207 if errors else 200, json={"results": rows, "errors": errors}))

    def _associations(self, kind: str, to: str, asked: dict[str, Any]) -> httpx.Response:
        if len(asked["inputs"]) > 1000:
            return _invalid("inputs")
        known = {each.id: each for each in self._of(kind)}
        found = []
        for each in asked["inputs"]:
            ends = self._ends(kind, known[each["id"]], to)
            if ends:
                told = [
                    {"toObjectId": int(end), "associationTypes": _association_types(kind, first)} for end, first in ends
                ]
                found.append({"from": {"id": each["id"]}, "to": told})
        return httpx.Response(207 if len(found) < len(asked["inputs"]) else 200, json={"results": found})

    # Rows.

    def visible(self, object_: str) -> list[Thing]:
        """Worked out once for each state: ten thousand rows are asked for page by page."""
        if (object_, self.now) not in self._seen:
            self._seen[object_, self.now] = super().visible(object_)
        return self._seen[object_, self.now]

    def _write(self, thing: Thing) -> None:
        self._seen.clear()
        super()._write(thing)

    def _of(self, kind: str) -> list[Thing]:
        return self.visible(TYPES[kind])

    def _size(self, limit: int, there: Sequence[Thing]) -> int:
        return min(limit, max(self.page, len(there) // 40))

    def _row(self, kind: str, thing: Thing, names: Sequence[str], history: Sequence[str]) -> dict[str, Any]:
        told = self._properties(kind, thing) | self.poison.get(thing.id, {})
        row: dict[str, Any] = {
            "id": thing.id,
            "createdAt": iso(thing.created),
            "updatedAt": iso(thing.modified),
            "archived": thing.deleted is not None,
            "properties": {name: told[name] for name in names if name in told and name not in self.dropped},
        }
        if thing.deleted is not None:
            row["archivedAt"] = iso(thing.deleted)
        if history:
            row["propertiesWithHistory"] = {name: self._history(thing) for name in history}
        return row

    def _properties(self, kind: str, thing: Thing) -> dict[str, Any]:
        told: dict[str, Any] = {
            "hs_object_id": thing.id,
            "hs_lastmodifieddate": iso(thing.modified),
            "hs_merged_object_ids": ";".join(thing.merged) or None,
            "hs_analytics_source": None,
        }
        return told | ROWS[kind](self, thing)

    def _history(self, thing: Thing) -> list[dict[str, Any]]:
        """Newest first, as HubSpot tells it."""
        entered = thing.fields.get("entered")
        if thing.object == "contract":
            entered = [(thing.created, "active"), *thing.fields.get("over", ())]
        if entered is None:
            entered = [(thing.created, "new-stage-id")]
            if thing["converted"] is not None:
                entered.append((thing["converted"], "qualified-stage-id"))
        return [{"value": stage, "timestamp": iso(at), "sourceType": "CRM_UI"} for at, stage in reversed(entered)]

    def _ends(self, kind: str, thing: Thing, to: str) -> Iterator[tuple[str, bool]] | list[tuple[str, bool]]:
        """(id, primary) of what a row is linked to; its second company is older, and not its own."""
        if to == "line_items":
            return [(each["id"], False) for each in self._lines(thing)]
        end = thing.fields.get("customer" if to == "companies" else "lead")
        if not end:
            return []
        if to == "companies" and kind not in {"deals", "leads"}:
            return [(end, False)]
        if to == "companies":
            other = self._oldest or end
            return [(other, False), (end, True)] if other != end else [(end, True)]
        return [(end, False)]

    def _listed_links(self, kind: str, thing: Thing, links: Sequence[str]) -> dict[str, Any]:
        told = {}
        for to in links:
            ends = [
                {"id": end, "type": name}
                for end, first in self._ends(kind, thing, to)
                for name in _types(kind, to, first=first)
            ]
            if ends:
                told[to] = {"results": ends}
        return {"associations": told} if told else {}

    def _lines(self, thing: Thing) -> list[dict[str, Any]]:
        """The line items of a deal: one for each product, and one that sells nothing of the library."""
        lines = [(None, Decimal(10**8)), *thing["products"]] if thing["products"] else []
        return [
            {
                "id": f"{thing.id}{number:02d}",
                "properties": {"hs_product_id": product, "amount": str(amount)},
            }
            for number, (product, amount) in enumerate(lines)
        ]

    def _line_items(self, asked: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        ids = {each["id"] for each in asked["inputs"]}
        if len(ids) > 100:
            return _invalid("inputs")
        return {"results": [line for deal in self.visible("deal") for line in self._lines(deal) if line["id"] in ids]}

    def _campaigns(self, query: dict[str, str]) -> dict[str, Any]:
        there = [each for each in self.visible("spend") if each.deleted is None]
        there = [each for each in there if int(each.id) >= int(query.get("after", "0"))]
        rows = [
            {
                "id": each.id,
                "createdAt": iso(each.created),
                "updatedAt": iso(each.modified),
                "properties": {
                    "hs_start_date": each["starts"] and each["starts"].isoformat(),
                    "hs_end_date": each["ends"] and each["ends"].isoformat(),
                    "hs_spend_items_sum_amount": None if each["amount"] is None else str(each["amount"]),
                    "hs_currency_code": each["currency"],
                },
            }
            for each in there[: self.page]
        ]
        return {"results": rows} | _paging(there[self.page].id if len(there) > self.page else None)

    def _sortable(self, thing: Thing, name: str) -> int:
        return int(thing.id) if name == "hs_object_id" else milliseconds(thing.modified)

    def _pipelines(self) -> list[dict[str, Any]]:
        return [
            {
                "id": pipeline.id,
                "label": pipeline["name"],
                "displayOrder": number,
                "stages": [_stage(each) for each in self.visible("stage") if each["pipeline"] == pipeline.id],
            }
            for number, pipeline in enumerate(self.visible("pipeline"))
        ]

    def _owners(self, query: dict[str, str]) -> dict[str, Any]:
        archived = query.get("archived", "false") == "true"
        there = [each for each in self.visible("person") if (each.deleted is not None) is archived]
        there = [each for each in there if int(each.id) >= int(query.get("after", "0"))]
        rows = []
        for each in there[: self.page]:
            first, _, last = each["name"].partition(" ")
            told = {"id": each.id, "email": each["email"], "firstName": first, "lastName": last, "archived": archived}
            rows.append(told)
        return {"results": rows} | _paging(there[self.page].id if len(there) > self.page else None)

    def _rates(self) -> dict[str, Any]:
        rows = [
            {
                "id": str(number),
                "fromCurrencyCode": code,
                "toCurrencyCode": self.currency,
                "conversionRate": float(rate),
                "effectiveAt": iso(RATE_EPOCH),
                "visibleInUI": True,
            }
            for number, (code, rate) in enumerate(RATES.items(), start=1)
        ]
        return {"results": rows}


def _deal(crm: HubSpot, thing: Thing) -> dict[str, Any]:
    status = crm.get("stage", thing["stage"])["status"]
    amount = thing["amount"]
    if amount is not None:
        # "3000" and "5000.00" stand in one page.
        amount = str(amount) if amount != amount.to_integral_value() or int(thing.id) % 2 else str(int(amount))
    # A plan while the deal is open; later whatever somebody typed.
    closes = thing.fields.get("closedate", thing["closed"] or thing.created + timedelta(days=30))
    return {
        "dealname": thing["name"],
        "dealstage": thing["stage"],
        "pipeline": thing["pipeline"],
        "amount": amount,
        "createdate": iso(thing.created),
        "closedate": None if closes is None else iso(closes),
        "hubspot_owner_id": thing["owner"],
        "deal_currency_code": None if thing["currency"] == crm.currency else thing["currency"],
        "dealtype": None,
        "hs_is_closed": str(status != "open").lower(),
        "hs_is_closed_won": str(status == "won").lower(),
    }


def _company(_crm: HubSpot, thing: Thing) -> dict[str, Any]:
    return {"name": thing["name"], "domain": None}


def _lead(_crm: HubSpot, thing: Thing) -> dict[str, Any]:
    return {
        "hs_lead_name": thing["name"],
        "hs_pipeline_stage": "qualified-stage-id" if thing["converted"] else "new-stage-id",
        "hs_createdate": iso(thing.created),
        "hubspot_owner_id": thing["owner"],
        "hs_lead_source": thing["origin"],
    }


def _contact(_crm: HubSpot, thing: Thing) -> dict[str, Any]:
    first, _, last = thing["name"].partition(" ")
    stage = thing.fields.get("lifecyclestage", "customer" if thing["converted"] else "marketingqualifiedlead")
    return {
        "firstname": first,
        "lastname": last or None,
        "email": None,
        "lifecyclestage": stage,
        "createdate": iso(thing.created),
        "lastmodifieddate": iso(thing.modified),
        "hubspot_owner_id": thing["owner"],
        "associatedcompanyid": thing["customer"],
        "hs_analytics_source": thing["origin"],
        "hs_v2_date_entered_lead": None,
        "hs_v2_date_entered_marketingqualifiedlead": iso(thing.created),
        "hs_v2_date_entered_customer": iso(thing["converted"]) if thing["converted"] else None,
    }


def _subscription(_crm: HubSpot, thing: Thing) -> dict[str, Any]:
    return {
        "hs_status": thing.fields.get("over", [(None, "active")])[-1][1],
        "hs_createdate": iso(thing.created),
        "hs_recurring_billing_start_date": thing["starts"] and thing["starts"].isoformat(),
        "hs_recurring_billing_end_date": thing["ends"] and thing["ends"].isoformat(),
    }


def _invoice(crm: HubSpot, thing: Thing) -> dict[str, Any]:
    return {
        "hs_invoice_status": thing.fields.get("status", "paid"),
        # At noon in Paris, as a moment.
        "hs_invoice_date": f"{thing['day'].isoformat()}T11:00:00.000Z",
        "hs_amount_billed": None if thing["amount"] is None else str(thing["amount"]),
        "hs_currency": None if thing["currency"] == crm.currency else thing["currency"],
    }


ROWS: dict[str, Callable[[HubSpot, Thing], dict[str, Any]]] = {
    "deals": _deal,
    "companies": _company,
    "leads": _lead,
    "contacts": _contact,
    "products": lambda _crm, thing: {"name": thing["name"]},
    "subscriptions": _subscription,
    "invoices": _invoice,
}


def _stage(thing: Thing) -> dict[str, Any]:
    status = thing["status"]
    metadata = {
        "isClosed": str(status != "open").lower(),
        "probability": {"won": "1.0", "lost": "0.0"}.get(status, "0.4"),
    }
    return {"id": thing.id, "label": thing["name"], "displayOrder": thing["position"], "metadata": metadata}


def _types(kind: str, to: str, *, first: bool) -> list[str]:
    if kind not in {"deals", "leads"}:
        return [f"{kind.removesuffix('s')}_to_company"]
    name = f"{kind.removesuffix('s')}_to_{ {'companies': 'company'}.get(to, to.removesuffix('s')) }"
    if to != "companies":
        return [name]
    if kind == "leads":
        return ["lead_to_primary_company", name] if first else [name]
    return [name, f"{name}_unlabeled"] if first else [f"{name}_unlabeled"]


def _association_types(kind: str, first: bool) -> list[dict[str, Any]]:
    main, other = {"deals": (5, 341), "leads": (610, 609)}.get(kind, (1, 299))
    plain = {"category": "HUBSPOT_DEFINED", "typeId": other, "label": None}
    return [{"category": "HUBSPOT_DEFINED", "typeId": main, "label": "Primary"}, plain] if first else [plain]


def _passes(value: int, one: dict[str, str]) -> bool:
    asked = int(one["value"])
    return {"GTE": value >= asked, "LTE": value <= asked, "GT": value > asked, "EQ": value == asked}[one["operator"]]


def _paging(after: str | None) -> dict[str, Any]:
    return {"paging": {"next": {"after": after, "link": f"?after={after}"}}} if after else {}


def _refused() -> httpx.Response:
    return httpx.Response(403, json={"status": "error", "category": "MISSING_SCOPES"})


def _invalid(what: str) -> httpx.Response:
    return httpx.Response(400, json={"status": "error", "category": "VALIDATION_ERROR", "message": what})
