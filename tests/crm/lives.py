"""A random CRM life from a seed: everything that people do in a CRM, and all that goes wrong on the way to Vigie.

`Life` lives in the CRM; `Watch` is Vigie watching it, killed and starved as the seed says. The same seed gives the same
life.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import schema, sync
from storage.connectors.base import Connector, Declaration, Hint, Opening
from storage.connectors.http import Client, UnavailableError
from storage.database import writing
from storage.history import Change
from storage.records import Position
from tests.crm.world import Crm, Fault, Thing

ORIGINS = ("Web", "Salon", None)
COMMERCE = {"contracts": "contract", "purchases": "purchase", "spend": "spend"}
"""Verb to object."""
MOST_GONE = 0.12
"""Of the rows of one object: below what a listing may find missing before it is held back."""


class Killed(BaseException):
    """As if by kill -9: nothing of the process runs after it."""


class Life:
    """What people do in the CRM; `live()` is one deed."""

    def __init__(self, crm: Crm, random: Random, *, size: int = 24) -> None:
        self.crm, self.random, self.size = crm, random, size
        self._gone: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._begin()

    def live(self) -> None:
        """One deed, and some time."""
        deeds: list[tuple[int, Callable[[], None]]] = [
            (6, self._new_deal),
            (6, self._edit_deal),
            (8, self._move),
            (2, self._new_customer),
            (2, self._rename_customer),
            (1, self._new_person),
            (1, self._rename_stage),
            (3, self._hand_over),
            (1, self._at_one_moment),
        ]
        verbs = self.crm.verbs
        if "leads" in verbs:
            deeds += [(3, self._new_lead), (2, self._edit_lead), (3, self._convert)]
        if "products" in verbs:
            deeds += [(1, self._new_product), (3, self._sell)]
        for name in sorted(verbs & COMMERCE.keys()):
            deeds += [(1, partial(self._new, COMMERCE[name])), (1, partial(self._change, COMMERCE[name]))]
        if "delete" in verbs:
            deeds += [(3, self._delete), (1, self._call_off)]
        if "restore" in verbs:
            deeds += [(2, self._restore)]
        if "archive" in verbs:
            deeds += [(2, self._archive)]
        if "merge_deals" in verbs:
            deeds += [(1, lambda: self._merge("deal"))]
        if "merge_customers" in verbs:
            deeds += [(2, lambda: self._merge("customer"))]
        deed = self.random.choices([each for _, each in deeds], [weight for weight, _ in deeds])[0]
        if "late" in verbs and self.random.random() < 0.15:
            with self.crm.late(timedelta(seconds=self.random.randint(1, 120))):
                deed()
        else:
            deed()
        if "equal" not in verbs or self.random.random() < 0.7:
            self.crm.tick(self.random.choice([1, 60, 400, 3000, 40_000, 200_000]))

    def alive(self, object_: str) -> list[str]:
        return [thing.id for thing in self.crm.latest(object_) if thing.deleted is None]

    def any(self, object_: str) -> str | None:
        there = [thing.id for thing in self.crm.latest(object_) if thing.deleted is None and not thing.archived]
        return self.random.choice(there) if there else None

    def perhaps(self, object_: str, share: float = 0.8) -> str | None:
        return self.any(object_) if self.random.random() < share else None

    def amount(self) -> Decimal | None:
        kind = self.random.randrange(8)
        if kind == 0:
            return None
        if kind == 1:
            return Decimal(0)
        return Decimal(self.random.randint(1, 10**7)).scaleb(-2)

    def _begin(self) -> None:
        for _ in range(max(8, self.size // 4)):
            self._new_person()
            self.crm.tick(1)
        for name in (self._new_customer, self._new_lead, self._new_deal):
            if name == self._new_lead and "leads" not in self.crm.verbs:
                continue
            for _ in range(self.size):
                name()
                self.crm.tick(self.random.choice([0, 60, 20_000]) if "equal" in self.crm.verbs else 60)

        if "products" in self.crm.verbs:
            for _ in range(3):
                self._new_product()
        for name in sorted(self.crm.verbs & COMMERCE.keys()):
            for _ in range(9):
                self._new(COMMERCE[name])
                self.crm.tick(60)

    def _number(self, object_: str) -> int:
        self._made[object_] = self._made.get(object_, 0) + 1
        return self._made[object_]

    def _new_person(self) -> None:
        number = self._number("person")
        self.crm.create("person", name=f"Person {number}", email=f"p{number}@example.com")

    def _new_customer(self) -> None:
        self.crm.create("customer", name=f"Société {self._number('customer')} & Fils")

    def _new_lead(self) -> None:
        self.crm.create(
            "lead",
            name=f"Lead {self._number('lead')}",
            owner=self.perhaps("person"),
            origin=self.random.choice(ORIGINS),
            converted=None,
            customer=None,
        )

    def _new_deal(self) -> None:
        currencies = ["EUR", "EUR", "USD", "JPY"] if "currencies" in self.crm.verbs else ["EUR"]
        currency = self.random.choice(currencies)
        amount = self.amount()
        if currency == "JPY" and amount is not None:
            amount = amount.to_integral_value()
        self.crm.create(
            "deal",
            name=f"Affaire {self._number('deal')}",
            customer=self.perhaps("customer"),
            owner=self.perhaps("person"),
            stage=self.random.choice(self.crm.stages()).id,
            amount=amount,
            currency=currency,
        )

    def _new_product(self) -> None:
        self.crm.create("product", name=f"Offre {self._number('product')}")

    def _sell(self) -> None:
        """What a deal is about is written down, or thought over."""
        if deal := self.any("deal"):
            there = self.random.sample(self.alive("product"), self.random.randint(0, 2))
            amounts = self.random.sample(range(1, 10**6), len(there))
            lines = [(product, Decimal(amount).scaleb(-2)) for product, amount in zip(there, amounts, strict=True)]
            self.crm.edit("deal", deal, products=lines)

    def _terms(self, object_: str) -> dict[str, Any]:
        """The days and the amount of a contract, a purchase or a campaign."""
        starts = date(2026, 1, 1) + timedelta(days=self.random.randint(-200, 30))
        ends = starts + timedelta(days=self.random.randint(0, 250))
        amount = Decimal(self.random.randint(1, 10**7)).scaleb(-2)
        if object_ == "contract":
            return {"starts": starts, "ends": ends if self.random.random() < 0.7 else None}
        if object_ == "purchase":
            return {"day": starts, "amount": amount, "currency": "EUR"}
        return {"starts": starts, "ends": ends, "amount": amount, "currency": "EUR"}

    def _new(self, object_: str) -> None:
        more = {} if object_ == "spend" else {"customer": self.any("customer")}
        self.crm.create(object_, **more | self._terms(object_))

    def _change(self, object_: str) -> None:
        if there := self.any(object_):
            self.crm.edit(object_, there, **self._terms(object_))

    def _call_off(self) -> None:
        """A contract, an invoice or a campaign is deleted."""
        if there := sorted(COMMERCE[name] for name in self.crm.verbs & COMMERCE.keys()):
            object_ = self.random.choice(there)
            chosen = self.any(object_)
            if chosen is not None and self._may_go(object_):
                self.crm.delete(object_, chosen)

    def _edit_deal(self) -> None:
        if deal := self.any("deal"):
            amount = self.amount()
            if self.crm.get("deal", deal)["currency"] == "JPY" and amount is not None:
                amount = amount.to_integral_value()
            what = self.random.choice(["amount", "name", "customer", "owner"])
            values: dict[str, Any] = {
                "amount": amount,
                "name": f"Affaire {self.random.randint(1, 99)} bis",
                "customer": self.perhaps("customer"),
                "owner": self.perhaps("person"),
            }
            self.crm.edit("deal", deal, **{what: values[what]})

    def _move(self) -> None:
        if deal := self.any("deal"):
            self.crm.move(deal, self.random.choice(self.crm.stages()).id)

    def _rename_customer(self) -> None:
        if customer := self.any("customer"):
            self.crm.edit("customer", customer, name=f"Maison {self.random.randint(1, 99)}")

    def _rename_stage(self) -> None:
        stage = self.random.choice(self.crm.stages())
        self.crm.edit("stage", stage.id, name=f"Étape {self.random.randint(1, 999)}")

    def _hand_over(self) -> None:
        """Somebody leaves: several deals change hands at once."""
        person = self.any("person")
        for deal in self.random.sample(self.alive("deal"), 3):
            if not self.crm.get("deal", deal).archived:
                self.crm.edit("deal", deal, owner=person)

    def _at_one_moment(self) -> None:
        """An import: many rows carry one timestamp."""
        for _ in range(self.random.randint(5, 20)):
            self._edit_deal()

    def _edit_lead(self) -> None:
        if lead := self.any("lead"):
            self.crm.edit("lead", lead, origin=self.random.choice(ORIGINS), owner=self.perhaps("person"))

    def _convert(self) -> None:
        """A lead becomes a customer, with a deal that knows where it came from."""
        lead, customer = self.any("lead"), self.any("customer")
        if lead and self.crm.get("lead", lead)["converted"] is None:
            self.crm.edit("lead", lead, converted=self.crm.now, customer=customer)
            self.crm.create(
                "deal", name=f"Affaire {self._number('deal')}", customer=customer, lead=lead, amount=self.amount()
            )

    def _may_go(self, object_: str) -> bool:
        self._gone[object_] = self._gone.get(object_, 0) + 1
        return self._gone[object_] <= MOST_GONE * len(self.alive(object_))

    def _delete(self) -> None:
        object_ = self.random.choice(["deal", "deal", "deal", "lead", "customer"])
        chosen = self.any(object_)
        if chosen is None or not self._may_go(object_):
            return
        if object_ != "deal" and self._named(object_, chosen):
            return
        self.crm.delete(object_, chosen)

    def _named(self, object_: str, thing_id: str) -> bool:
        """CRMs differ in what becomes of a deal whose customer is deleted; that is not what is tried here."""
        things = [thing for name in ("deal", "lead", "contract", "purchase") for thing in self.crm.latest(name)]
        return any(thing.fields.get(object_) == thing_id for thing in things)

    def _restore(self) -> None:
        gone = [thing.id for thing in self.crm.latest("deal") if thing.deleted is not None and not thing.merged_into]
        if gone:
            self.crm.restore("deal", self.random.choice(gone))

    def _archive(self) -> None:
        if deal := self.any("deal"):
            self.crm.archive("deal", deal)

    def _merge(self, object_: str) -> None:
        loser, winner = self.any(object_), self.any(object_)
        if loser and winner and loser != winner and self._may_go(object_):
            self.crm.merge(object_, loser, winner)


Open = Callable[[Crm], Connector]


def opened(declaration: Declaration, crm: Crm, transport: httpx.BaseTransport | None = None) -> Connector:
    """The real connector over the CRM's fake, without a socket and without waiting."""
    return declaration.open(opening(declaration, crm, transport))


