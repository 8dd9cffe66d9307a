"""A source as Vigie understands it, before anything of it is stored: its stages, and the first ten deals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from fractions import Fraction
from itertools import chain

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from bot.cli.starting import say
from bot.i18n import Language
from bot.views.sources import status_name
from kpi.format import money
from kpi.labels import day
from storage.connectors.base import Connector
from storage.connectors.http import UnexpectedError
from storage.records import Deal, Page, Position, Record, Stage, When

DEALS = 10
_GAP = 2
SMALL = frozenset({"team", "person", "pipeline", "stage"})
"""Objects that are read to their end: a company has few of them."""


@dataclass(slots=True)
class Seen:
    """What was read so far: records by object and ext id, names of rows that others only mention."""

    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, page: Page) -> None:
        for mention in page.mentions:
            self.names.setdefault((mention.object, mention.ext_id), mention.name)
        for record in page.records:
            if not record.deleted:
                self.records.setdefault(record.object, {})[record.ext_id] = record
                if name := getattr(record, "name", None):
                    self.names[record.object, record.ext_id] = name

    @property
    def stages(self) -> list[Stage]:
        """By pipeline, in the order of the funnel."""
        found = [each for each in self.records.get("stage", {}).values() if isinstance(each, Stage)]
        return sorted(found, key=lambda stage: (self.name("pipeline", stage.pipeline) or "", stage.position))

    @property
    def deals(self) -> list[Deal]:
        found = [each for each in self.records.get("deal", {}).values() if isinstance(each, Deal)]
        return found[:DEALS]

    def name(self, object_: str, ext_id: str | None) -> str | None:
        """The name of a row; its id where it has none, None where there is no row."""
        return None if ext_id is None else self.names.get((object_, ext_id), ext_id)


def look(connector: Connector, now: datetime) -> Seen:
    """Ask the source for its stages and people, its first ten deals, and whose they are. Nothing is written.

    Raises what `storage.connectors.http` raises, and `DriftError`.
    """
    seen = Seen()
    for page in _first_pages(connector, now):
        seen.take(page)
        if len(seen.records.get("deal", {})) >= DEALS:
            break
    for object_, wanted in (
        ("customer", {deal.customer for deal in seen.deals}),
        ("person", {deal.owner for deal in seen.deals}),
    ):
        unknown = sorted(ext_id for ext_id in wanted if ext_id is not None and (object_, ext_id) not in seen.names)
        if unknown:
            try:
                seen.take(connector.reread(object_, unknown))
            except UnexpectedError:
                # Names only make the list easier to read; ids do.
                continue
    return seen


def _first_pages(connector: Connector, now: datetime) -> Iterator[Page]:
    beginning = Position(began=now)
    small = [walk for walk in connector.walks if walk.object in SMALL]
    deals = [walk for walk in connector.walks if walk.object == "deal"]
    for walk in (*small, *(deals or [walk for walk in connector.walks if walk not in small])):
        yield from connector.pages(walk, beginning)


def show_deals(console: Console, seen: Seen, zone: tzinfo, currency: str, language: Language) -> None:
    """The first deals: name over customer, owner, amount, stage over its meaning, creation over closing."""
    _ = language._
    rows = [
        (
            (deal.name, seen.name("customer", deal.customer) or ""),
            (seen.name("person", deal.owner) or "–",),
            (_amount(deal, currency, language) or "–",),
            (seen.name("stage", deal.stage) or deal.raw_status or "–", status_name(deal.status, language)),
            (_day(deal.created, zone, language), _day(deal.closed, zone, language)),
        )
        for deal in seen.deals
    ]
    titles = (_("Deal, customer"), _("Owner"), _("Amount"), _("Stage, means"), _("Created, closed"))
    needed = [max(cell_len(text) for text in (title, *chain(*(row[place] for row in rows))))
              for place, title in enumerate(titles)]  # fmt: skip
    # Amounts and days are shown whole; names share what is left of the line.
    left = console.width - _GAP * len(titles) - needed[2] - needed[4]
    widths = [max(11, min(needed[place], left * share // 100)) for place, share in enumerate((46, 26, 0, 28, 0))]
    widths[2], widths[4] = needed[2], needed[4]
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim")
    for place, (title, width) in enumerate(zip(titles, widths, strict=True)):
        side: JustifyMethod = "right" if place == 2 else "left"
        table.add_column(title, justify=side, width=width, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(_stacked(*cell) for cell in row))
    console.print(table)
    means = {stage.ext_id: stage.status for stage in seen.stages}
    if any(deal.stage in means and deal.status not in ("open", means[deal.stage]) for deal in seen.deals):
        told = _("Here each deal says itself whether it is won or lost; its stage decides only where it does not.")
        say(console, told, "dim")


def show_stages(console: Console, seen: Seen, decisions: Mapping[str, str], source: str, language: Language) -> None:
    """Each stage with its number, what its deals are, and who says so."""
    _ = language._
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title, side in (("", "right"), (_("Stage"), "left"), (_("Its deals are"), "left"), ("", "left")):
        table.add_column(title, justify="right" if side == "right" else "left")
    pipeline = None
    for number, stage in enumerate(seen.stages, 1):
        if stage.pipeline != pipeline:
            pipeline = stage.pipeline
            table.add_row("", Text(seen.name("pipeline", pipeline) or "", style="bold"), "", "")
        decided = decisions.get(stage.ext_id)
        note = ""
        if decided is not None and decided != stage.status:
            said = status_name(stage.status, language)
            note = _("your word; {source}: {status}", source=source, status=said)
        means = status_name(decided or stage.status, language)
        table.add_row(str(number), Text(stage.name), Text(means, style=_STYLES.get(decided or stage.status, "")),
                      Text(note, style="dim"))  # fmt: skip
    console.print(table)


_STYLES = {"won": "green", "lost": "red", "dormant": "yellow"}


def _stacked(first: str, second: str = "") -> Text:
    text = Text(first)
    return text.append(f"\n{second}", style="dim") if second else text


def _amount(deal: Deal, currency: str, language: Language) -> str | None:
    minor = None if deal.amount_minor is None else Fraction(deal.amount_minor)
    return money(minor, deal.currency or currency, language.locale)


def _day(when: When | None, zone: tzinfo, language: Language) -> str:
    if when is None:
        return "–"
    local = when.astimezone(zone).date() if isinstance(when, datetime) else when
    assert isinstance(local, date)  # noqa: S101 - a datetime has become a date
    return day(local, language.locale, short=True)
