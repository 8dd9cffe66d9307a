"""Koban as far as its public notes say: offsets over a set in the order of its last changes, which moves while it is
read; sentinel dates; no word on deletes.

What the notes leave open can be chosen: how dates are written, what is answered for a row that is no more.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from storage.connectors.base import Knock
from tests.crm.world import Crm, Thing

API_KEY, USER_KEY, SECRET = "koban-api-key", "koban-user-key", "koban-hook-secret"
NEVER, NEVER_ISO = "/Date(-62135596800000)/", "0001-01-01T00:00:00"
CLASSES = {
    "ncDeal": "deal",
    "ncThird": "customer",
    "ncLead": "lead",
    "ncProduct": "product",
    "ncContract": "contract",
    "ncInvoice": "purchase",
}
KINDS = ("pipeline", "stage", "person", "customer", "lead", "deal", "product", "contract", "purchase", "spend")
RESULTS = {"open": None, "won": "WON", "lost": "LOST", "dormant": "SLEEP"}


class Koban(Crm):
    source: ClassVar[str] = "koban"
    verbs: ClassVar[frozenset[str]] = frozenset(
        {"delete", "leads", "late", "equal", "products", "contracts", "purchases"}
    )
    statuses: ClassVar[tuple[str, ...]] = ("open", "open", "won", "lost", "dormant")

    def __init__(self, *, window: int = 1000, dates: str = "unix", gone: str = "null", **more: Any) -> None:
        super().__init__(**more)
        self.window = window
        """Rows a page at most, whatever is asked for."""
        self.dates = dates
        """How the day of a result is written: `unix`, `date` (`/Date(ms)/`) or `slashes` (DD/MM/YYYY)."""
        self.gone = gone
        """The answer for a row that is no more: `null`, `404` or `obsolete`."""
        self.absent: dict[str, int] = {}
        """Classes that are answered with a status."""

    def new_id(self, object_: str, number: int) -> str:
        return f"5f0c{KINDS.index(object_):04x}{number:016x}"

    def options(self) -> dict[str, Any]:
        return {"api_key": API_KEY, "user_key": USER_KEY, "webhook_secret": SECRET, "purchases": True}

    def handle(self, request: httpx.Request) -> httpx.Response:
        if (request.headers.get("x-ncapi"), request.headers.get("x-ncuser")) != (API_KEY, USER_KEY):
            return httpx.Response(401, json={"Message": "Authorization has been denied for this request."})
        asked = dict(request.url.params)
        _, _, _, name, method = [*request.url.path.split("/"), "", ""][:5]
        if (name, method) == ("ncDealProcess", "GetAll"):
            return httpx.Response(200, json=[self._process(thing) for thing in self._living("pipeline")])
        if name in self.absent:
            return httpx.Response(self.absent[name], json={"Message": "No."})
        if name not in CLASSES or method not in {"GetUpdated", "GetOne"}:
            return httpx.Response(404, json={"Message": "No HTTP resource was found that matches the request URI."})
        if method == "GetOne":
            return self._one(CLASSES[name], asked["id"])
        return self._updated(CLASSES[name], int(asked["updated"]), int(asked["s"]), int(asked["l"]))

    def knock(self, object_: str, thing_id: str, event_id: str) -> Knock | None:
        if object_ not in {"deal", "customer"}:
            return None
        thing = self.get(object_, thing_id)
        row = self._deal_hook(thing) if object_ == "deal" else self._third_hook(thing)
        return Knock(
            method="POST",
            url=f"https://vigie.example.test/hooks/koban/{SECRET}",
            headers={"content-type": "application/json"},
            body=json.dumps([row | {"sId": thing.id, "Label": thing["name"]}]).encode(),
        )

    def _living(self, object_: str) -> list[Thing]:
        return [thing for thing in self.visible(object_) if thing.deleted is None]

    def _updated(self, object_: str, since: int, start: int, size: int) -> httpx.Response:
        things = [thing for thing in self._living(object_) if thing.modified.timestamp() >= since]
        things.sort(key=lambda thing: (thing.modified, thing.id))
        page = things[start : start + min(size, self.window)]
        return httpx.Response(200, json={"Length": len(things), "List": self._rows(page)})

    def _one(self, object_: str, thing_id: str) -> httpx.Response:
        thing = self.find(object_, thing_id)
        if thing is not None and thing.deleted is None:
            return httpx.Response(200, json=self._rows([thing])[0])
        if thing is not None and self.gone == "obsolete":
            return httpx.Response(200, json=self._rows([thing])[0] | {"Obsolete": True})
        return httpx.Response(404 if self.gone == "404" else 200, content=b"null")

    def _rows(self, things: Sequence[Thing]) -> list[dict[str, Any]]:
        return [self._base(thing) | getattr(self, f"_{thing.object}")(thing) for thing in things]

    def _base(self, thing: Thing) -> dict[str, Any]:
        told = {"Guid": thing.id, "Extcode": None, "DUpdated": unix(thing.modified), "Updated": iso(thing.modified)}
        if thing.object == "deal":
            # The published structure of deals has no creation date.
            return told | {"DCreated": 0.0, "Created": NEVER_ISO}
        return told | {"DCreated": unix(thing.created), "Created": iso(thing.created)}

    def _process(self, thing: Thing) -> dict[str, Any]:
        steps = sorted(
            (stage for stage in self._living("stage") if stage["pipeline"] == thing.id),
            key=lambda stage: stage["position"],
        )
        told = self._base(thing) | {"Label": thing["name"], "IsActive": True}
        return told | {"Steps": [self._value("stage", stage.id) for stage in steps]}

    def _value(self, object_: str, thing_id: str | None) -> dict[str, Any] | None:
        """An item of a list, as rows name it."""
        if thing_id is None:
            return None
        thing = self.get(object_, thing_id)
        never = {"DUpdated": 0.0, "Updated": NEVER_ISO, "DCreated": 0.0, "Created": NEVER_ISO}
        return {"Label": thing["name"], "Code": None, "Guid": thing.id} | never

    def _who(self, thing_id: str | None) -> dict[str, Any] | None:
        if thing_id is None:
            return None
        return {"FullName": self.get("person", thing_id)["name"], "Guid": thing_id, "Extcode": None}

    def _customer(self, thing: Thing) -> dict[str, Any]:
        return {"Label": thing["name"], "Obsolete": False, "FirstName": None, "AssignedTo": None}

    def _lead(self, thing: Thing) -> dict[str, Any]:
        origin = None if thing["origin"] is None else {"Code": thing["origin"].upper(), "Label": thing["origin"]}
        return {
            "Company": thing["name"],
            "Name": None,
            "FirstName": None,
            "Origin": origin,
            "AssignedTo": self._who(thing["owner"]),
            "SalesStatus": None,
        }

    def _product(self, thing: Thing) -> dict[str, Any]:
        return {"Label": thing["name"], "Reference": f"REF{thing.id[-3:]}", "Obsolete": False}

    def _contract(self, thing: Thing) -> dict[str, Any]:
        """Neither the moment of the last change nor that of creation is in the published structure."""
        days = {"From": f"{thing['starts']:%d/%m/%Y}", "To": thing["ends"] and f"{thing['ends']:%d/%m/%Y}"}
        return days | {"Label": "Contrat", "Third": self._value("customer", thing["customer"]), "Lines": []}

    def _purchase(self, thing: Thing) -> dict[str, Any]:
        return {
            "Status": thing.fields.get("status", "CLOSED"),
            "Third": self._value("customer", thing["customer"]),
            "InvoiceDate": f"{thing['day']:%d/%m/%Y}",
            "Amount": None if thing["amount"] is None else float(thing["amount"]),
            "CurrencyCode": thing["currency"],
            "Lines": [],
        }

    def _deal(self, thing: Thing) -> dict[str, Any]:
        amount = thing["amount"]
        return {
            "Label": thing["name"],
            "Result": RESULTS[self.get("stage", thing["stage"])["status"]],
            "DResult": self._result_day(thing["closed"]),
            "DPrev": 0.0,
            "Amountprev": None if amount is None else float(amount),
            "Process": self._value("pipeline", thing["pipeline"]),
            "ProcessLabel": self.get("pipeline", thing["pipeline"])["name"],
            "Status": self._value("stage", thing["stage"]),
            "Third": self._value("customer", thing["customer"]),
            "AssignedTo": self._who(thing["owner"]),
            "Products": [
                {"Product": self._value("product", product), "Ht": float(amount)}
                for product, amount in thing["products"]
            ],
            "Tags": None,
            "MoreFields": [],
        }

    def _result_day(self, closed: datetime | None) -> Any:
        if self.dates == "slashes":
            return None if closed is None else f"{closed:%d/%m/%Y}"
        if self.dates == "date":
            return hooked(closed)
        return 0.0 if closed is None else unix(closed)

    def _deal_hook(self, thing: Thing) -> dict[str, Any]:
        amount = thing["amount"]
        euro = {"Symbol": "€", "Label": "Euro", "Code": self.currency}
        return {
            "Amount": None if amount is None else {"Currency": euro, "cent": int(amount * 100)},
            "oDealProcess": {"Label": self.get("pipeline", thing["pipeline"])["name"], "sId": thing["pipeline"]},
            "oDealProcessStep": {"Label": self.get("stage", thing["stage"])["name"], "sId": thing["stage"]},
            "ResultDate": hooked(thing["closed"]),
            "ResultCode": RESULTS[self.get("stage", thing["stage"])["status"]],
        }

    def _third_hook(self, thing: Thing) -> dict[str, Any]:
        return {
            "oStatus": {"ExternalCode": "CLI", "Label": "Client"},
            "AccountingCode": None,
            "CreationDate": hooked(thing.created),
            "LastUpdateDate": hooked(thing.modified),
            "Obsolete": thing.deleted is not None,
        }


def unix(when: datetime) -> float:
    return when.timestamp()


def iso(when: datetime) -> str:
    return when.astimezone(UTC).replace(tzinfo=None).isoformat()


def hooked(when: datetime | None) -> str:
    return NEVER if when is None else f"/Date({int(when.timestamp() * 1000)})/"
