"""Salesforce: opportunities, accounts, leads and people, read with SOQL through `queryAll`.

`queryAll` tells deleted rows too (`IsDeleted`) and who took a merged one over (`MasterRecordId`), so getUpdated and
getDeleted, which keep less, are not asked. Rows that have left the recycle bin are told by nothing: a complete listing
finds them. There are no webhooks worth the name: Salesforce is asked at every sync.

The day a deal was closed is the one on which its stage history says it was. `CloseDate` is a plan that people edit: it
counts only where the history does not tell, as for a deal that was already closed when it was imported.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, BaseModel, Field

from storage.connectors import salesforce_rows as sobjects
from storage.connectors.base import Account, Declaration, DriftError, Opening, Suggestion, Walk
from storage.connectors.http import Budget, Limits, RefusedError, UnexpectedError
from storage.connectors.reading import Secret, UnreadableError, oddity, problem, read_rows
from storage.records import Gone, Page, Passage, Position, Problem, Record, Stage

API = "/services/data/v66.0"
TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
LIMIT = 2000
"""Rows a query: as many as one answer holds at most."""
PAGE_ROWS = 400
"""Rows a transaction; so many ids also fit into one address."""
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
}
_CHANGING = frozenset({"person", "customer", "lead", "deal"})
"""Read by their changes; the others are few, and read whole each time."""
_FEATURES = frozenset({"rate", "dated_rate"})
"""Absent where the organisation has one currency, or no dated rates."""
_OURS = {"pipeline": "SobjectType = 'Opportunity'"}
"""Of an entity that serves others too, the rows that are asked for."""
_HISTORY = "(SELECT StageName, CreatedDate FROM OpportunityHistories ORDER BY CreatedDate, Id)"


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


WALKS = tuple(map(_walk, ("rate", "team", "person", "pipeline", "stage", "customer", "lead", "deal")))


def _address(said: str) -> str:
    """The address of the organisation, from what people copy out of their browser."""
    url = httpx.URL(said.strip() if "://" in said else f"https://{said.strip()}")
    host = re.sub(r"\.(lightning\.force|my\.salesforce-setup)\.com$", ".my.salesforce.com", url.host)
    if url.scheme != "https" or not host.endswith((".salesforce.com", ".salesforce.mil")) or url.userinfo or url.port:
        raise ValueError("not an https address of Salesforce, such as https://company.my.salesforce.com")
    return f"https://{host}"


class Options(BaseModel):
    instance_url: Annotated[str, AfterValidator(_address)] = Field(
        description="The address of your organisation, as in Setup > My Domain: https://company.my.salesforce.com"
    )
    client_id: str = Field(
        min_length=1,
        description="Setup > App Manager: the consumer key of an app with the client credentials flow and scope api",
    )
    client_secret: Secret = Field(description="The consumer secret of the same app")


class Salesforce:
    source = "salesforce"
    walks = WALKS

    def __init__(self, opening: Opening) -> None:
        self._opening, self._client = opening, opening.client
        self._known: dict[str, list[Any]] = {}
        self._one_currency: bool | None = None

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        try:
            yield from self._changing(walk.object, position) if walk.key else self._whole(walk.object, position)
        except DriftError as error:
            # Deals rest on stages and currencies: it is the deals that wait.
            same = error.object == walk.object
            raise DriftError(walk.object, error.field if same else f"{error.object}.{error.field}") from None

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        wanted = set(ext_ids)
        if object_ not in _CHANGING:
            page = self._few(object_)
            found = {record.ext_id for record in page.records}
            page = replace(page, records=[record for record in page.records if record.ext_id in wanted])
        else:
            rows = self._by_ids(object_, self._select(object_), "Id", [each for each in ext_ids if _is_id(each)])
            found = {row["Id"] for row in rows}
            page = self._page(object_, rows)
        return replace(page, gone=[Gone(object=object_, ext_id=each) for each in ext_ids if each not in found])

    # Walking.

    def _changing(self, object_: str, position: Position) -> Iterator[Page]:
        last, listing = False, position.listing
        while not last:
            for batch, whole in self._batches(object_, self._from(object_, position)):
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
            where, order = f"WHERE Id > '{_checked(position.token)}' " if position.token else "", "Id"
        else:
            since, after = _literal(position.since or datetime(1970, 1, 1, tzinfo=UTC)), position.after
            beyond = f"AND (SystemModstamp > {since} OR Id > '{_checked(after)}') " if after else ""
            where, order = f"WHERE SystemModstamp >= {since} {beyond}", "SystemModstamp, Id"
        return f"{self._select(object_)} {where}ORDER BY {order}"

    # Asking.

    def _batches(self, object_: str, soql: str) -> Iterator[tuple[list[Any], bool]]:
        """The answers to a query, each with whether nothing follows it: neither in the query nor beyond its limit."""
        seen, path, given = 0, f"{API}/queryAll", {"q": f"{soql} LIMIT {LIMIT}"}
        while True:
            try:
                answer = self._client.get(path, **given)
            except (UnexpectedError, RefusedError) as error:
                # Locators die of age, of ten others, or with the session that made them: the keyset goes on.
                if seen and (isinstance(error, RefusedError) or "INVALID_QUERY_LOCATOR" in _codes(error)):
                    return
                raise _drift(object_, error) or error from None
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

    def _all(self, object_: str, select: str, where: str = "") -> list[Any]:
        """Every row of a query that has no order of its own; `select` holds the Id."""
        found: list[Any] = []
        whole = False
        while not whole:
            conditions = [where] if where else []
            conditions += [f"Id > '{_id(object_, found[-1])}'"] if found else []
            told = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            for rows, whole in self._batches(object_, f"{select}{told} ORDER BY Id"):  # noqa: B007 - the last one's
                found += rows
        return found

    def _by_ids(self, object_: str, select: str, field: str, ids: Sequence[str]) -> list[Any]:
        starts = range(0, len(ids), PAGE_ROWS)
        quoted = [",".join(f"'{_checked(each)}'" for each in ids[start : start + PAGE_ROWS]) for start in starts]
        return [row for some in quoted for row in self._all(object_, select, f"{field} IN ({some})")]

    def _select(self, object_: str) -> str:
        entity, model = _ENTITIES[object_]
        absent = set() if object_ != "deal" else self._absent()
        names = [_HISTORY if name == "OpportunityHistories" else name for name in model.model_fields]
        return f"SELECT {', '.join(name for name in names if name not in absent)} FROM {entity}"  # noqa: S608 - constants

    def _absent(self) -> set[str]:
        """Fields of opportunities that there are none of: of currencies where there is one, of record types."""
        if self._one_currency is None:
            try:
                self._client.get(f"{API}/queryAll", q="SELECT CurrencyIsoCode FROM Opportunity LIMIT 1")
                self._one_currency = False
            except UnexpectedError as error:
                drift = _drift("deal", error)
                if drift is None or drift.field != "CurrencyIsoCode":
                    raise drift or error from None
                self._one_currency = True
        there = {"CurrencyIsoCode": not self._one_currency, "RecordTypeId": bool(self._rows_of("pipeline"))}
        return {name for name, found in there.items() if not found}

    def _rows_of(self, object_: str) -> list[Any]:
        """The rows of what is few, once a run; none where the organisation does not have the feature."""
        if object_ not in self._known:
            try:
                self._known[object_] = self._all(object_, self._select(object_), _OURS.get(object_, ""))
            except DriftError as error:
                if object_ not in _FEATURES or error.field != _ENTITIES[object_][0]:
                    raise
                self._known[object_] = []
        return self._known[object_]

    def _leads_of(self, deals: Sequence[str]) -> dict[str, str]:
        """Opportunity to the lead that became it: only leads know. Of several that became one, the first counts."""
        rows = self._by_ids("deal", "SELECT Id, ConvertedOpportunityId FROM Lead", "ConvertedOpportunityId", deals)
        return {row["ConvertedOpportunityId"]: row["Id"] for row in reversed(rows)}

    def _history(self, row: Mapping[str, Any]) -> list[Any]:
        """The entries of an opportunity's history; one too long for its row is asked for by itself."""
        told = row.get("OpportunityHistories") or {"records": []}
        if isinstance(told, dict) and told.get("done") is not False:
            return list(told.get("records") or ())
        select = "SELECT Id, StageName, CreatedDate FROM OpportunityHistory"
        return sorted(
            self._by_ids("deal", select, "OpportunityId", [row["Id"]]), key=lambda entry: str(entry["CreatedDate"])
        )

    # Understanding.

    def _page(self, object_: str, rows: Sequence[Any]) -> Page:
        passages: list[Passage] = []
        kept: list[Problem] = []
        leads: dict[str, str] = {}
        if object_ == "deal":
            told = [row for row in rows if isinstance(row, dict) and _is_id(row.get("Id"))]
            for row in told:
                row["OpportunityHistories"] = self._history(row)
            leads = self._leads_of([row["Id"] for row in told])

        def deal(row: sobjects.Opportunity) -> Record:
            status = self._status(row.StageName, closed=row.IsClosed, won=row.IsWon)
            made, entered = sobjects.deal(row, leads.get(row.Id), self._opening.currency, status, self._status_of)
            passages.extend(entered)
            if odd := oddity(row.Amount, made.currency or ""):
                kept.append(problem(row, "deal", odd, "Amount", row.Amount, "Id", kept=True))
            return made

        makers: dict[str, Callable[[Any], Record]] = {
            "team": sobjects.team,
            "person": sobjects.person,
            "pipeline": sobjects.pipeline,
            "stage": self._stage,
            "customer": sobjects.customer,
            "lead": sobjects.lead,
            "deal": deal,
        }
        records, problems = read_rows(rows, _ENTITIES[object_][1], makers[object_], object_, "Id")
        return Page(object=object_, records=records, problems=[*problems, *kept], passages=passages)

    def _with_their_deals(self, page: Page, rows: Sequence[Any]) -> Page:
        """A lead may become a deal that was there before, which does not change by it: the deal is read again."""
        deals = [row["ConvertedOpportunityId"] for row in rows if _is_id(row.get("ConvertedOpportunityId"))]
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
    ext_id = _id(object_, rows[-1])
    if position.listing:
        return replace(position, token=ext_id)
    try:
        since = sobjects.moment(rows[-1].get("SystemModstamp", ""), "SystemModstamp")
    except UnreadableError:
        raise DriftError(object_, "SystemModstamp") from None
    return replace(position, since=since, after=ext_id)


