"""HubSpot: deals, companies, leads (or the contacts that stand for them), owners, pipelines, exchange rates, products,
subscriptions, invoices and what campaigns cost.

Everything is listed once, by HubSpot's own cursor; later on its search tells what changed. Search returns no more than
10,000 results however they are paged, so nothing is paged: each request asks for the first rows modified at or after
the last one known. Where one moment has more rows than an answer holds (an import), they are read in the order of
their ids. Search shows rows some time after they change, hence the look-back; the rows themselves are then read by id,
with the history of their stage, which says when a deal was really closed. Archived rows are in neither: they are listed
apart, at the end.

Beside this room: `hubspot_api` (the protocol), `hubspot_rows` (its rows), `hubspot_records` (what they mean),
`hubspot_commerce` (what is bought and what it costs to sell) and `hubspot_hooks` (webhooks).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from pydantic import BaseModel, Field

from storage.connectors import hubspot_api, hubspot_hooks, hubspot_records, hubspot_rows, wanted
from storage.connectors import hubspot_commerce as commerce
from storage.connectors.base import (
    AbsentError,
    Account,
    Declaration,
    DriftError,
    Hint,
    Knock,
    Opening,
    Suggestion,
    Walk,
)
from storage.connectors.hubspot_api import Api, Json, Kind, Rows, archived_at, id_of, moment_of, perhaps, property_of
from storage.connectors.reading import Secret, read_rows
from storage.records import Gone, Page, Pipeline, Position, Record

_ARCHIVED = "archived:"
"""Token of the second half of each walk, before HubSpot's own cursor."""
_TICK = timedelta(milliseconds=1)

_CUSTOMER = Kind(
    object="customer",
    name="companies",
    model=hubspot_rows.CompanyRow,
    properties=hubspot_rows.CompanyProperties,
    make=hubspot_records.company,
)
_LEAD = Kind(
    object="lead",
    name="leads",
    model=hubspot_rows.LeadRow,
    properties=hubspot_rows.LeadProperties,
    make=hubspot_records.lead,
    history="hs_pipeline_stage",
)
_CONTACT = Kind(
    object="lead",
    name="contacts",
    model=hubspot_rows.ContactRow,
    properties=hubspot_rows.ContactProperties,
    make=hubspot_records.contact,
    key="lastmodifieddate",
)
_DEAL = Kind(
    object="deal",
    name="deals",
    model=hubspot_rows.DealRow,
    properties=hubspot_rows.DealProperties,
    make=hubspot_records.deal,
    history="dealstage",
)
_PRODUCT = Kind(
    object="product",
    name="products",
    model=commerce.ProductRow,
    properties=commerce.ProductProperties,
    make=commerce.product,
)
_LINE = Kind(
    object="deal",
    name="line_items",
    model=commerce.LineRow,
    properties=commerce.LineProperties,
    make=commerce.line,
)
_CONTRACT = Kind(
    object="contract",
    name="subscriptions",
    model=commerce.SubscriptionRow,
    properties=commerce.SubscriptionProperties,
    make=commerce.subscription,
    history="hs_status",
)
_PURCHASE = Kind(
    object="purchase",
    name="invoices",
    model=commerce.InvoiceRow,
    properties=commerce.InvoiceProperties,
    make=commerce.invoice,
)
_COMMERCE = {kind.object: kind for kind in (_PRODUCT, _CONTRACT, _PURCHASE)}
"""Not every account has them, and not every token may read them."""

_log = logging.getLogger(__name__)


class Options(BaseModel):
    token: Secret = Field(
        description="The access token: HubSpot, Settings, Integrations, Private apps (or Service keys), with the right "
        "to read deals, companies, contacts, leads, owners and, with several currencies, multi-currency"
    )
    client_secret: Secret | None = Field(
        default=None,
        description="For webhooks only: the client secret of the same app. Without it, HubSpot is polled",
    )
    contracts: bool = wanted.contracts()
    purchases: bool = wanted.purchases()
    spend: bool = wanted.spend()


