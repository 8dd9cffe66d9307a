"""Koban: deals, accounts, leads, processes, products, contracts and invoices, through its API v1.

From Koban's public notes (github.com/Koban-CRM/coding-templates): the two key headers, `GetUpdated` with `updated`
(unix seconds), `s` and `l`, rows in `List`, `GetOne?id=`, `ncDealProcess/GetAll` with `Steps`, webhooks as JSON arrays.
Assumed, for want of a published word: `GetUpdated` gives rows in the order of their last change and, with `updated=0`,
all of them; leads, products, contracts and invoices have it too; a `GetOne` of what was deleted gives 404, null or
`Obsolete`. No list tells of deletes: only a complete one shows them. Amounts are in the workspace's currency.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr

from storage.connectors import wanted
from storage.connectors.base import (
    AbsentError,
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
from storage.connectors.http import Limits, RefusedError, UnexpectedError
from storage.connectors.koban_commerce import Made
from storage.connectors.koban_rows import Rows
from storage.connectors.reading import Secret, read_rows
from storage.connectors.windows import Stretch, Window, along, windows
from storage.records import Gone, Mention, Page, Position, Problem, Record

SOURCE = "koban"
BASE = "https://app-koban.com"
CLASSES = {
    "pipeline": "/api/v1/ncDealProcess",
    "stage": "/api/v1/ncDealProcess",
    "customer": "/api/v1/ncThird",
    "lead": "/api/v1/ncLead",
    "deal": "/api/v1/ncDeal",
    "product": "/api/v1/ncProduct",
    "contract": "/api/v1/ncContract",
    "purchase": "/api/v1/ncInvoice",
}
_COMMERCE = frozenset({"product", "contract", "purchase"})
"""Not every account has them, and not every user may read them."""
PAGE_ROWS = 100
"""The most that one call of Koban takes; if it gives fewer, so many are read."""
LOOK_BACK = timedelta(minutes=30)

WALKS = (
    Walk(object="pipeline"),
    Walk(object="stage"),
    Walk(object="product", key="updated", look_back=LOOK_BACK),
    Walk(object="customer", key="updated", look_back=LOOK_BACK),
    Walk(object="lead", key="updated", look_back=LOOK_BACK),
    Walk(object="deal", key="updated", look_back=LOOK_BACK, first_seen=True),
    Walk(object="contract", key="updated", look_back=LOOK_BACK),
    Walk(object="purchase", key="updated", look_back=LOOK_BACK),
)


class Options(BaseModel):
    api_key: Secret = Field(description="API key (X-ncApi): Parameters, API")
    user_key: Secret = Field(description="Login key (X-ncUser) of a user who sees all deals: Parameters, API")
    webhook_secret: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        description="Secret end of the webhooks' address; made up when connecting",
    )
    contracts: bool = wanted.contracts()
    purchases: bool = wanted.purchases()


class Koban:
    source = SOURCE

    def __init__(self, opening: Opening) -> None:
        self.walks = wanted.wanted(WALKS, opening.options)
        self._client = opening.client
        self._rows = Rows(opening.currency, opening.stages, opening.zone)

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        changed = None if position.listing else position.since
        stretch = self._updated(walk.object, changed) if walk.key else self._whole(walk.object)
        for _, rows, after, last in along(position, [stretch], lambda: self._client.behind):
            page = self._page(walk.object, rows)
            yield replace(page, position=after, listing=position.listing, last=last)

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """Users, processes and steps cannot be asked for one by one: they are left as they are."""
        rows: list[Any] = []
        gone: list[Gone] = []
        for ext_id in ext_ids if object_ in {"customer", "lead", "deal"} | _COMMERCE else ():
            try:
                row = self._client.get(f"{CLASSES[object_]}/GetOne", id=ext_id)
            except UnexpectedError as error:
                if error.status not in {404, 410}:
                    raise
                row = None
            if isinstance(row, dict) and row.get("Guid"):
                rows.append(row)
            else:
                gone.append(Gone(object=object_, ext_id=ext_id))
        page = self._page(object_, rows) if rows else Page(object=object_, records=())
        return replace(page, gone=[*page.gone, *gone])

    def _updated(self, object_: str, since: datetime | None) -> Stretch:
        """What changed since, or everything; offsets over a moving set (`storage.connectors.windows`)."""
        updated = 0 if since is None else int(since.timestamp())

        def ask(start: int, size: int) -> tuple[Sequence[Any], None]:
            try:
                answer = self._client.get(f"{CLASSES[object_]}/GetUpdated", updated=updated, s=start, l=size)
            except (RefusedError, UnexpectedError) as error:
                if object_ in _COMMERCE and error.status in {403, 404, 405}:
                    raise AbsentError(object_, CLASSES[object_].rpartition("/")[2]) from None
                if error.status in {404, 405}:
                    # This class of rows alone waits; the others are read.
                    raise DriftError(object_, "GetUpdated") from None
                raise
            return _list(object_, answer), None

        return lambda token: windows(ask, _version, PAGE_ROWS, token)

    def _whole(self, object_: str) -> Stretch:
        def stretch(_token: str) -> Iterator[Window]:
            yield Window(_list(object_, self._client.get(f"{CLASSES[object_]}/GetAll")), "", last=True)

        return stretch

    def _page(self, object_: str, rows: Sequence[Any]) -> Page:
        made, problems = read_rows(rows, *self._rows.forms[object_], object_, "Guid")
        return _page(object_, made, problems)


def _version(row: Any) -> str:
    """A row and its state in short."""
    told = json.dumps(row, sort_keys=True, default=str).encode()
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def _list(object_: str, answer: Any) -> Sequence[Any]:
    rows = answer.get("List") if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise DriftError(object_, "List")
    return rows


def _page(object_: str, made: Sequence[Made], problems: Sequence[Problem]) -> Page:
    told = [each for one in made for each in one]
    return Page(
        object=object_,
        records=[each for each in told if isinstance(each, Record)],
        mentions=list(dict.fromkeys(each for each in told if isinstance(each, Mention))),
        gone=[each for each in told if isinstance(each, Gone)],
        problems=[*problems, *(each for each in told if isinstance(each, Problem))],
    )


def limits(options: Options) -> Limits:
    return Limits(
        base_url=BASE,
        headers={
            "X-ncApi": options.api_key.get_secret_value(),
            "X-ncUser": options.user_key.get_secret_value(),
            "Accept": "application/json",
        },
        # Koban names no limit.
        per_second=2,
    )


def check(opening: Opening) -> Account:
    """No call that names the account is published: the processes prove that the keys are right."""
    path = f"{CLASSES['pipeline']}/GetAll"
    try:
        _list("pipeline", opening.client.get(path))
    except DriftError:
        raise UnexpectedError(f"GET {path}: no list", 200, "") from None
    return Account("Koban")


def hints(knock: Knock, options: Options, _now: datetime) -> Sequence[Hint]:
    """The rows that a webhook brings, once the address ends with the secret. Koban signs nothing and numbers nothing:
    the same rows, word for word, are the same event."""
    last, secret = urlsplit(knock.url).path.rpartition("/")[2], options.webhook_secret.get_secret_value()
    if not secret:
        raise NotGenuineError("no secret was agreed on")
    if not hmac.compare_digest(last.encode(), secret.encode()):
        raise NotGenuineError("wrong secret in the address")
    said = json.loads(knock.body)
    found = []
    for row in said if isinstance(said, list) else [said]:
        if not isinstance(row, dict) or not isinstance(row.get("sId"), str):
            raise ValueError("no sId")
        object_ = _object(row)
        if object_ is not None:
            found.append(Hint(_version([object_, row]), object_, row["sId"]))
    return found


def _object(row: dict[str, Any]) -> str | None:
    """What kind of row it is, which only its fields tell."""
    if "oDealProcess" in row or "oDealProcessStep" in row:
        return "deal"
    if "AccountingCode" in row or "oStatus" in row:
        return "customer"
    return None


CONNECTOR = Declaration(
    source=SOURCE,
    title="Koban",
    options=Options,
    walks=WALKS,
    limits=limits,
    open=Koban,
    check=check,
    hints=hints,
)
