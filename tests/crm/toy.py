"""A connector straight over `world.Crm`, without a wire: the engine's laws can be tried before any protocol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from storage.connectors.base import Suggestion, Walk
from storage.connectors.http import RefusedError, UnavailableError
from storage.records import Customer, Deal, Gone, Lead, Page, Passage, Person, Pipeline, Position, Record, Stage
from tests.crm.world import Crm, Thing

LOOK_BACK = timedelta(minutes=15)
LINKED = {"customer": Customer, "person": Person}


class ToyCrm(Crm):
    """A CRM with every accident and no protocol."""

    source: ClassVar[str] = "toy"
    verbs: ClassVar[frozenset[str]] = frozenset(
        {"delete", "restore", "archive", "merge_deals", "merge_customers", "leads", "currencies", "late", "equal"}
    )

    def options(self) -> dict[str, Any]:
        return {}

    def ask(self) -> None:
        """What `answer` does, for a reader that sends nothing."""
        self.between()
        if self.faults:
            fault = self.faults.popleft()
            if fault.kind in {401, 403}:
                raise RefusedError("GET /toy: 401")
            raise UnavailableError("GET /toy: ReadTimeout")


class DumbCrm(ToyCrm):
    """One that tells no deletes, no merges and no creation dates."""

    source: ClassVar[str] = "dumb"
    statuses = ("open", "open", "won", "lost", "dormant")
    verbs: ClassVar[frozenset[str]] = frozenset({"delete", "restore", "merge_customers", "late", "equal", "leads"})


@dataclass
class Toy:
    """Pages of a few rows; changes in the order (modified, id), listings by id."""

    crm: ToyCrm
    size: int = 7
    spent: int = 0

    @property
    def source(self) -> str:
        return self.crm.source

    @property
    def walks(self) -> Sequence[Walk]:
        dumb = isinstance(self.crm, DumbCrm)
        return tuple(
            Walk(
                object=name,
                key="modified",
                look_back=LOOK_BACK,
                tells_deletes=not dumb,
                tells_merges=not dumb,
                first_seen=dumb and name == "deal",
            )
            for name in ("person", "stage", "customer", "lead", "deal")
        )

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        yield from self._listing(walk, position) if position.listing else self._changes(walk, position)

    def _listing(self, walk: Walk, position: Position) -> Iterator[Page]:
        token = position.token
        last = False
        while not last:
            self._ask()
            told = [thing for thing in self._rows(walk.object) if thing.id > token]
            here = [thing for thing in told if thing.deleted is None or not isinstance(self.crm, DumbCrm)]
            page, last = here[: self.size], len(here) <= self.size
            token = page[-1].id if page else token
            after = replace(position, token=token) if not last else position.done()
            yield self._page(walk, page, after, listing=True, last=last)

    def _changes(self, walk: Walk, position: Position) -> Iterator[Page]:
        last = False
        while not last:
            self._ask()
            here = sorted(
                (
                    thing
                    for thing in self._rows(walk.object)
                    if position.since is None
                    or thing.modified > position.since
                    or (thing.modified == position.since and thing.id > position.after)
                ),
                key=lambda thing: (thing.modified, thing.id),
            )
            if isinstance(self.crm, DumbCrm):
                here = [thing for thing in here if thing.deleted is None]
            page, last = here[: self.size], len(here) <= self.size
            if last:
                yield self._page(walk, page, position.done(), listing=False, last=True)
            else:
                position = replace(position, since=page[-1].modified, after=page[-1].id)
                yield self._page(walk, page, position, listing=False, last=False)

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        self._ask()
        found = {thing.id: thing for thing in self._rows(object_) if thing.id in set(ext_ids)}
        gone = [Gone(object=object_, ext_id=ext_id) for ext_id in ext_ids if ext_id not in found]
        dumb = isinstance(self.crm, DumbCrm)
        gone += [Gone(object=object_, ext_id=each.id) for each in found.values() if dumb and each.deleted is not None]
        kept = [thing for thing in found.values() if not dumb or thing.deleted is None]
        page = self._page(Walk(object=object_), kept, Position(), listing=False, last=False)
        return replace(page, gone=gone)

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def _ask(self) -> None:
        self.spent += 1
        self.crm.ask()

    def _rows(self, object_: str) -> list[Thing]:
        if object_ == "stage":
            return sorted([*self.crm.visible("pipeline"), *self.crm.visible("stage")], key=lambda thing: thing.id)
        return sorted(self.crm.visible(object_), key=lambda thing: thing.id)

    def _page(self, walk: Walk, things: Sequence[Thing], after: Position, *, listing: bool, last: bool) -> Page:
        return Page(
            object=walk.object,
            records=[self._record(thing) for thing in things],
            passages=[
                Passage(deal=thing.id, stage=stage, at=at)
                for thing in things
                if thing.object == "deal"
                for at, stage in thing["entered"]
            ],
            position=after,
            listing=listing,
            last=last,
        )

    def _record(self, thing: Thing) -> Record:
        common: dict[str, Any] = {
            "ext_id": thing.id,
            "modified": thing.modified,
            "deleted": thing.deleted is not None,
            "merged_into": thing.merged_into,
            "name": thing["name"],
        }
        dumb = isinstance(self.crm, DumbCrm)
        if thing.object == "person":
            return Person(**common, email=thing["email"])
        if thing.object == "pipeline":
            return Pipeline(**common)
        if thing.object == "stage":
            return Stage(**common, pipeline=thing["pipeline"], position=thing["position"], status=thing["status"])
        if thing.object == "customer":
            return Customer(**common)
        if thing.object == "lead":
            return Lead(
                **common,
                created=thing.created,
                owner=thing["owner"],
                origin=thing["origin"],
                converted=thing["converted"] is not None,
                converted_on=thing["converted"],
                customer=thing["customer"],
            )
        amount = thing["amount"]
        return Deal(
            **common,
            status=self.crm.get("stage", thing["stage"])["status"],
            customer=thing["customer"],
            owner=thing["owner"],
            pipeline=thing["pipeline"],
            stage=thing["stage"],
            lead=thing["lead"],
            amount_minor=None if amount is None else int(amount * (1 if thing["currency"] == "JPY" else 100)),
            currency=None if dumb else thing["currency"],
            created=None if dumb else thing.created,
            closed=thing["closed"],
        )
