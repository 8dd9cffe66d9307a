"""Salesforce as it answers over HTTP: a token that expires, SOQL through `query` and `queryAll`, locators that die.

An answer holds `batch` rows, or a fifth of them all; `nextRecordsUrl` gives the next ones, `locator_lives` times and to
the same session. `hide` takes a field away, as administrators do. A deal has a lead when the lead became it.
"""

import itertools
import json
import re
import urllib.parse
from collections import deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import httpx

from tests.crm.world import Crm, Thing

HOST = "https://vigie.my.salesforce.com"
PREFIXES = {
    "person": "005",
    "customer": "001",
    "lead": "00Q",
    "deal": "006",
    "pipeline": "012",
    "product": "01t",
    "contract": "800",
    "purchase": "801",
    "spend": "701",
}
ZONE = ZoneInfo("Europe/Paris")
Row = dict[str, Any]


class SoqlError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Salesforce(Crm):
    source: ClassVar[str] = "salesforce"
    verbs: ClassVar[frozenset[str]] = frozenset(
        {
            "delete",
            "restore",
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

    def __init__(self, *, currency: str = "EUR", multi: bool = True, batch: int = 9) -> None:
        self.multi, self.batch = multi, batch
        self.rates: dict[str, Decimal] = {}
        """Of each currency, units for one unit of the corporate one."""
        self.dated: list[tuple[str, str, Decimal]] = []
        """(currency, first day, rate) where dated rates are switched on."""
        self.roles: list[Row] = []
        self.limit, self.locator_lives = 100_000, 3
        self.plans: dict[str, str] = {}
        """The closing date of a deal, where somebody typed one."""
        self.history_batch = 100
        """Entries of a deal's history that its own row holds."""
        self.hidden: set[tuple[str, str]] = set()
        self.absent: set[str] = set()
        """Entities that the organisation does not have, or that the user may not see."""
        self.client_id, self.client_secret = "3MVG9.vigie", "s3cr3t"
        self._token = 0
        self._used: deque[datetime] = deque()
        self._locators: dict[str, tuple[list[Row], int, int, int]] = {}
        self._locator = itertools.count(1)
        self._tables: dict[str, tuple[tuple[datetime, int], list[Row]]] = {}
        super().__init__(currency=currency)

    # Life, where Salesforce has its own.

    def create(self, object_: str, **fields: Any) -> str:
        if object_ == "lead" and fields.get("converted") is None:
            # Before it is converted, a lead names a company and no account.
            fields["customer"] = None
        if object_ == "deal" and (lead := fields.get("lead")) is not None:
            taken = any(thing.fields.get("lead") == lead for thing in self.latest("deal"))
            fields["lead"] = None if taken else lead
            if not taken:
                was = self.get("lead", lead)
                customer = was["customer"] or fields.get("customer")
                self.edit("lead", lead, converted=was["converted"] or self.now, customer=customer)
        return super().create(object_, **fields)

    def edit(self, object_: str, thing_id: str, **fields: Any) -> None:
        if object_ == "lead" and "converted" not in fields and self.get("lead", thing_id)["converted"] is None:
            fields.pop("customer", None)
        super().edit(object_, thing_id, **fields)

    def hide(self, entity: str, field: str) -> None:
        self.hidden.add((entity, field))

    def expire_token(self) -> None:
        self._token += 1

    # The wire.

    def new_id(self, object_: str, number: int) -> str:
        """18 characters; stages go by the name that the API knows them by."""
        return f"Etape_{number}" if object_ == "stage" else _whole_id(f"{PREFIXES[object_]}Q{number:011d}")

    def options(self) -> dict[str, Any]:
        keys = {"instance_url": HOST, "client_id": self.client_id, "client_secret": self.client_secret}
        return keys | {"purchases": True, "spend": True}

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/services/oauth2/token" and request.method == "POST":
            return self._sign_in(urllib.parse.parse_qs(request.content.decode()))
        if request.headers.get("authorization") != f"Bearer 00DQ!token{self._token}" or not self._token:
            return _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        while self._used and self._used[0] <= self.now - timedelta(hours=24):
            self._used.popleft()
        usage = {"sforce-limit-info": f"api-usage={len(self._used)}/{self.limit}"}
        if len(self._used) >= self.limit:
            return _refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", usage)
        self._used.append(self.now)
        try:
            found = re.fullmatch(r"/services/data/v\d+\.0/(query|queryAll)(?:/([\w-]+))?", path)
            if found is None or request.method != "GET":
                return _refused(404, "NOT_FOUND", "The requested resource does not exist")
            if found[2]:
                answer = self._more(found[2])
            else:
                rows = Soql(self, request.url.params["q"], deleted=found[1] == "queryAll").rows()
                answer = self._answer(rows, 0, self.locator_lives)
        except SoqlError as error:
            return _refused(400, error.code, error.message, usage)
        body = json.dumps(answer, default=float)
        return httpx.Response(200, content=body, headers=usage | {"content-type": "application/json;charset=UTF-8"})

    def _sign_in(self, form: dict[str, list[str]]) -> httpx.Response:
        wanted = ["client_credentials", self.client_id, self.client_secret]
        if [form.get(name, [""])[0] for name in ("grant_type", "client_id", "client_secret")] != wanted:
            return httpx.Response(400, json={"error": "invalid_client", "error_description": "invalid client"})
        self._token += 1
        return httpx.Response(
            200,
            json={
                "access_token": f"00DQ!token{self._token}",
                "instance_url": HOST,
                "token_type": "Bearer",
                "issued_at": "1767603600000",
            },
        )

    def _answer(self, rows: list[Row], start: int, lives: int) -> Row:
        # Nobody waits for a thousand answers.
        end = start + max(self.batch, len(rows) // 5)
        answer: Row = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
        if end < len(rows):
            locator = f"01gQ{next(self._locator):011d}"
            self._locators[locator] = (rows, end, lives, self._token)
            answer["nextRecordsUrl"] = f"/services/data/v66.0/query/{locator}-{end}"
        return answer

    def _more(self, locator: str) -> Row:
        rows, start, lives, session = self._locators.get(locator.split("-")[0], ([], 0, 0, 0))
        if lives <= 0 or session != self._token:
            raise SoqlError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._answer(rows, start, lives - 1)

    # The tables.

    def table(self, entity: str) -> list[Row]:
        """Every row with every field that the entity has, deleted ones too."""
        if entity in self.absent:
            raise SoqlError("INVALID_TYPE", f"sObject type '{entity}' is not supported.")
        if entity == "UserRole" or entity not in COLUMNS or "visible" in vars(self):
            # Nothing of a life, or somebody has tampered with what is seen.
            return self._table(entity)
        state = (self.now, self._written)
        if entity not in self._tables or self._tables[entity][0] != state:
            self._tables[entity] = (state, self._table(entity))
        return self._tables[entity][1]

    def _table(self, entity: str) -> list[Row]:
        if entity == "Lead":
            became = {deal["lead"]: deal.id for deal in reversed(self.visible("deal")) if deal["lead"]}
            return [self._lead(thing, became.get(thing.id)) for thing in self.visible("lead")]
        if entity == "OpportunityHistory":
            return [
                {"OpportunityId": thing.id} | entry for thing in self.visible("deal") for entry in self._history(thing)
            ]
        if entity == "OpportunityLineItem":
            return [{"OpportunityId": thing.id} | line for thing in self.visible("deal") for line in self._lines(thing)]
        tables: dict[str, tuple[str, Callable[[Thing], Row]]] = {
            "User": ("person", _person),
            "Account": ("customer", _customer),
            "Opportunity": ("deal", self._deal),
            "OpportunityStage": ("stage", _stage),
            "RecordType": ("pipeline", _record_type),
            "Product2": ("product", lambda thing: _common(thing) | {"Name": thing["name"]}),
            "Contract": ("contract", _contract),
            "Order": ("purchase", _order),
            "Campaign": ("spend", _campaign),
        }
        if entity in tables:
            object_, make = tables[entity]
            return [make(thing) for thing in self.visible(object_)]
        if entity == "UserRole":
            return self.roles
        if entity == "Organization":
            return [{"Id": _whole_id("00DQ00000000001"), "Name": "Vigie SA", "TimeZoneSidKey": "Europe/Paris"}]
        if entity == "CurrencyType" and self.multi and (entity, "*") not in self.hidden:
            rates = {self.currency: Decimal(1)} | self.rates
            return [
                {
                    "Id": _whole_id(f"01LQ{number:011d}"),
                    "IsoCode": code,
                    "ConversionRate": rate,
                    "IsCorporate": code == self.currency,
                }
                for number, (code, rate) in enumerate(rates.items())
            ]
        if entity == "DatedConversionRate" and self.multi and self.dated:
            return [
                {
                    "Id": _whole_id(f"04wQ{number:011d}"),
                    "IsoCode": code,
                    "StartDate": day,
                    "ConversionRate": rate,
                }
                for number, (code, day, rate) in enumerate(self.dated)
            ]
        raise SoqlError("INVALID_TYPE", f"sObject type '{entity}' is not supported.")

    def columns(self, entity: str) -> set[str]:
        known = (
            set(COLUMNS[entity].split()) if entity in COLUMNS else {name for row in self.table(entity) for name in row}
        )
        if entity in {"Opportunity", "Order", "Campaign"} and self.multi:
            known.add("CurrencyIsoCode")
        return known - {field for of, field in self.hidden if of == entity}

    def _deal(self, thing: Thing) -> Row:
        status = self.get("stage", thing["stage"])["status"]
        return _common(thing) | {
            "Name": thing["name"],
            "StageName": thing["stage"],
            "IsClosed": status != "open",
            "IsWon": status == "won",
            "Amount": thing["amount"],
            "CurrencyIsoCode": thing["currency"],
            # What somebody hoped for; nobody corrects it.
            "CloseDate": self.plans.get(thing.id, (thing.created.date() + timedelta(days=30)).isoformat()),
            "AccountId": thing["customer"],
            "OwnerId": thing["owner"],
            "RecordTypeId": thing["pipeline"],
            "LeadSource": thing.fields.get("origin"),
            "Type": thing.fields.get("kind"),
            "OpportunityHistories": lambda: self._history(thing),
            "OpportunityLineItems": lambda: self._lines(thing),
        }

    def _lines(self, thing: Thing) -> list[Row]:
        """A line for each product, after one that was taken off again."""
        number = int(thing.id[4:15])
        taken = [(None, Decimal(10**8))] if thing["products"] else []
        return [
            {
                "Id": _whole_id(f"00kQ{number:07d}{at:04d}"),
                "Product2Id": product,
                "TotalPrice": amount,
                "IsDeleted": product is None or thing.deleted is not None,
            }
            for at, (product, amount) in enumerate([*taken, *thing["products"]])
        ]

    def _history(self, thing: Thing) -> list[Row]:
        """An entry for each stage, and one for a change of the amount beside it."""
        entered = [each for each in thing["entered"] for _ in range(2)]
        number = int(thing.id[4:15])
        return [
            {
                "Id": _whole_id(f"008Q{number:07d}{at_:04d}"),
                "StageName": stage,
                "CreatedDate": _stamp(at),
                "IsDeleted": thing.deleted is not None,
            }
            for at_, (at, stage) in enumerate(entered)
        ]

    def _lead(self, thing: Thing, deal: str | None) -> Row:
        converted = thing["converted"]
        return _common(thing) | {
            "Name": thing["name"],
            "Industry": None,
            "LeadSource": thing["origin"],
            "OwnerId": thing["owner"],
            "IsConverted": converted is not None,
            "ConvertedDate": converted and converted.astimezone(ZONE).date().isoformat(),
            "ConvertedAccountId": thing["customer"],
            "ConvertedOpportunityId": deal,
        }


COLUMNS = {
    "User": "Id Name Email IsActive UserRoleId CreatedDate SystemModstamp",
    "UserRole": "Id Name ParentRoleId",
    "Account": "Id Name Industry AccountSource MasterRecordId IsDeleted CreatedDate SystemModstamp",
    "Lead": "Id Name Industry LeadSource OwnerId IsConverted ConvertedDate ConvertedAccountId ConvertedOpportunityId "
    "MasterRecordId IsDeleted CreatedDate SystemModstamp",
    "Opportunity": "Id Name StageName IsClosed IsWon Amount CloseDate AccountId OwnerId RecordTypeId LeadSource Type "
    "IsDeleted CreatedDate SystemModstamp OpportunityHistories OpportunityLineItems",
    "OpportunityLineItem": "Id OpportunityId Product2Id TotalPrice IsDeleted",
    "Product2": "Id Name IsDeleted CreatedDate SystemModstamp",
    "Contract": "Id AccountId StartDate EndDate ContractTerm StatusCode ActivatedDate IsDeleted CreatedDate "
    "SystemModstamp",
    "Order": "Id AccountId EffectiveDate StatusCode TotalAmount IsDeleted CreatedDate SystemModstamp",
    "Campaign": "Id Name Type StartDate EndDate ActualCost IsDeleted CreatedDate SystemModstamp",
    "OpportunityHistory": "Id OpportunityId StageName CreatedDate IsDeleted",
    "OpportunityStage": "Id ApiName MasterLabel SortOrder IsClosed IsWon IsActive",
    "RecordType": "Id Name SobjectType",
}


def _common(thing: Thing) -> Row:
    return {
        "Id": thing.id,
        "IsDeleted": thing.deleted is not None,
        "MasterRecordId": thing.merged_into,
        "CreatedDate": _stamp(thing.created),
        "SystemModstamp": _stamp(thing.modified),
    }


def _person(thing: Thing) -> Row:
    more = {"IsActive": thing.fields.get("active", True), "UserRoleId": thing.fields.get("role")}
    return _common(thing) | {"Name": thing["name"], "Email": thing["email"]} | more


def _customer(thing: Thing) -> Row:
    return _common(thing) | {"Name": thing["name"], "Industry": None, "AccountSource": None}


def _contract(thing: Thing) -> Row:
    draft = thing.fields.get("draft", False)
    return _common(thing) | {
        "AccountId": thing["customer"],
        "StartDate": _date(thing["starts"]),
        "EndDate": _date(thing["ends"]),
        "ContractTerm": None,
        "StatusCode": "Draft" if draft else "Activated",
        "ActivatedDate": None if draft else _stamp(thing.created),
    }


def _order(thing: Thing) -> Row:
    return _common(thing) | {
        "AccountId": thing["customer"],
        "EffectiveDate": _date(thing["day"]),
        "StatusCode": "Draft" if thing.fields.get("draft", False) else "Activated",
        "TotalAmount": thing["amount"],
        "CurrencyIsoCode": thing["currency"],
    }


def _campaign(thing: Thing) -> Row:
    return _common(thing) | {
        "Name": f"Campagne {thing.id}",
        "Type": thing.fields.get("origin"),
        "StartDate": _date(thing["starts"]),
        "EndDate": _date(thing["ends"]),
        "ActualCost": thing["amount"],
        "CurrencyIsoCode": thing["currency"],
    }


def _date(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _stage(thing: Thing) -> Row:
    closed = thing["status"] in {"won", "lost"}
    row = {"Id": _whole_id(f"01JQ{int(thing.id.split('_')[1]):011d}"), "ApiName": thing.id, "IsActive": True}
    return row | {
        "MasterLabel": thing["name"],
        "SortOrder": thing["position"],
        "IsClosed": closed,
        "IsWon": thing["status"] == "won",
    }


def _record_type(thing: Thing) -> Row:
    return {"Id": thing.id, "Name": thing["name"], "SobjectType": "Opportunity"}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def _whole_id(short: str) -> str:
    """The 15 characters and the three that say which of them are capitals."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = [short[at : at + 5] for at in (0, 5, 10)]
    return short + "".join(signs[sum(1 << bit for bit, sign in enumerate(part) if sign.isupper())] for part in parts)


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=[{"message": message, "errorCode": code}], headers=headers)


class Soql:
    """One query: SELECT fields, a subquery among them, FROM, WHERE with AND, OR and brackets, ORDER BY, LIMIT."""

    def __init__(self, crm: Salesforce, text: str, *, deleted: bool) -> None:
        self._crm, self._deleted = crm, deleted
        tokens = re.findall(r"'(?:[^'\\]|\\.)*'|\d{4}-[\dT:.+Z-]+|[\w.]+|[<>!]=|[(),=<>]|\S", text)
        self._tokens: deque[str] = deque(tokens)

    def rows(self) -> list[Row]:
        found = self._query(None)
        if self._tokens:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {self._tokens[0]}")
        return found

    def _query(self, of: str | None) -> Any:
        """Rows; within a query, what gives the rows of a parent row."""
        self._take("SELECT")
        fields: list[tuple[str, Callable[[Row], Any] | None]] = []
        while True:
            if self._accept("("):
                start = len(fields)
                inner = self._query("child")
                self._take(")")
                fields.append((inner[0], inner[1]))
                assert len(fields) == start + 1
            else:
                fields.append((self._tokens.popleft(), None))
            if not self._accept(","):
                break
        self._take("FROM")
        entity = self._tokens.popleft()
        if of == "child":
            of_deals = {"OpportunityHistories": "OpportunityHistory", "OpportunityLineItems": "OpportunityLineItem"}
            columns = set(COLUMNS.get(of_deals.get(entity, ""), "").split()) - {"OpportunityId"}
            known = entity in of_deals and ("Opportunity", entity) not in self._crm.hidden
            if not known or of_deals[entity] in self._crm.absent:
                raise SoqlError(
                    "INVALID_FIELD", f"Didn't understand relationship '{entity}' in FROM part of query call."
                )
        else:
            columns = self._crm.columns(entity)
        for name, _ in fields:
            if name not in columns:
                raise SoqlError("INVALID_FIELD", f"No such column '{name}' on entity '{entity}'.")
        where = self._either(columns, entity) if self._accept("WHERE") else lambda _row: True
        order: list[tuple[str, bool]] = []
        if self._accept("ORDER"):
            self._take("BY")
            while True:
                name = self._tokens.popleft()
                order.append((name, self._accept("DESC")))
                if not self._accept(","):
                    break
        limit = int(self._tokens.popleft()) if self._accept("LIMIT") else None

        def shape(all_: list[Row]) -> list[Row]:
            kept = [row for row in all_ if (self._deleted or not row.get("IsDeleted")) and where(row)]
            for name, falling in reversed(order):
                kept.sort(key=lambda row: row[name] or "", reverse=falling)
            return [
                {"attributes": {"type": entity}} | {name: make(row) if make else row[name] for name, make in fields}
                for row in kept[:limit]
            ]

        if of == "child":

            def children(row: Row) -> Row | None:
                there, most = shape(row[entity]()), self._crm.history_batch
                if not there:
                    return None
                return {"totalSize": len(there), "done": len(there) <= most, "records": there[:most]}

            return entity, children
        return shape(self._crm.table(entity))

    def _either(self, columns: set[str], entity: str) -> Callable[[Row], bool]:
        some = [self._both(columns, entity)]
        while self._accept("OR"):
            some.append(self._both(columns, entity))
        return lambda row: any(each(row) for each in some)

    def _both(self, columns: set[str], entity: str) -> Callable[[Row], bool]:
        all_ = [self._one(columns, entity)]
        while self._accept("AND"):
            all_.append(self._one(columns, entity))
        return lambda row: all(each(row) for each in all_)

    def _one(self, columns: set[str], entity: str) -> Callable[[Row], bool]:
        if self._accept("("):
            inner = self._either(columns, entity)
            self._take(")")
            return inner
        name, sign = self._tokens.popleft(), self._tokens.popleft().upper()
        if name not in columns:
            raise SoqlError("INVALID_FIELD", f"No such column '{name}' on entity '{entity}'.")
        if sign == "IN":
            self._take("(")
            wanted = {self._literal()}
            while self._accept(","):
                wanted.add(self._literal())
            self._take(")")
            return lambda row: row[name] in wanted
        value = self._literal()
        compare: dict[str, Callable[[Any, Any], bool]] = {
            "=": lambda a, b: a == b,
            "!=": lambda a, b: a != b,
            ">": lambda a, b: a > b,
            ">=": lambda a, b: a >= b,
            "<": lambda a, b: a < b,
            "<=": lambda a, b: a <= b,
        }
        if sign not in compare:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {sign}")
        return lambda row: row[name] is not None and compare[sign](_comparable(row[name], value), value)

    def _literal(self) -> Any:
        token = self._tokens.popleft()
        if token.startswith("'"):
            return token[1:-1]
        if re.match(r"\d{4}-", token):
            return datetime.fromisoformat(token) if "T" in token else date.fromisoformat(token)
        return {"TRUE": True, "FALSE": False, "NULL": None}.get(token.upper(), token)

    def _accept(self, word: str) -> bool:
        if self._tokens and self._tokens[0].upper() == word:
            self._tokens.popleft()
            return True
        return False

    def _take(self, word: str) -> None:
        if not self._accept(word):
            raise SoqlError("MALFORMED_QUERY", f"expecting {word}")


def _comparable(said: Any, value: Any) -> Any:
    return datetime.fromisoformat(said) if isinstance(value, datetime) else said
