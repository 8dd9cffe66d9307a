"""A small company whose numbers can be checked by hand: two teams, three reps, three months of deals.

Every month each rep creates `CREATED` deals on the 5th and closes `WON` and `LOST` of them on the 20th (November's are
closed on the 20th too); every won deal is worth 1,000.00 EUR for Anna, 2,000.00 for Bruno, 500.00 for Chloé.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from storage import records
from storage.connectors.base import Suggestion, Walk
from storage.records import Page, Position

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""A Monday."""
MONTHS = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))
CREATED = {"anna": 5, "bruno": 10, "chloe": 12}
WON = {"anna": 2, "bruno": 4, "chloe": 3}
LOST = {"anna": 2, "bruno": 4, "chloe": 6}
AMOUNT = {"anna": 100_000, "bruno": 200_000, "chloe": 50_000}

TEAMS = {"paris": ("Équipe Paris", "marion"), "lyon": ("Équipe Lyon", None)}
PEOPLE = {
    "marion": ("Marion Chef", "marion@example.com", "paris"),
    "anna": ("Anna Vente", "anna@example.com", "paris"),
    "bruno": ("Bruno Vente", "bruno@example.com", "paris"),
    "chloe": ("Chloé Vente", "chloe@example.com", "lyon"),
}


class Company:
    """A connector of the sample. With `customers` of one's own, each of them buys once more, from Anna in November."""

    source = "sample"
    walks = (Walk(object="company"),)
    spent = 0

    def __init__(self, customers: Iterable[str] = ()) -> None:
        self._guests = list(customers)
        self._customers = self._guests or ["Soleil SA", "Lune & Fils", "Étoile <SARL>"]

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        yield self._page(
            "team", [records.Team(ext_id=key, name=name, manager=boss) for key, (name, boss) in TEAMS.items()]
        )
        yield self._page(
            "person",
            [
                records.Person(ext_id=key, name=name, email=email, team=team, region="Paris")
                for key, (name, email, team) in PEOPLE.items()
            ],
        )
        yield self._page(
            "customer",
            [
                records.Customer(ext_id=f"c{at}", name=name, segment="B2B" if at % 2 else "B2C", origin="web")
                for at, name in enumerate(self._customers)
            ],
        )
        yield self._page("deal", list(self._deals()))

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        told = [record for page in self.pages(self.walks[0], Position()) for record in page.records]
        return Page(
            object=object_, records=[each for each in told if each.object == object_ and each.ext_id in ext_ids]
        )

    def suggestions(self) -> tuple[Suggestion, ...]:
        return ()

    def _deals(self) -> Iterator[records.Deal]:
        for month in MONTHS:
            for rep, created in CREATED.items():
                for number in range(created):
                    won, lost = number < WON[rep], WON[rep] <= number < WON[rep] + LOST[rep]
                    customer = number % len(self._customers)
                    yield records.Deal(
                        ext_id=f"{month:%Y-%m}-{rep}-{number}",
                        name=f"{self._customers[customer]} {month:%m}/{number}",
                        status="won" if won else "lost" if lost else "open",
                        customer=f"c{customer}",
                        owner=rep,
                        segment="B2B" if customer % 2 else "B2C",
                        origin="web" if number % 2 else "salon",
                        amount_minor=AMOUNT[rep],
                        created=month.replace(day=5),
                        closed=month.replace(day=20) if won or lost else None,
                    )

        for number, name in enumerate(self._guests):
            yield records.Deal(
                ext_id=f"guest-{number}",
                name=name,
                status="won",
                customer=f"c{number}",
                owner="anna",
                segment=name[:200] or None,
                origin=name[:200] or None,
                amount_minor=1_000,
                created=date(2026, 11, 2),
                closed=date(2026, 11, 3),
            )

    @staticmethod
    def _page(kind: str, rows: list[records.Record]) -> Page:
        return Page(object=kind, records=rows, last=True)
