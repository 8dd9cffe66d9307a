"""Two years of a sample company's trade, told day by day up to today: leads, deals, contracts, spend.

Deterministic for a given `today`. One team (`STRUGGLING`) really closes worse since a few weeks, so that an alert has
something to say.
"""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.demo.cast import OFFICES, PRODUCTS, Customers, Office, cast, dice
from storage.records import Contract, Customer, Deal, Lead, Person, Spend

STRUGGLING = "Lyon"
STRUGGLING_DAYS = 45
STRUGGLING_FACTOR = 0.25
MONTHS = 24
DEALS_A_DAY = 10.6
"""On a working day of an ordinary month."""
LEADS_WITHOUT_DEAL_A_DAY = 2.4
CYCLE = {"B2B": (3.45, 0.65), "B2C": (2.55, 0.6)}
"""Mean and deviation of the logarithm of a deal's days."""
ORIGINS = (
    # name, share, win factor, marketing euros a month
    ("Site web", 0.30, 1.0, 5_200),
    ("Recommandation", 0.18, 1.25, 900),
    ("Salon", 0.14, 1.05, 7_400),
    ("Publicité", 0.22, 0.8, 9_800),
    ("Partenaire", 0.10, 1.1, 2_600),
    (None, 0.06, 0.95, 0),
)
CUSTOMERS_OF_BEFORE = 420
RENEWAL = {"B2B": 0.87, "B2C": 0.72}
"""The chance that a contract is renewed for another year."""
SALES_EUROS_A_MONTH = 46_000
OPEN_STAGES = ("Qualification", "Proposition", "Négociation")
CLOSED_STAGES = {"won": "Gagnée", "lost": "Perdue", "dormant": "En sommeil"}
NEW_BUSINESS, EXISTING_BUSINESS = "Nouveaux clients", "Clients existants"


@dataclass(slots=True)
class Trade:
    customers: list[Customer] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    spend: list[Spend] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chance:
    """One opportunity, before its fate is known."""

    office: Office
    rep: Person
    segment: str
    origin: str | None
    appeal: float
    customer: Customer
    returning: bool