def _changing(object_: str) -> Walk:
    """Contacts, where they stand for leads, go by `lastmodifieddate`."""
    return Walk(
        object=object_,
        key="hs_lastmodifieddate",
        look_back=timedelta(minutes=15),
        tells_deletes=True,
        tells_merges=True,
    )


WALKS = (
    Walk(object="rate"),
    Walk(object="person"),
    Walk(object="stage"),
    _changing("product"),
    _changing("customer"),
    _changing("lead"),
    _changing("deal"),
    _changing("contract"),
    _changing("purchase"),
    Walk(object="spend"),
)


class HubSpot:
    """See `storage.connectors.base.Connector`."""

    source = "hubspot"

    def __init__(self, opening: Opening) -> None:
        self.walks: Sequence[Walk] = wanted.wanted(WALKS, opening.options)
        self._client, self._api = opening.client, Api(opening.client)
        self._currency, self._decided, self._zone = opening.currency, opening.stages, opening.zone
        self._lines: dict[str, tuple[str, int]] = {}
        self._statuses: dict[str, str] = {}
        self._unknown: set[str] = set()

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        if not walk.key:
            page = self._whole(walk.object)
            yield replace(page, position=position.done(self._client.behind))
            return
        kind = self._kind(walk.object)
        if kind.object in _COMMERCE and perhaps(lambda: self._api.there_is(kind)) is None:
            raise AbsentError(kind.object, kind.name)
        for page in self._listing(kind, position) if position.listing else self._changes(kind, position):
            position = page.position
            yield page
        yield from self._archived(kind, position)

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """See `Connector`; for a row that was merged, the one that took it over answers."""
        if object_ in {"rate", "person", "stage", "spend"}:
            page = self._whole(object_)
            there = {each.ext_id for each in page.records if each.object == object_}
            gone = [Gone(object=object_, ext_id=each) for each in ext_ids if each not in there]
            return replace(page, gone=gone, listing=False, last=False)
        kind = self._kind(object_)
        asked = _theirs(kind, ext_ids)
        page = self._read(kind, self._by_id(kind, asked))
        known: set[str | None] = {each.ext_id for each in page.records}
        known |= {each.ext_id for each in page.gone} | {each.ext_id for each in page.problems}
        missing = [each for each in asked if _ours(kind, each) not in known]
        archived = {id_of(kind, row): _gone(kind, row) for row in self._api.by_id(kind, missing, (), archived=True)}
        gone = [archived.get(each) or Gone(object=object_, ext_id=_ours(kind, each)) for each in missing]
        return replace(page, gone=[*page.gone, *gone])

    # What changes: listed once, then searched.

    def _listing(self, kind: Kind, position: Position) -> Iterator[Page]:
        while not position.token.startswith(_ARCHIVED):
            found = self._api.listed(kind, position.token, self._links(kind))
            position = replace(position, token=found.after or _ARCHIVED)
            yield replace(self._read(kind, found.rows), position=position, listing=True)

    def _changes(self, kind: Kind, position: Position) -> Iterator[Page]:
        while not position.token.startswith(_ARCHIVED):
            found = self._api.search(kind, position.since, position.after)
            page = self._read(kind, self._by_id(kind, [id_of(kind, row) for row in found.rows]))
            position = _next(kind, found, position)
            yield replace(page, position=position)

    def _archived(self, kind: Kind, position: Position) -> Iterator[Page]:
        """What was deleted: neither of the two tells it. After a listing too, for then it need not be guessed."""
        listing, last = position.listing, False
        while not last:
            found = self._api.archived(kind, position.token.removeprefix(_ARCHIVED))
            last = not found.after
            gone = [_gone(kind, row) for row in found.rows]
            position = position.done(self._client.behind) if last else replace(position, token=_ARCHIVED + found.after)
            yield Page(object=kind.object, records=(), gone=gone, position=position, listing=listing, last=last)

    def _by_id(self, kind: Kind, ids: Sequence[str]) -> list[Json]:
        return self._api.by_id(kind, ids, self._links(kind)) if ids else []

    def _read(self, kind: Kind, rows: Sequence[Json]) -> Page:
        if kind is _DEAL:
            self._learn_stages(rows)
            self._learn_lines(rows)
        book = self._book(kind) if rows else None
        told, problems = read_rows(rows, kind.model, lambda row: kind.make(row, book), kind.object)
        return Page(
            object=kind.object,
            records=[each.record for each in told if each.record is not None],
            gone=[gone for each in told for gone in each.gone],
            passages=[passage for each in told for passage in each.passages],
            problems=[
                replace(each, ext_id=_ours(kind, each.ext_id)) if each.ext_id else each
                for each in (*problems, *(flag for row in told for flag in row.kept))
            ],
        )

    # What is read whole.

    def _whole(self, object_: str) -> Page:
        if object_ == "rate":
            return self._rates()
        if object_ == "spend":
            return self._spend()
        return self._owners() if object_ == "person" else self._stages()

    def _rates(self) -> Page:
        """Every rate that the account ever set."""
        rows = perhaps(lambda: list(self._api.all("rate", hubspot_api.RATES)))
        if rows is None:
            # One currency, or a token without that right: nothing is known of rates, and none is gone.
            return Page(object="rate", records=(), last=True)
        rates, problems = read_rows(rows, hubspot_rows.RateRow, hubspot_records.rate, "rate")
        return Page(object="rate", records=rates, problems=problems, listing=True, last=True)

    def _spend(self) -> Page:
        """What every campaign has cost so far: the list tells the sum of its spend items."""
        names = ",".join(commerce.CampaignProperties.model_fields)
        rows = perhaps(lambda: list(self._api.all("spend", hubspot_api.CAMPAIGNS, properties=names)))
        if rows is None:
            raise AbsentError("spend", "campaigns")
        book = self._book(_DEAL)
        told, problems = read_rows(rows, commerce.CampaignRow, lambda row: commerce.campaign(row, book), "spend")
        records = [each for each in told if isinstance(each, Record)]
        gone = [each for each in told if isinstance(each, Gone)]
        return Page(object="spend", records=records, gone=gone, problems=problems, listing=True, last=True)

    def _owners(self) -> Page:
        rows = [row for said in ("false", "true") for row in self._api.all("person", hubspot_api.OWNERS, archived=said)]
        people, problems = read_rows(rows, hubspot_rows.OwnerRow, hubspot_records.person, "person")
        teams = {team.ext_id: team for _, team in people if team is not None}
        records: list[Record] = [*teams.values(), *(person for person, _ in people)]
        return Page(object="person", records=records, problems=problems, listing=True, last=True)

    def _stages(self) -> Page:
        pipelines, problems = read_rows(
            self._api.pipelines("deals"), hubspot_rows.PipelineRow, lambda row: row, "pipeline"
        )
        records: list[Record] = [Pipeline(ext_id=row.id, name=row.label) for row in pipelines]
        for pipeline in pipelines:
            make = hubspot_records.stage_of(pipeline.id, self._decided)
            stages, bad = read_rows(pipeline.stages, hubspot_rows.StageRow, make, "stage")
            records += stages
            problems += bad
            self._statuses |= {stage.ext_id: stage.status for stage in stages}
        return Page(object="stage", records=records, problems=problems, listing=True, last=True)

    def _learn_stages(self, rows: Sequence[Json]) -> None:
        """Know the stages of these deals; one that was made since the last look is asked for once."""
        named = {stage for row in rows if (stage := property_of(row, "dealstage"))}
        if new := named - self._statuses.keys() - self._unknown:
            self._stages()
            self._unknown |= new - self._statuses.keys()

    def _learn_lines(self, rows: Sequence[Json]) -> None:
        """What the line items of these deals sell, and for how much."""
        ids = [str(link["id"]) for row in rows for link in row.get("links", {}).get("line_items", ())]
        found = self._api.by_id(_LINE, list(dict.fromkeys(ids)), ())
        told, _ = read_rows(found, commerce.LineRow, lambda row: commerce.line(row, self._money), "deal")
        self._lines = {each[0]: each[1:] for each in told if each is not None}

    # What is asked once, and only where it is needed.

    def _book(self, kind: Kind) -> hubspot_records.Book:
        return hubspot_records.Book(
            currency=self._money if kind in (_DEAL, _PURCHASE) else self._currency,
            statuses=self._statuses,
            leads=self._leads if kind is _DEAL else "",
            lead_states=self._lead_states if kind is _LEAD else {},
            zone=self._zone,
            lines=self._lines,
        )

    @cached_property
    def _money(self) -> str:
        """The account's currency: that of amounts which name none."""
        account = perhaps(lambda: self._api.ask(hubspot_api.ACCOUNT)) or {}
        return account.get("companyCurrency") or self._currency

    @cached_property
    def _leads(self) -> str:
        """`leads` where the account has them (Sales Hub Professional); else `contacts` stand for them."""
        if perhaps(lambda: self._api.there_is(_LEAD)):
            return "leads"
        _log.info("hubspot_leads_are_contacts")
        return "contacts"

    @cached_property
    def _has_lines(self) -> bool:
        return bool(perhaps(lambda: self._api.there_is(_LINE)))

    @cached_property
    def _lead_states(self) -> dict[str, str]:
        stages = [stage for row in self._api.pipelines("leads") for stage in row.get("stages", ())]
        return {str(stage["id"]): (stage.get("metadata") or {}).get("leadState", "") for stage in stages}

    def _kind(self, object_: str) -> Kind:
        if object_ == "lead":
            return _LEAD if self._leads == "leads" else _CONTACT
        return {"deal": _DEAL, "customer": _CUSTOMER}.get(object_) or _COMMERCE[object_]

    def _links(self, kind: Kind) -> tuple[str, ...]:
        if kind is _DEAL:
            return ("companies", self._leads, *(("line_items",) if self._has_lines else ()))
        return ("companies",) if kind in (_LEAD, _CONTRACT, _PURCHASE) else ()


