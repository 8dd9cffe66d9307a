"""Salesforce: opportunities, accounts, leads, people, products, contracts, orders and what campaigns cost, read with
SOQL through `queryAll`.

`queryAll` tells deleted rows too (`IsDeleted`) and who took a merged one over (`MasterRecordId`), so getUpdated and
getDeleted, which keep less, are not asked. Rows that have left the recycle bin are told by nothing: a complete listing
finds them. There are no webhooks worth the name: Salesforce is asked at every sync.

The day a deal was closed is the one on which its stage history says it was. `CloseDate` is a plan that people edit: it
counts only where the history does not tell, as for a deal that was already closed when it was imported.

Beside this room: `salesforce_api` (the protocol), `salesforce_rows` (its rows and what they mean) and
`salesforce_commerce` (what is bought and what it costs to sell).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from storage.connectors import salesforce_api, wanted
from storage.connectors import salesforce_commerce as commerce
from storage.connectors import salesforce_rows as sobjects
from storage.connectors.base import AbsentError, Account, Declaration, DriftError, Opening, Suggestion, Walk
from storage.connectors.http import UnexpectedError
from storage.connectors.reading import Secret, UnreadableError, oddity, problem, read_rows
from storage.connectors.salesforce_api import Api, address, checked, drift, id_of, is_id, literal
from storage.records import Gone, Page, Passage, Position, Problem, Record, Stage

PAGE_ROWS = 400
"""Rows a transaction."""
LOOK_BACK = timedelta(minutes=15)
"""A long transaction shows its rows late, with the moment at which it wrote them."""

_ENTITIES: dict[str, tuple[str, type[sobjects.Sobject]]] = {
    "rate": ("CurrencyType", sobjects.Currency),
    "dated_rate": ("DatedConversionRate", sobjects.DatedRate),
    "team": ("UserRole", sobjects.Role),
    "person": ("User", sobjects.User),
    "pipeline": ("RecordType", sobjects.RecordType),
    "stage": ("OpportunityStage", sobjects.StageRow),
    "customer": ("Account", sobjects.AccountRow),
    "lead": ("Lead", sobjects.LeadRow),
    "deal": ("Opportunity", sobjects.Opportunity),
    "product": ("Product2", commerce.ProductRow),
    "contract": ("Contract", commerce.ContractRow),
    "purchase": ("Order", commerce.OrderRow),
    "spend": ("Campaign", commerce.CampaignRow),
}
_COMMERCE = frozenset({"product", "contract", "purchase", "spend"})
"""Not every organisation has them, and not every user may read them."""
_CHANGING = frozenset({"person", "customer", "lead", "deal"}) | _COMMERCE
"""Read by their changes; the others are few, and read whole each time."""
_FEATURES = frozenset({"rate", "dated_rate"})
"""Absent where the organisation has one currency, or no dated rates."""
_OURS = {"pipeline": "SobjectType = 'Opportunity'"}
"""Of an entity that serves others too, the rows that are asked for."""
_WITHIN = {
    "OpportunityHistories": "(SELECT StageName, CreatedDate FROM OpportunityHistories ORDER BY CreatedDate, Id)",
    "OpportunityLineItems": "(SELECT Product2Id, TotalPrice FROM OpportunityLineItems WHERE IsDeleted = false "
    "ORDER BY Id)",
}
"""Rows that come inside those of opportunities."""


def _walk(object_: str) -> Walk:
    if object_ not in _CHANGING:
        return Walk(object=object_)
    return Walk(
        object=object_,
        key="SystemModstamp",
        look_back=LOOK_BACK,
        tells_deletes=object_ != "person",
        tells_merges=object_ in {"customer", "lead"},
    )


_WALKED = ("rate", "team", "person", "pipeline", "stage", "product", "customer", "lead", "deal")
WALKS = tuple(map(_walk, (*_WALKED, "contract", "purchase", "spend")))


class Options(BaseModel):
    instance_url: Annotated[str, AfterValidator(address)] = Field(
        description="The address of your organisation, as in Setup > My Domain: https://company.my.salesforce.com"
    )
    client_id: str = Field(
        min_length=1,
        description="Setup > App Manager: the consumer key of an app with the client credentials flow and scope api",
    )
    client_secret: Secret = Field(description="The consumer secret of the same app")
    contracts: bool = wanted.contracts()
    purchases: bool = wanted.purchases()
    spend: bool = wanted.spend()


class Salesforce:
    source = "salesforce"

    def __init__(self, opening: Opening) -> None:
        self.walks = wanted.wanted(WALKS, opening.options)
        self._opening, self._client = opening, opening.client
        self._api = Api(opening.client)
        self._known: dict[str, list[Any]] = {}
        self._one_currency: bool | None = None
        self._no_products: bool | None = None

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        try:
            yield from self._changing(walk.object, position) if walk.key else self._whole(walk.object, position)
        except DriftError as error:
            same = error.object == walk.object
            if same and walk.object in _COMMERCE and error.field == _ENTITIES[walk.object][0]:
                raise AbsentError(walk.object, error.field) from None
            # Deals rest on stages and currencies: it is the deals that wait.
            raise DriftError(walk.object, error.field if same else f"{error.object}.{error.field}") from None

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        wanted = set(ext_ids)
        if object_ not in _CHANGING:
            page = self._few(object_)
            found = {record.ext_id for record in page.records}
            page = replace(page, records=[record for record in page.records if record.ext_id in wanted])
        else:
            rows = self._api.by_ids(object_, self._select(object_), "Id", [each for each in ext_ids if is_id(each)])
            found = {row["Id"] for row in rows}
            page = self._page(object_, rows)
        missing = [Gone(object=object_, ext_id=each) for each in ext_ids if each not in found]
        return replace(page, gone=[*page.gone, *missing])

    # Walking.

    def _changing(self, object_: str, position: Position) -> Iterator[Page]:
        last, listing = False, position.listing
        while not last:
            for batch, whole in self._api.batches(object_, self._from(object_, position)):
                starts = range(0, len(batch), PAGE_ROWS) or range(1)
                for start in starts:
                    rows = batch[start : start + PAGE_ROWS]
                    last = whole and start == starts[-1]
                    position = _after(object_, position, rows)
                    page = self._page(object_, rows)
                    if object_ == "lead" and not listing:
                        page = self._with_their_deals(page, rows)
                    after = position.done(self._client.behind) if last else position
                    yield replace(page, position=after, listing=listing, last=last)

    def _whole(self, object_: str, position: Position) -> Iterator[Page]:
        page = self._few(object_)
        yield replace(page, position=position.done(self._client.behind), listing=True, last=True)

    def _from(self, object_: str, position: Position) -> str:
        """The query for the rows behind a position: a keyset, which outlives every locator of Salesforce."""
        if position.listing:
            where, order = f"WHERE Id > '{checked(position.token)}' " if position.token else "", "Id"
        else:
            since, after = literal(position.since or datetime(1970, 1, 1, tzinfo=UTC)), position.after
            beyond = f"AND (SystemModstamp > {since} OR Id > '{checked(after)}') " if after else ""
            where, order = f"WHERE SystemModstamp >= {since} {beyond}", "SystemModstamp, Id"
        return f"{self._select(object_)} {where}ORDER BY {order}"

    # Asking.

    def _select(self, object_: str) -> str:
        entity, model = _ENTITIES[object_]
        fields = model.model_fields
        absent = {name for name, there in self._sometimes(object_).items() if not there()}
        names = [_WITHIN.get(name, name) for name in fields if name not in absent]
        return f"SELECT {', '.join(names)} FROM {entity}"  # noqa: S608 - constants

    def _sometimes(self, object_: str) -> dict[str, Callable[[], bool]]:
        """Fields that not every organisation has, each with whether this one does."""
        found: dict[str, Callable[[], bool]] = {}
        if "CurrencyIsoCode" in _ENTITIES[object_][1].model_fields:
            found["CurrencyIsoCode"] = self._has_currencies
        if object_ == "deal":
            found["RecordTypeId"] = lambda: bool(self._rows_of("pipeline"))
            found["OpportunityLineItems"] = self._has_products
        return found

    def _has_products(self) -> bool:
        if self._no_products is None:
            try:
                self._api.first("SELECT Id, Product2Id FROM OpportunityLineItem")
                self._no_products = False
            except UnexpectedError as error:
                if drift("deal", error) is None:
                    raise
                self._no_products = True
        return not self._no_products

    def _has_currencies(self) -> bool:
        if self._one_currency is None:
            try:
                self._api.first("SELECT CurrencyIsoCode FROM Opportunity")
                self._one_currency = False
            except UnexpectedError as error:
                lacks = drift("deal", error)
                if lacks is None or lacks.field != "CurrencyIsoCode":
                    raise lacks or error from None
                self._one_currency = True
        return not self._one_currency

    def _rows_of(self, object_: str) -> list[Any]:
        """The rows of what is few, once a run; none where the organisation does not have the feature."""
        if object_ not in self._known:
            try:
                self._known[object_] = self._api.all(object_, self._select(object_), _OURS.get(object_, ""))
            except DriftError as error:
                if object_ not in _FEATURES or error.field != _ENTITIES[object_][0]:
                    raise
                self._known[object_] = []
        return self._known[object_]

    def _leads_of(self, deals: Sequence[str]) -> dict[str, str]:
        """Opportunity to the lead that became it: only leads know. Of several that became one, the first counts."""
        rows = self._api.by_ids("deal", "SELECT Id, ConvertedOpportunityId FROM Lead", "ConvertedOpportunityId", deals)
        return {row["ConvertedOpportunityId"]: row["Id"] for row in reversed(rows)}

    def _history(self, row: Mapping[str, Any]) -> list[Any]:
        """The entries of an opportunity's history."""
        return self._within(row, "OpportunityHistories", "SELECT Id, StageName, CreatedDate FROM OpportunityHistory")

    def _lines(self, row: Mapping[str, Any]) -> list[Any]:
        """The products on an opportunity."""
        select = "SELECT Id, Product2Id, TotalPrice, IsDeleted FROM OpportunityLineItem"
        return [line for line in self._within(row, "OpportunityLineItems", select) if not line.get("IsDeleted")]

    def _within(self, row: Mapping[str, Any], name: str, select: str) -> list[Any]:
        """Rows within that of an opportunity; where they are too many for it, they are asked for by themselves."""
        told = row.get(name) or {"records": []}
        if isinstance(told, dict) and told.get("done") is not False:
            return list(told.get("records") or ())
        found = self._api.by_ids("deal", select, "OpportunityId", [row["Id"]])
        return sorted(found, key=lambda each: (str(each.get("CreatedDate")), each["Id"]))

    # Understanding.

    def _page(self, object_: str, rows: Sequence[Any]) -> Page:
        passages: list[Passage] = []
        kept: list[Problem] = []
        leads: dict[str, str] = {}
        if object_ == "deal":
            told = [row for row in rows if isinstance(row, dict) and is_id(row.get("Id"))]
            for row in told:
                row["OpportunityHistories"] = self._history(row)
                row["OpportunityLineItems"] = self._lines(row)
            leads = self._leads_of([row["Id"] for row in told])

        def deal(row: sobjects.Opportunity) -> Record:
            status = self._status(row.StageName, closed=row.IsClosed, won=row.IsWon)
            made, entered = sobjects.deal(row, leads.get(row.Id), currency, status, self._status_of)
            passages.extend(entered)
            if odd := oddity(row.Amount, made.currency or ""):
                kept.append(problem(row, "deal", odd, "Amount", row.Amount, "Id", kept=True))
            return made

        currency, zone = self._opening.currency, self._opening.zone
        makers: dict[str, Callable[[Any], Record | Gone]] = {
            "team": sobjects.team,
            "person": sobjects.person,
            "pipeline": sobjects.pipeline,
            "stage": self._stage,
            "customer": sobjects.customer,
            "lead": sobjects.lead,
            "deal": deal,
            "product": commerce.product,
            "contract": commerce.contract,
            "purchase": lambda row: commerce.order(row, currency),
            "spend": lambda row: commerce.campaign(row, currency, zone),
        }
        model: type[sobjects.Sobject] = _ENTITIES[object_][1]
        found, problems = read_rows(rows, model, makers[object_], object_, "Id")
        return Page(
            object=object_,
            records=[each for each in found if isinstance(each, Record)],
            gone=[each for each in found if isinstance(each, Gone)],
            problems=[*problems, *kept],
            passages=passages,
        )

    def _with_their_deals(self, page: Page, rows: Sequence[Any]) -> Page:
        """A lead may become a deal that was there before, which does not change by it: the deal is read again."""
        deals = [row["ConvertedOpportunityId"] for row in rows if is_id(row.get("ConvertedOpportunityId"))]
        if not deals:
            return page
        try:
            read = self.reread("deal", deals)
        except DriftError:
            # The deals wait, and say so themselves; their leads need not.
            return page
        records, problems = [*page.records, *read.records], [*page.problems, *read.problems]
        return replace(page, records=records, problems=problems, passages=read.passages)

    def _few(self, object_: str) -> Page:
        self._known.pop(object_, None)
        return self._rates() if object_ == "rate" else self._page(object_, self._rows_of(object_))

    def _stage(self, row: sobjects.StageRow) -> Record:
        status = self._status(row.ApiName, closed=row.IsClosed, won=row.IsWon)
        return Stage(ext_id=row.ApiName, name=row.MasterLabel, position=row.SortOrder, status=status)

    def _status(self, stage: str, *, closed: bool, won: bool) -> str:
        return self._opening.stages.get(stage) or ("won" if won else "lost" if closed else "open")

    def _status_of(self, stage: str) -> str:
        """What a deal in this stage is; open where the stage is no more."""
        told: Mapping[str, Any] = next((row for row in self._rows_of("stage") if row.get("ApiName") == stage), {})
        return self._status(stage, closed=bool(told.get("IsClosed")), won=bool(told.get("IsWon")))

    def _rates(self) -> Page:
        """A currency with dated rates has no other."""
        plain = self._rows_of("rate")
        corporate = next((row.get("IsoCode") for row in plain if row.get("IsCorporate")), None)
        if corporate is None:
            return Page(object="rate", records=())
        self._known.pop("dated_rate", None)
        dated = [row for row in self._rows_of("dated_rate") if row.get("IsoCode") != corporate]
        settled = {row.get("IsoCode") for row in dated} | {corporate}
        plain = [row for row in plain if row.get("IsoCode") not in settled]
        records, problems = read_rows(plain, sobjects.Currency, lambda row: sobjects.rate(row, corporate), "rate", "Id")
        more, others = read_rows(dated, sobjects.DatedRate, lambda row: sobjects.rate(row, corporate), "rate", "Id")
        return Page(object="rate", records=[*records, *more], problems=[*problems, *others])


def _after(object_: str, position: Position, rows: Sequence[Any]) -> Position:
    """The position behind these rows, which came in its order."""
    if not rows:
        return position
    ext_id = id_of(object_, rows[-1])
    if position.listing:
        return replace(position, token=ext_id)
    try:
        since = sobjects.moment(rows[-1].get("SystemModstamp", ""), "SystemModstamp")
    except UnreadableError:
        raise DriftError(object_, "SystemModstamp") from None
    return replace(position, since=since, after=ext_id)


def _check(opening: Opening) -> Account:
    told = Api(opening.client).first("SELECT Name, TimeZoneSidKey FROM Organization")
    return Account(name=told["Name"], time_zone=told.get("TimeZoneSidKey"))


CONNECTOR = Declaration(
    source="salesforce",
    title="Salesforce",
    options=Options,
    walks=WALKS,
    limits=lambda options: salesforce_api.limits(
        options.instance_url, options.client_id, options.client_secret.get_secret_value()
    ),
    open=Salesforce,
    check=_check,
)