def _id(object_: str, row: Any) -> str:
    found = row.get("Id") if isinstance(row, dict) else None
    if not _is_id(found):
        raise DriftError(object_, "Id")
    return str(found)


# SOQL has no parameters: nothing but ids and moments, checked, is written into it.


def _is_id(said: object) -> bool:
    return isinstance(said, str) and re.fullmatch(r"[A-Za-z0-9]{15,18}", said) is not None


def _checked(ext_id: str) -> str:
    if not _is_id(ext_id):
        raise ValueError("not an id of Salesforce")
    return ext_id


def _literal(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _codes(error: Exception) -> list[str]:
    return re.findall(r'"errorCode"\s*:\s*"(\w+)"', error.body) if isinstance(error, UnexpectedError) else []


def _drift(object_: str, error: Exception) -> DriftError | None:
    """The field or the entity that is no more, or that this user may not see: Salesforce says the same of both."""
    if not isinstance(error, UnexpectedError) or not {"INVALID_FIELD", "INVALID_TYPE"} & set(_codes(error)):
        return None
    found = re.search(r"(?:column|relationship|sObject type) '(\w+)'", error.body)
    return DriftError(object_, found[1] if found else "?")


def _sign_in(options: Options) -> Callable[[httpx.Client], Mapping[str, str]]:
    def sign_in(http: httpx.Client) -> Mapping[str, str]:
        given = {
            "grant_type": "client_credentials",
            "client_id": options.client_id,
            "client_secret": options.client_secret.get_secret_value(),
        }
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


def _limits(options: Options) -> Limits:
    return Limits(base_url=options.instance_url, budgets=_budgets, is_limit=_is_limit, sign_in=_sign_in(options))


def _check(opening: Opening) -> Account:
    told = opening.client.get(f"{API}/query", q="SELECT Name, TimeZoneSidKey FROM Organization")["records"][0]
    return Account(name=told["Name"], time_zone=told.get("TimeZoneSidKey"))


CONNECTOR = Declaration(
    source="salesforce",
    title="Salesforce",
    options=Options,
    walks=WALKS,
    limits=_limits,
    open=Salesforce,
    check=_check,
)