def _next(kind: Kind, found: Rows, position: Position) -> Position:
    """Where the search goes on after these rows; past its end, the archived ones are next."""
    moments = [moment for row in found.rows if (moment := moment_of(kind, row)) is not None]
    if not found.after:
        if not position.after:
            return replace(position, token=_ARCHIVED)
        # Every row of that one moment has been read.
        since = (position.since or moments[-1]) + _TICK
        return replace(position, since=since, after="")
    if position.after:
        return replace(position, after=id_of(kind, found.rows[-1]))
    if not moments:
        raise DriftError(kind.object, kind.key)
    newest = max(moments)
    if newest == min(moments) or (position.since is not None and newest <= position.since):
        # More rows of one moment than an answer holds.
        return replace(position, since=newest, after="0")
    return replace(position, since=newest)


def _gone(kind: Kind, row: Json) -> Gone:
    """Only its id: the links of an archived row are no longer told, and Vigie keeps what it knew."""
    return Gone(object=kind.object, ext_id=_ours(kind, id_of(kind, row)), at=archived_at(kind, row))


def _ours(kind: Kind, ext_id: str) -> str:
    return hubspot_records.contact_id(ext_id) if kind is _CONTACT else ext_id


def _theirs(kind: Kind, ext_ids: Sequence[str]) -> list[str]:
    """HubSpot's own ids; a lead's say nothing where contacts stand for leads, nor the other way round."""
    prefix = _ours(kind, "")
    numbers = [each.removeprefix(prefix) for each in dict.fromkeys(ext_ids) if each.startswith(prefix)]
    return [each for each in numbers if each.isdecimal()]


def _check(opening: Opening) -> Account:
    """Deals must be readable; who the account is, is told where the token may know."""
    api = Api(opening.client)
    api.there_is(_DEAL)
    told = perhaps(lambda: api.ask(hubspot_api.ACCOUNT)) or {}
    return Account(f"HubSpot {told.get('portalId', '')}".strip(), told.get("companyCurrency"), told.get("timeZone"))


def _hints(knock: Knock, options: Options, now: datetime) -> list[Hint]:
    return hubspot_hooks.hints(knock, options.client_secret, now)


CONNECTOR = Declaration(
    source="hubspot",
    title="HubSpot",
    options=Options,
    walks=WALKS,
    limits=lambda options: hubspot_api.limits(options.token.get_secret_value()),
    open=HubSpot,
    check=_check,
    hints=_hints,
)
