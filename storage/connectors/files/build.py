"""A draft row as the canonical record of its object, with what is odd about it.

What cannot be read sets a row aside; what is odd while the numbers survive is kept with a flag.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.numbers import get_currency_precision

from storage import records
from storage.connectors.files.amounts import Amount
from storage.connectors.files.cells import Bad
from storage.connectors.files.dates import LAST_YEAR
from storage.connectors.files.drafts import Draft, local_day
from storage.connectors.files.headers import fold
from storage.connectors.files.names import Names
from storage.connectors.files.statuses import KINDS, SPEND_KINDS, STATUSES, Status, kind_of, stage_of, status_of
from storage.connectors.files.understand import Understanding
from storage.problems import Reason
from storage.records import Mention, Record, When

_BLANK_IS_OPEN = {"result", "resultat", "outcome", "issue", "won lost", "gagne perdu"}
"""Columns that say how a deal ended: blank while it has not."""


@dataclass(slots=True)
class Builder:
    """Builds the records of one table."""

    one: Understanding
    names: Names
    statuses: dict[str, Status]
    today: date
    occurrences: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    """Closing dates of open deals: plans, not used."""

    def build(self, draft: Draft) -> None:
        """Make the draft's record, unless it is set aside."""
        ext_id = self._ext_id(draft)
        record = _BUILDERS[draft.object](self, draft, ext_id)
        if not draft.aside:
            draft.record = record
        draft.settle(ext_id)

    def _ext_id(self, draft: Draft) -> str:
        found = draft.text("id")
        if found is None and draft.object in ("person", "customer", "product"):
            found = draft.text("name") or draft.text("email")
        if found is not None:
            return found
        if self.one.column("id") is not None:
            draft.flag_kept(Reason.ID_MISSING, "id")
        # An edited amount of spend is the same spend.
        return draft.content_id(self.occurrences, without=("amount",) if draft.object == "spend" else ())

    def _name(self, draft: Draft, ext_id: str) -> str:
        name = draft.text("name")
        if name is None and self.one.column("name") is not None:
            draft.flag_kept(Reason.NAME_MISSING, "name", id=ext_id)
        return name or ext_id

    def _reference(self, draft: Draft, name: str, object_: str) -> str | None:
        said = draft.text(name)
        if said is None or draft.aside:
            return None
        found = self.names.resolve(object_, said)
        if isinstance(found, Bad):
            draft.flag_kept(found.reason, name, said=said)
            return None
        ext_id, mention = found
        if mention is not None:
            draft.mentions.append(mention)
        return ext_id

    def _needed(self, draft: Draft, *names: str) -> None:
        for name in names:
            if name not in draft.values and not any(problem.field == name for problem in draft.problems):
                draft.set_aside(Reason.VALUE_MISSING, name, column=self._header(name))

    def _header(self, name: str) -> str:
        column = self.one.column(name)
        return column.match.header if column else name

    def _amount(self, draft: Draft, *, may_be_negative: bool = False) -> tuple[int | None, str]:
        amount, told = draft.amount(), draft.text("currency")
        if amount is None:
            return None, told or self.one.currency
        if amount.rounded:
            draft.flag_kept(Reason.AMOUNT_ROUNDED, "amount")
        if amount.minor < 0 and not may_be_negative:
            draft.flag_kept(Reason.AMOUNT_NEGATIVE, "amount")
        if told is not None and told != amount.currency:
            return _in_currency(amount, told), told
        return amount.minor, amount.currency

    def _deal(self, draft: Draft, ext_id: str) -> Record:
        status, raw = self._status(draft)
        stage, pipeline = self._stage(draft)
        lead = self._reference(draft, "lead", "lead")
        created = draft.when("created")
        if created is None and lead is not None and self.one.declared.created_from_lead:
            created = self.names.lead_created.get(lead)
        closed = self._closed(draft, status)
        self._check_days(draft, created, closed, status)
        minor, currency = self._amount(draft)
        kind = draft.text("kind")
        known_kind = None if kind is None else kind_of(kind, KINDS)
        return records.Deal(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            name=self._name(draft, ext_id),
            status=status or "open",
            raw_status=raw,
            kind=known_kind,
            customer=self._reference(draft, "customer", "customer"),
            owner=self._reference(draft, "owner", "person"),
            product=self._reference(draft, "product", "product"),
            pipeline=pipeline,
            stage=stage,
            lead=lead,
            segment=draft.text("segment"),
            origin=draft.text("origin"),
            amount_minor=minor,
            currency=currency,
            created=created,
            closed=closed,
        )

    def _status(self, draft: Draft) -> tuple[Status | None, str | None]:
        """The status and the word that said it."""
        said, stage = draft.text("status"), draft.text("stage")
        if said is not None:
            found = status_of(said, self.statuses)
            if found is None:
                self._unknown_status(draft, "status", said)
            return found, said
        if stage is not None and (found := stage_of(stage, self.statuses)[0]) is not None:
            return found, stage
        if "won_on" in draft.values or "lost_on" in draft.values:
            return ("won" if "won_on" in draft.values else "lost"), None
        column = self.one.column("status")
        if column is not None:
            if fold(column.match.header) in _BLANK_IS_OPEN:
                return "open", None
            draft.set_aside(Reason.STATUS_MISSING, "status", column=column.match.header)
        elif stage is not None:
            self._unknown_status(draft, "stage", stage)
        elif self.one.column("stage") is not None:
            draft.set_aside(Reason.STATUS_MISSING, "stage", column=self._header("stage"))
        else:
            return "open", None
        return None, stage

    def _unknown_status(self, draft: Draft, name: str, said: str) -> None:
        draft.set_aside(Reason.STATUS_UNKNOWN, name, said=said, column=self._header(name), known=", ".join(STATUSES))

    def _stage(self, draft: Draft) -> tuple[str | None, str | None]:
        pipeline = self._reference(draft, "pipeline", "pipeline")
        stage = draft.text("stage")
        return (stage and stage_id(stage, pipeline)), pipeline

    def _closed(self, draft: Draft, status: Status | None) -> When | None:
        closed = draft.when("closed")
        if status == "won":
            return draft.when("won_on") or closed
        if status == "lost":
            return draft.when("lost_on") or closed
        if status == "dormant":
            return closed
        self.planned += closed is not None
        return None

    def _check_days(self, draft: Draft, created: When | None, closed: When | None, status: Status | None) -> None:
        if status not in ("won", "lost") or draft.aside:
            return
        first, last = local_day(created, draft.zone), local_day(closed, draft.zone)
        if last is None:
            draft.flag_kept(Reason.CLOSED_MISSING, "closed", status=status)
            return
        if first is not None and last < first:
            draft.flag_kept(Reason.CLOSED_BEFORE_CREATED, "closed", created=first.isoformat(), closed=last.isoformat())
        # A day of grace: the person's day may already have begun.
        if last > self.today + timedelta(days=1):
            draft.flag_kept(Reason.CLOSED_IN_FUTURE, "closed", closed=last.isoformat())

    def _lead(self, draft: Draft, ext_id: str) -> Record:
        self.names.add("lead", ext_id)
        self.names.lead_created[ext_id] = draft.when("created")
        return records.Lead(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            name=self._name(draft, ext_id),
            created=draft.when("created"),
            qualified_on=draft.when("qualified_on"),
            qualified=draft.flag("qualified"),
            inbound=draft.flag("inbound"),
            converted=draft.flag("converted"),
            converted_on=draft.when("converted_on"),
            customer=self._reference(draft, "customer", "customer"),
            owner=self._reference(draft, "owner", "person"),
            segment=draft.text("segment"),
            origin=draft.text("origin"),
        )

    def _person(self, draft: Draft, ext_id: str) -> Record:
        email = draft.text("email")
        active = draft.flag("active")
        self.names.add("person", ext_id, draft.text("name"), email, email and email.casefold())
        return records.Person(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            name=self._name(draft, ext_id),
            email=email and email.casefold(),
            region=draft.text("region"),
            team=draft.text("team") or draft.text("manager"),
            active=True if active is None else active,
        )

    def _customer(self, draft: Draft, ext_id: str) -> Record:
        self.names.add("customer", ext_id, draft.text("name"))
        return records.Customer(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            name=self._name(draft, ext_id),
            segment=draft.text("segment"),
            origin=draft.text("origin"),
            region=draft.text("region"),
        )

    def _product(self, draft: Draft, ext_id: str) -> Record:
        self.names.add("product", ext_id, draft.text("name"))
        return records.Product(ext_id=ext_id, modified=_moment(draft, "modified"), name=self._name(draft, ext_id))

    def _contract(self, draft: Draft, ext_id: str) -> Record | None:
        self._open_end(draft)
        self._needed(draft, "customer", "starts_on")
        starts, ends = draft.day("starts_on"), draft.day("ends_on")
        if starts is not None and ends is not None and ends < starts:
            draft.set_aside(Reason.ENDS_BEFORE_START, "ends_on", starts=starts.isoformat(), ends=ends.isoformat())
        minor, currency = self._amount(draft)
        customer = self._reference(draft, "customer", "customer")
        if customer is None or starts is None:
            draft.aside = True
            return None
        return records.Contract(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            customer=customer,
            starts_on=starts,
            ends_on=ends,
            amount_minor=minor,
            currency=currency,
        )

    def _open_end(self, draft: Draft) -> None:
        """A contract that ends in 9999 is one that does not end: loaded as such, and flagged."""
        for index, problem in enumerate(draft.problems):
            far = problem.details.get("said", "")
            if (
                problem.field == "ends_on"
                and problem.reason == Reason.DATE_OUT_OF_RANGE
                and str(LAST_YEAR)[:2] < _year(far)
            ):
                del draft.problems[index]
                draft.aside = any(not other.kept for other in draft.problems)
                draft.flag_kept(Reason.DATE_OUT_OF_RANGE, "ends_on", said=far, column=self._header("ends_on"))
                return

    def _purchase(self, draft: Draft, ext_id: str) -> Record | None:
        self._needed(draft, "customer", "purchased")
        minor, currency = self._amount(draft)
        customer, purchased = self._reference(draft, "customer", "customer"), draft.when("purchased")
        if customer is None or purchased is None:
            draft.aside = True
            return None
        return records.Purchase(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            customer=customer,
            purchased=purchased,
            product=self._reference(draft, "product", "product"),
            amount_minor=minor,
            currency=currency,
        )

    def _spend(self, draft: Draft, ext_id: str) -> Record | None:
        self._needed(draft, "amount")
        starts, ends = draft.values.get("month") or (draft.day("starts_on"), draft.day("ends_on"))
        ends = ends or starts
        if starts is None or ends is None:
            self._needed(draft, "month" if self.one.column("month") else "starts_on")
        elif ends < starts:
            draft.set_aside(Reason.ENDS_BEFORE_START, "ends_on", starts=starts.isoformat(), ends=ends.isoformat())
        kind = self._spend_kind(draft)
        minor, currency = self._amount(draft)
        if minor is None or starts is None or ends is None or kind is None:
            draft.aside = True
            return None
        return records.Spend(
            ext_id=ext_id,
            modified=_moment(draft, "modified"),
            kind=kind,
            starts_on=starts,
            ends_on=ends,
            amount_minor=minor,
            origin=draft.text("origin"),
            currency=currency,
        )

    def _spend_kind(self, draft: Draft) -> str | None:
        said = draft.text("kind")
        if said is not None:
            kind = kind_of(said, SPEND_KINDS)
            if kind is None:
                draft.set_aside(Reason.KIND_UNKNOWN, "kind", said=said, known=", ".join(SPEND_KINDS))
            return kind
        if self.one.column("kind") is not None:
            draft.set_aside(Reason.VALUE_MISSING, "kind", column=self._header("kind"))
            return None
        words = fold(f"{self.one.place} {self._header('amount')}").split()
        return "sales" if {"sales", "ventes", "commercial", "commerciales"} & set(words) else "marketing"