def first_day(today: date) -> date:
    """The first day of the month 24 months before today's."""
    months = today.year * 12 + today.month - 1 - MONTHS
    return date(months // 12, months % 12 + 1, 1)


def trade(today: date) -> Trade:
    """Everything the company did from `first_day(today)` to `today` inclusive; amounts in euro cents."""
    market = _Market(today)
    market.inherit()
    day = first_day(today)
    while day <= today:
        market.live(day)
        day += timedelta(days=1)
    market.spend()
    return market.told


class _Market:
    def __init__(self, today: date) -> None:
        self.told = Trade()
        self._today = today
        self._dice = dice("market")
        self._customers = Customers()
        self._reps = cast().reps
        self._skill = {rep.ext_id: self._dice.uniform(0.8, 1.2) for team in self._reps.values() for rep in team}
        self._buyers: dict[tuple[str, str], list[Customer]] = {}

    def inherit(self) -> None:
        """The customers of before: under contract when the story begins."""
        begin = first_day(self._today)
        for _ in range(CUSTOMERS_OF_BEFORE):
            office, segment = self._place()
            origin, _ = self._origin()
            customer = self._customers.new(office, segment, origin)
            self.told.customers.append(customer)
            self._buyers.setdefault((office.name, segment), []).append(customer)
            self._contracts(customer, begin - timedelta(days=self._dice.randint(1, 364)))

    def live(self, day: date) -> None:
        pace = _season(day, self._today) if day.weekday() < 5 else 0.05
        for _ in range(self._count(DEALS_A_DAY * pace)):
            self._opportunity(day)
        for _ in range(self._count(LEADS_WITHOUT_DEAL_A_DAY * pace)):
            office, segment = self._place()
            origin, _ = self._origin()
            self._lead(day, self._dice.choice(self._reps[office.name]), segment, origin)

    def _opportunity(self, day: date) -> None:
        office, segment = self._place()
        rep = self._dice.choice(self._reps[office.name])
        origin, appeal = self._origin()
        known = self._buyers.get((office.name, segment), [])[-300:]
        returning = bool(known) and self._dice.random() < 0.3
        if returning:
            customer = self._dice.choice(known)
        else:
            customer = self._customers.new(office, segment, origin)
            self.told.customers.append(customer)
        chance = _Chance(office, rep, segment, origin, appeal, customer, returning)
        closes = day + timedelta(days=min(int(self._dice.lognormvariate(*CYCLE[segment])), 400))
        fate = self._fate(chance, closes)
        lead = None
        if not returning and self._dice.random() < 0.85:
            lead = self._lead(day - timedelta(days=self._dice.randint(0, 9)), rep, segment, origin)
        self._deal(chance, lead, day, closes, fate)
        if fate == "won" and closes <= self._today and not returning:
            self._buyers.setdefault((office.name, segment), []).append(customer)
            self._contracts(customer, closes)

    def _fate(self, chance: _Chance, closes: date) -> str:
        odds = chance.office.win_chance * chance.appeal * self._skill[chance.rep.ext_id]
        odds *= (1.25 if chance.returning else 1.0) * (1.1 if chance.segment == "B2C" else 0.97)
        if chance.office.name == STRUGGLING and closes > self._today - timedelta(days=STRUGGLING_DAYS):
            odds *= STRUGGLING_FACTOR
        if self._dice.random() < odds:
            return "won"
        return "dormant" if self._dice.random() < 0.05 else "lost"

    def _deal(self, chance: _Chance, lead: Lead | None, day: date, closes: date, fate: str) -> None:
        product, euros = self._product(chance.segment)
        over = closes <= self._today
        age = (self._today - day).days / max((closes - day).days, 1)
        # A few won deals have no amount yet, as everywhere.
        forgotten = fate == "won" and self._dice.random() < 0.004
        self.told.deals.append(
            Deal(
                ext_id=f"D{len(self.told.deals) + 1:05d}",
                name=f"{product} · {chance.customer.name}",
                status=fate if over else "open",
                raw_status=CLOSED_STAGES[fate] if over else None,
                customer=chance.customer.ext_id if self._dice.random() > 0.004 else None,
                owner=chance.rep.ext_id,
                product=product,
                pipeline=EXISTING_BUSINESS if chance.returning else NEW_BUSINESS,
                stage=CLOSED_STAGES[fate] if over else OPEN_STAGES[min(int(age * 3), 2)],
                lead=lead.ext_id if lead else None,
                segment=chance.segment,
                origin=chance.origin,
                amount_minor=None if forgotten else round(euros * self._dice.lognormvariate(0, 0.35)) * 100,
                currency="EUR",
                created=day,
                closed=closes if over else None,
            )
        )

    def _lead(self, day: date, rep: Person, segment: str, origin: str | None) -> Lead:
        lead = Lead(
            ext_id=f"L{len(self.told.leads) + 1:05d}",
            name=f"Lead {len(self.told.leads) + 1}",
            created=day,
            qualified_on=min(day + timedelta(days=self._dice.randint(0, 3)), self._today),
            qualified=self._dice.random() > 0.06,
            inbound=self._dice.random() > 0.12,
            owner=rep.ext_id,
            segment=segment,
            origin=origin,
        )
        self.told.leads.append(lead)
        return lead

    def _contracts(self, customer: Customer, start: date) -> None:
        """A year at a time, renewed or not; some never end."""
        amount = self._dice.randint(12, 240) * (10_000 if customer.segment == "B2B" else 500)
        renewal = RENEWAL[customer.segment or "B2B"]
        forever = self._dice.random() < 0.12
        while True:
            end = None if forever else start + timedelta(days=364)
            self.told.contracts.append(
                Contract(
                    ext_id=f"K{len(self.told.contracts) + 1:05d}",
                    customer=customer.ext_id,
                    starts_on=start,
                    ends_on=end,
                    amount_minor=amount,
                    currency="EUR",
                )
            )
            if end is None or end >= self._today or self._dice.random() > renewal:
                return
            start = end + timedelta(days=1)

    def spend(self) -> None:
        """Marketing by origin and sales, a row a month; the current month's is its budget."""
        month = first_day(self._today)
        while month <= self._today:
            after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
            budgets = [("marketing", origin, euros) for origin, _, _, euros in ORIGINS if euros]
            for kind, origin, euros in [*budgets, ("sales", None, SALES_EUROS_A_MONTH)]:
                self.told.spend.append(
                    Spend(
                        ext_id=f"{kind}-{origin or 'all'}-{month:%Y-%m}",
                        kind=kind,
                        origin=origin,
                        starts_on=month,
                        ends_on=after - timedelta(days=1),
                        amount_minor=round(euros * self._dice.uniform(0.9, 1.12)) * 100,
                        currency="EUR",
                    )
                )
            month = after

    def _place(self) -> tuple[Office, str]:
        office = self._dice.choices(OFFICES, (4, 3.4, 3))[0]
        return office, "B2B" if self._dice.random() < office.b2b_share else "B2C"

    def _origin(self) -> tuple[str | None, float]:
        name, _, appeal, _ = self._dice.choices(ORIGINS, [share for _, share, *_ in ORIGINS])[0]
        return name, appeal

    def _product(self, segment: str) -> tuple[str, float]:
        fitting = [product for product in PRODUCTS if product[1] == segment]
        name, _, euros, _ = self._dice.choices(fitting, [weight for *_, weight in fitting])[0]
        return name, euros

    def _count(self, mean: float) -> int:
        """A Poisson draw by Knuth's product of uniforms; `random.Random` has none."""
        limit, product, count = math.exp(-mean), self._dice.random(), 0
        while product > limit:
            product *= self._dice.random()
            count += 1
        return count


def _season(day: date, today: date) -> float:
    """How busy a day is: quiet in August and at the year's end, growing a little over the two years."""
    quiet = {8: 0.55, 12: 0.85, 1: 0.95, 9: 1.15, 10: 1.1}.get(day.month, 1.0)
    return quiet * (1 + 0.15 * (1 - (today - day).days / 730))
