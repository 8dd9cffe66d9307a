"""The sample company as a source like any other: a connector whose pages are generated, not read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot.demo.cast import cast, dice, products
from bot.demo.market import (
    CLOSED_STAGES,
    EXISTING_BUSINESS,
    NEW_BUSINESS,
    OPEN_STAGES,
    STRUGGLING,
    STRUGGLING_DAYS,
    trade,
)
from storage.connectors.base import Suggestion, Walk
from storage.records import Deal, Page, Pipeline, Position, Record, Stage

PAGE_ROWS = 1_000


class SampleCompany:
    """About 6,000 deals of twelve reps in three teams over the 24 months up to `today`; deterministic."""

    source = "sample"
    walks = (Walk(object="company"),)
    spent = 0

    def __init__(self, today: date, *, corrected: bool = False) -> None:
        """`corrected`: as after somebody has put right the struggling team's recent deals, so that its alert ends."""
        self._today = today
        self._corrected = corrected

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:  # noqa: ARG002 - there is one walk
        people, told = cast(), trade(self._today)
        deals = _put_right(told.deals, self._today) if self._corrected else told.deals
        yield from _paged("team", people.teams)
        yield from _paged("person", people.people)
        yield from _paged("product", products())
        yield from _paged("pipeline", [Pipeline(ext_id=name, name=name) for name in (NEW_BUSINESS, EXISTING_BUSINESS)])
        yield from _paged("stage", _stages())
        yield from _paged("customer", told.customers)
        yield from _paged("lead", told.leads)
        yield from _paged("deal", deals)
        yield from _paged("contract", told.contracts)
        yield from _paged("spend", told.spend)

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        told = [record for page in self.pages(self.walks[0], Position()) for record in page.records]
        return Page(
            object=object_, records=[each for each in told if each.object == object_ and each.ext_id in ext_ids]
        )

    def suggestions(self) -> Sequence[Suggestion]:
        return ()


def _put_right(deals: Sequence[Deal], today: date) -> list[Deal]:
    """Most of the struggling team's recent losses turn out to be signatures."""
    reps = {rep.ext_id for rep in cast().reps[STRUGGLING]}
    since, luck = today - timedelta(days=STRUGGLING_DAYS), dice("put right")
    return [
        replace(deal, status="won", raw_status=CLOSED_STAGES["won"], stage=CLOSED_STAGES["won"])
        if deal.owner in reps
        and deal.status == "lost"
        and isinstance(deal.closed, date)
        and deal.closed >= since
        and luck.random() < 0.6
        else deal
        for deal in deals
    ]


def _stages() -> list[Stage]:
    names = [(name, "open") for name in OPEN_STAGES] + [(name, status) for status, name in CLOSED_STAGES.items()]
    return [
        Stage(ext_id=name, name=name, position=number, status=status) for number, (name, status) in enumerate(names)
    ]


def _paged(kind: str, records: Sequence[Record]) -> Iterator[Page]:
    for start in range(0, len(records), PAGE_ROWS):
        last = start + PAGE_ROWS >= len(records)
        yield Page(object=kind, records=records[start : start + PAGE_ROWS], last=last)