def stage_id(stage: str, pipeline: str | None) -> str:
    """The ext id of a stage: names of stages repeat from one pipeline to another."""
    return stage if pipeline is None else f"{pipeline} / {stage}"


def stages_of(drafts: list[Draft], statuses: dict[str, Status]) -> dict[str, records.Stage]:
    """The stages that these deals name, by ext id; place and status depend on the word alone."""
    stages: dict[str, records.Stage] = {}
    for draft in drafts:
        deal, word = draft.record, draft.text("stage")
        if isinstance(deal, records.Deal) and deal.stage is not None and word is not None and deal.stage not in stages:
            status, position = stage_of(word, statuses)
            stages[deal.stage] = records.Stage(
                ext_id=deal.stage, name=word, pipeline=deal.pipeline, position=position, status=status or "open"
            )
    return stages


def teams_of(drafts: list[Draft], names: Names) -> tuple[dict[str, records.Team], list[Mention]]:
    """The teams that these people are in, by ext id, and the managers who have no row of their own."""
    teams: dict[str, records.Team] = {}
    mentions: list[Mention] = []
    parents: dict[str, str] = {}
    managers: dict[str, str] = {}
    for draft in drafts:
        if not isinstance(draft.record, records.Person) or draft.record.team is None:
            continue
        team = draft.record.team
        teams.setdefault(team, records.Team(ext_id=team, name=team))
        if parent := draft.text("parent"):
            parents.setdefault(team, parent)
        if manager := draft.text("manager"):
            managers.setdefault(team, manager)
    for parent in list(parents.values()):
        teams.setdefault(parent, records.Team(ext_id=parent, name=parent))
    for team in teams:
        manager_id = None
        if team in managers and not isinstance(found := names.resolve("person", managers[team]), Bad):
            manager_id, mention = found
            mentions += [mention] if mention else []
        teams[team] = records.Team(ext_id=team, name=team, parent=parents.get(team), manager=manager_id)
    return teams, mentions


def _moment(draft: Draft, name: str) -> datetime | None:
    """A moment of modification; a bare day is its first instant."""
    when = draft.when(name)
    if when is None or isinstance(when, datetime):
        return when
    return datetime(when.year, when.month, when.day, tzinfo=draft.zone)


def _in_currency(amount: Amount, currency: str) -> int:
    """The same figures in a currency that may have other decimals."""
    shift = get_currency_precision(currency) - get_currency_precision(amount.currency)
    return int(Decimal(amount.minor).scaleb(shift))


def _year(said: str) -> str:
    return max((part for part in fold(said).split() if len(part) == 4 and part.isdigit()), default="")[:2]


_BUILDERS: dict[str, Callable[[Builder, Draft, str], Record | None]] = {
    "deal": Builder._deal,  # noqa: SLF001
    "lead": Builder._lead,  # noqa: SLF001
    "person": Builder._person,  # noqa: SLF001
    "customer": Builder._customer,  # noqa: SLF001
    "product": Builder._product,  # noqa: SLF001
    "contract": Builder._contract,  # noqa: SLF001
    "purchase": Builder._purchase,  # noqa: SLF001
    "spend": Builder._spend,  # noqa: SLF001
}