def opening(declaration: Declaration, crm: Crm, transport: httpx.BaseTransport | None = None) -> Opening:
    options = declaration.options(**crm.options())
    client = Client(
        declaration.limits(options),
        transport=transport or crm.transport(),
        pause=lambda _seconds: None,
        now=lambda: crm.now,
    )
    zone = ZoneInfo("Europe/Paris")
    return Opening(options=options, client=client, currency=crm.currency, now=crm.now, zone=zone)


class Watch:
    """Vigie, syncing one CRM into one workspace, with every accident that `random` brings."""

    def __init__(self, engine: Engine, workspace_id: str, crm: Crm, open_: Open, random: Random) -> None:
        self.engine, self.workspace_id, self.crm, self.open = engine, workspace_id, crm, open_
        self.random = random
        self._fuse: int | None = None
        self._dead = False
        self._modified: dict[str, datetime | None] = {}
        self.told: list[str] = []
        """What happened, for the reader of a failure."""
        self.on_page: sync.OnPage | None = None
        sa.event.listen(engine, "begin", self._writes, insert=True)

    def close(self) -> None:
        sa.event.remove(self.engine, "begin", self._writes)

    @property
    def look_back(self) -> timedelta:
        return max(walk.look_back for walk in self.open(self.crm).walks)

    def run(self, *, full: bool = False, **more: Any) -> sync.Report:
        return sync.load(
            self.engine,
            self.workspace_id,
            self.open(self.crm),
            now=self.crm.now,
            full=full,
            **self._points() | more,
        )

    def light(self, fuse: int | None) -> None:
        """Kill the process at the point of this number; None = it lives, and a new one is started."""
        self._fuse, self._dead = fuse, False

    def accident(self, life: Life) -> None:
        """One run with what may happen to one: faults, a kill at any page, life that goes on, a polite stop."""
        kinds = {"calm": 4, "faults": 3, "kill": 4, "stop": 1, "down": 1, "frozen": 1, "lagging": 1}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        full = self.random.random() < 0.2
        self.told.append(f"{self.crm.now:%d %H:%M:%S} {kind}{' full' if full else ''}")
        busy = self.random.random() < 0.6

        frozen = self.random.randint(1, 12) if kind == "frozen" else 0

        def between() -> None:
            nonlocal frozen
            self._burn()
            if busy and self.random.random() < 0.3:
                life.live()
            frozen -= 1
            if frozen == 0:
                # The process sleeps past its lease, and another does its work meanwhile.
                self.crm.between = lambda: None
                self.expire()
                self.run()

        self.crm.between = between
        more: dict[str, Any] = {}
        if kind == "faults":
            for _ in range(self.random.randint(1, 4)):
                self.crm.faults.append(self._fault())
        elif kind == "down":
            self.crm.faults.extend(Fault(503) for _ in range(8))
        elif kind == "kill":
            self.light(self.random.randint(1, 40))
        elif kind == "stop":
            left = iter(range(self.random.randint(1, 9)))
            more["stop"] = lambda: next(left, None) is None
        if kind == "lagging":
            self._lag(timedelta(seconds=self.random.randint(1, 120)))
        try:
            self.run(full=full, **more)
        except sync.LostError:
            assert kind == "frozen"
        except Killed:
            self.told.append("killed")
            self.light(None)
            self.expire()
        except UnavailableError:
            self.told.append("unavailable")
        finally:
            self.light(None)
            self.crm.faults.clear()
            self.crm.between = lambda: None
            vars(self.crm).pop("visible", None)
        self.check()

    def blank(self) -> None:
        """The CRM answers 200 OK and lists none of its deals: a bad moment, not a bonfire."""
        self.settle()
        there = self.crm.visible
        self.crm.visible = lambda name: [] if name == "deal" else there(name)  # type: ignore[method-assign]
        self.told.append(f"{self.crm.now:%d %H:%M:%S} blank")
        try:
            report = self.run(full=True)
        finally:
            del self.crm.visible
        assert report.objects["deal"].deleted == 0, "a listing of nothing deleted deals"
        assert [trouble.code for trouble in report.troubles] == ["vanished"], report.troubles

    def hints(self, hints: Sequence[Hint]) -> None:
        """Webhooks came, some twice and in any order: the rows are read again."""
        told = [*hints, *self.random.sample(list(hints), len(hints) // 2)]
        self.random.shuffle(told)
        self.told.append(f"{self.crm.now:%d %H:%M:%S} {len(told)} hints")
        sync.reread(self.engine, self.workspace_id, self.open(self.crm), told, now=self.crm.now, on_page=self.on_page)
        self.check()

    def check(self) -> None:
        """Whatever happens, no row ever goes back to an older version."""
        deal = schema.deal
        mine = (deal.c.workspace_id == self.workspace_id, deal.c.source == self.crm.source)
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(deal.c.id, deal.c.modified_at).where(*mine))
            now: dict[str, datetime | None] = {row.id: row.modified_at for row in found}
        for row_id, known in self._modified.items():
            there = now.get(row_id)
            assert known is None or (there is not None and there >= known), (
                f"{row_id} went back to {there} from {known}"
            )
        self._modified = now

    def _lag(self, by: timedelta) -> None:
        """The CRM answers from a copy that is a little behind."""
        crm = self.crm

        def behind(object_: str) -> list[Thing]:
            now, crm.now = crm.now, crm.now - by
            try:
                return type(crm).visible(crm, object_)
            finally:
                crm.now = now

        crm.visible = behind  # type: ignore[method-assign]

    def expire(self) -> None:
        """The lease that a killed process leaves behind runs out."""
        lease = schema.lease
        with writing(self.engine) as connection:
            connection.execute(
                sa.update(lease)
                .where(lease.c.workspace_id == self.workspace_id)
                .values(until=datetime(2001, 1, 1, tzinfo=self.crm.now.tzinfo))
            )

    def settle(self, *, full: bool = False) -> sync.Report:
        """Runs in peace, until one has read everything from its beginning: a walk that was under way ends first."""
        for _ in range(6):
            report = self.run(full=full)
            if report.outcome == "ok" and self._is_fresh():
                return report
            # What was held back is settled by a listing that agrees.
            full = full or bool(report.troubles)
        raise AssertionError(f"never complete: {report.troubles}")

    def _is_fresh(self) -> bool:
        cursor = schema.cursor
        mine = (cursor.c.workspace_id == self.workspace_id, cursor.c.source == self.crm.source)
        with self.engine.connect() as connection:
            moments = connection.scalars(sa.select(cursor.c.complete_at).where(*mine)).all()
        return all(moment is not None and moment >= self.crm.now for moment in moments)

    def positions(self) -> list[tuple[str, str]]:
        """(object, position) of each walk that reads changes; any of them may be gone back to."""
        cursor = schema.cursor
        with self.engine.connect() as connection:
            kept = connection.execute(
                sa.select(cursor.c.object, cursor.c.position).where(
                    cursor.c.workspace_id == self.workspace_id, cursor.c.source == self.crm.source
                )
            )
            return [(row.object, row.position) for row in kept if not Position.from_json(row.position).listing]

    def go_back(self, positions: Sequence[tuple[str, str]]) -> None:
        cursor = schema.cursor
        with writing(self.engine) as connection:
            for name, position in positions:
                connection.execute(
                    sa.update(cursor)
                    .where(
                        cursor.c.workspace_id == self.workspace_id,
                        cursor.c.source == self.crm.source,
                        cursor.c.object == name,
                    )
                    .values(position=position)
                )

    def _points(self) -> dict[str, Any]:
        def on_page(connection: Connection, changes: Sequence[Change]) -> None:
            self._burn()
            if self.on_page is not None:
                self.on_page(connection, changes)
                self._burn()

        def progress(_object: str, _rows: int) -> None:
            self._burn()

        return {"on_page": on_page, "progress": progress}

    def _burn(self) -> None:
        """One of the points at which a process may be killed: while reading, inside a page's transaction, after it."""
        if self._fuse is not None:
            self._fuse -= 1
            if self._fuse <= 0:
                self._dead = True
        if self._dead:
            raise Killed

    def _writes(self, connection: Connection) -> None:
        if self._dead:
            raise Killed

    def _fault(self) -> Fault:
        kinds: list[str | int] = ["timeout", "cut", "half", 429, 500, 502, 503]
        kind = self.random.choice(kinds)
        return Fault(kind, {"retry-after": "2"} if kind == 429 else {})
