"""The sample company as a source like any other: a connector whose pages are generated, not read."""

from collections.abc import Iterator, Sequence
from datetime import date

from bot.demo.cast import cast, products
from bot.demo.market import CLOSED_STAGES, EXISTING_BUSINESS, NEW_BUSINESS, OPEN_STAGES, trade
from storage.records import Page, Pipeline, Record, Stage

PAGE_ROWS = 1_000


class SampleCompany:
    """About 6,000 deals of twelve reps in three teams over the 24 months up to `today`; deterministic."""

    source = "sample"

    def __init__(self, today: date) -> None:
        self._today = today

    def pages(self) -> Iterator[Page]:
        people, told = cast(), trade(self._today)
        yield from _paged("team", people.teams)
        yield from _paged("person", people.people)
        yield from _paged("product", products())
        yield from _paged("pipeline", [Pipeline(ext_id=name, name=name) for name in (NEW_BUSINESS, EXISTING_BUSINESS)])
        yield from _paged("stage", _stages())
        yield from _paged("customer", told.customers)
        yield from _paged("lead", told.leads)
        yield from _paged("deal", told.deals)
        yield from _paged("contract", told.contracts)
        yield from _paged("spend", told.spend)


def _stages() -> list[Stage]:
    names = [(name, "open") for name in OPEN_STAGES] + [(name, status) for status, name in CLOSED_STAGES.items()]
    return [
        Stage(ext_id=name, name=name, position=number, status=status) for number, (name, status) in enumerate(names)
    ]


def _paged(kind: str, records: Sequence[Record]) -> Iterator[Page]:
    for start in range(0, len(records), PAGE_ROWS):
        last = start + PAGE_ROWS >= len(records)
        yield Page(object=kind, records=records[start : start + PAGE_ROWS], last=last)
