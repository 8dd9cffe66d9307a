"""A source that makes up as many deals as asked for, a page at a time, and keeps none."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from storage.connectors.base import Suggestion, Walk
from storage.records import Deal, Page, Position, Stage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = 200
"""Rows of a page: what CRMs give at a time."""
_STATUSES = ("open", "won", "lost", "open")


def deal(number: int) -> Deal:
    status = _STATUSES[number % 4]
    created = NOW - timedelta(minutes=number % 500_000)
    return Deal(
        ext_id=str(10_000_000 + number),
        name=f"Affaire {number}",
        status=status,
        raw_status=status,
        customer=str(number % 5_000),
        owner=str(number % 40),
        pipeline="1",
        stage=str(number % 4),
        amount_minor=number % 1_000_000,
        currency="EUR",
        created=created,
        closed=None if status == "open" else created + timedelta(days=9),
        modified=created,
    )


class Generated:
    source = "made"
    walks: Sequence[Walk] = (Walk(object="deal", key="modified"),)
    spent = 0

    def __init__(self, deals: int) -> None:
        self.deals = deals

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        stages = [Stage(ext_id=str(number), name=f"S{number}", status=_STATUSES[number]) for number in range(4)]
        for start in range(0, self.deals, PAGE):
            end = min(start + PAGE, self.deals)
            last = end == self.deals
            records = [deal(number) for number in range(start, end)]
            yield Page(
                object="deal",
                records=records if start else [*stages, *records],
                position=position.done() if last else Position(token=str(end), began=position.began),
                listing=True,
                last=last,
            )

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        raise NotImplementedError

    def suggestions(self) -> Sequence[Suggestion]:
        return ()
