"""design.md's definitions once more, in plain Python over lists: slow, obvious, and written apart from the engine.

`Naive(company, today).value(...)` gives (value, numerator, denominator) as exact fractions, None for no data.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.kpi.company import Company

Row = dict[str, Any]
Keep = Callable[[Row], bool]
Value = tuple[Fraction | None, Fraction | None, Fraction | None]

YEAR = 365
DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


def a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, monthrange(day.year - 1, day.month)[1]))


def percent(numerator: int, denominator: int) -> Value:
    value = Fraction(100 * numerator, denominator) if denominator > 0 else None
    return value, Fraction(numerator), Fraction(denominator)


def quotient(numerator: int, denominator: int) -> Value:
    return (Fraction(numerator, denominator) if denominator else None), Fraction(numerator), Fraction(denominator)


def total(number: int) -> Value:
    return Fraction(number), Fraction(number), None


class Naive:
    def __init__(self, company: Company, today: date) -> None:
        self.tables = company.rows
        self.currency = company.currency
        self.today = today
        self.deals = company.rows.get("deal", [])
        self.leads = company.rows.get("lead", [])
        self.customers = {row["id"]: row for row in company.rows.get("customer", [])}
        self.people = {row["id"]: row for row in company.rows.get("person", [])}

    # Whose

    def team_of(self, person: str | None, day: date | None) -> str | None:
        if day is None:
            return None
        for row in self.tables.get("membership", []):
            if row["person_id"] == person and row["starts_on"] <= day and (not row["ends_on"] or day < row["ends_on"]):
                return str(row["team_id"])
        return None

    def owned(self, owner: str | None, day: date | None, segment: Any, origin: Any, customer: str | None) -> Row:
        known = self.customers.get(customer or "", {})
        return {
            "rep": owner,
            "team": self.team_of(owner, day),
            "region": self.people.get(owner or "", {}).get("region"),
            "segment": segment if segment is not None else known.get("segment"),
            "source": origin if origin is not None else known.get("origin"),
            "customer": customer,
        }

    def deal_keys(self, deal: Row) -> Row:
        day = deal["closed_on"] or self.today
        keys = self.owned(deal["owner_id"], day, deal["segment"], deal["origin"], deal["customer_id"])
        return keys | {name: deal[f"{name}_id"] for name in ("product", "pipeline", "stage")}

    def lead_keys(self, lead: Row) -> Row:
        day = lead["qualified_on"] or lead["created_on"] or self._conversion(lead)[1]
        return self.owned(lead["owner_id"], day, lead["segment"], lead["origin"], lead["customer_id"])

    def first_won(self, customer: str) -> Row | None:
        won = [deal for deal in self.won_deals() if deal["customer_id"] == customer]
        return min(won, key=lambda deal: (deal["closed_on"], deal["id"]), default=None)

    def customer_keys(self, customer: str) -> Row:
        first = self.first_won(customer)
        if first is not None:
            return self.deal_keys(first)
        known = self.customers.get(customer, {})
        return {"rep": None, "team": None, "segment": known.get("segment"), "source": known.get("origin")}

    # Sales and customers

    def won_deals(self) -> list[Row]:
        return [deal for deal in self.alive("deal") if deal["status"] == "won" and deal["closed_on"]]

    def alive(self, table: str) -> list[Row]:
        return [row for row in self.tables.get(table, []) if row["deleted_at"] is None]

    def sales_of(self, customer: str) -> list[tuple[date, int | None]]:
        bought = [row for row in self.alive("purchase") if row["customer_id"] == customer]
        if bought:
            return [(row["purchased_on"], self.worth(row, row["purchased_on"])) for row in bought]
        won = [deal for deal in self.won_deals() if deal["customer_id"] == customer]
        return [(deal["closed_on"], self.worth_of_deal(deal)) for deal in won]

    def worth(self, row: Row, day: date | None) -> int | None:
        """The amount in the company's currency by the newest rate up to a day (None: of all)."""
        amount, own = row["amount_minor"], row["currency"]
        if amount is None or own == self.currency:
            return amount  # type: ignore[no-any-return]
        known = []
        for rate in self.alive("rate"):
            if day is not None and rate["starts_on"] > day:
                continue
            if (rate["base"], rate["currency"]) == (own, self.currency):
                known.append((rate["starts_on"], 1, Fraction(rate["rate"]), rate["id"]))
            if (rate["base"], rate["currency"]) == (self.currency, own):
                known.append((rate["starts_on"], 0, 1 / Fraction(rate["rate"]), rate["id"]))
        if not known:
            return None
        newest = max(known, key=lambda found: found[:2])[:2]
        rate = min((found for found in known if found[:2] == newest), key=lambda found: found[3])[2]
        exact = Fraction(amount, 10 ** DECIMALS[own]) * rate * 10 ** DECIMALS[self.currency]
        below = exact.numerator // exact.denominator
        half = exact - below
        return below + (half > Fraction(1, 2) or (half == Fraction(1, 2) and below % 2 == 1))

    def worth_of_deal(self, deal: Row) -> int | None:
        return self.worth(deal, None if deal["status"] == "open" else deal["closed_on"])

    def contracts_of(self, customer: str) -> list[Row]:
        return [row for row in self.alive("contract") if row["customer_id"] == customer]

    def buyers(self) -> list[str]:
        known = {row["customer_id"] for table in ("purchase", "contract") for row in self.alive(table)}
        known |= {deal["customer_id"] for deal in self.won_deals() if deal["customer_id"]}
        return sorted(known)

    def active(self, customer: str, day: date) -> bool:
        contracts = self.contracts_of(customer)
        if contracts:
            return any(row["starts_on"] <= day <= (row["ends_on"] or date.max) for row in contracts)
        return any(day - timedelta(days=YEAR) < sold <= day for sold, _ in self.sales_of(customer))

    def first_day(self, customer: str) -> date:
        begun = [row["starts_on"] for row in self.contracts_of(customer)]
        return min(begun + [sold for sold, _ in self.sales_of(customer)])

    # Values

    def value(
        self, metric: str, reading: str, start: date, end: date, keep: Keep, *, before: date | None = None
    ) -> Value:
        """The value for [start, end) over the rows whose keys `keep` lets through; wins from `before` on unknown."""
        return getattr(self, f"_{metric}")(reading, start, end, keep, before)  # type: ignore[no-any-return]

    def _on(self, axis: str, start: date, end: date, keep: Keep) -> list[Row]:
        return [
            deal
            for deal in self.alive("deal")
            if deal[axis] is not None and start <= deal[axis] < end and keep(self.deal_keys(deal))
        ]

    def _win_rate(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        created, closed = self._on("created_on", start, end, keep), self._on("closed_on", start, end, keep)
        won = [deal for deal in closed if deal["status"] == "won"]
        lost = [deal for deal in closed if deal["status"] == "lost"]
        if reading == "closed":
            return percent(len(won), len(won) + len(lost))
        if reading == "flow":
            return percent(len(won), len(created))
        known = [
            deal
            for deal in created
            if deal["status"] == "won" and (before is None or not deal["closed_on"] or deal["closed_on"] < before)
        ]
        return percent(len(known), len(created))

    def _sales_cycle(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        wanted = {"won", "lost"} if reading == "all" else {"won"}
        days = [
            (deal["closed_on"] - deal["created_on"]).days
            for deal in self._on("closed_on", start, end, keep)
            if deal["status"] in wanted and deal["created_on"] and deal["created_on"] <= deal["closed_on"]
        ]
        if reading != "median":
            return quotient(sum(days), len(days))
        days.sort()
        middle = len(days) // 2
        if not days:
            return None, None, Fraction(0)
        median = Fraction(days[middle]) if len(days) % 2 else Fraction(days[middle - 1] + days[middle], 2)
        return median, None, Fraction(len(days))

    def _amounts(self, start: date, end: date, keep: Keep) -> list[Row]:
        return [
            deal
            for deal in self._on("closed_on", start, end, keep)
            if deal["status"] == "won" and self.worth_of_deal(deal) is not None
        ]

    def _average_deal(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        amounts = [self.worth_of_deal(deal) or 0 for deal in self._amounts(start, end, keep)]
        return quotient(sum(amounts), len(amounts))

    def _revenue_won(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        return total(sum(self.worth_of_deal(deal) or 0 for deal in self._amounts(start, end, keep)))

    def _deals_created(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        return total(len(self._on("created_on", start, end, keep)))

    def _open_pipeline(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        end = min(end, self.today + timedelta(days=1))
        found = []
        for deal in self.alive("deal"):
            created = deal["created_on"] is not None and deal["created_on"] < end
            undated_now = deal["created_on"] is None and end > self.today
            if deal["status"] == "open":
                is_open = created or undated_now
            else:
                is_open = created and deal["closed_on"] is not None and deal["closed_on"] >= end
            if is_open and keep(self.deal_keys(deal)):
                found.append(deal)
        if reading == "count":
            return total(len(found))
        return total(sum(self.worth_of_deal(deal) or 0 for deal in found))

    def _additional(self, deal: Row) -> bool:
        if deal["kind"] is not None:
            return bool(deal["kind"] != "new")
        first = min(other["closed_on"] for other in self.won_deals() if other["customer_id"] == deal["customer_id"])
        return bool(deal["closed_on"] > first)

    def _upsell_rate(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        if reading == "count":
            pool = [deal for deal in self._on("closed_on", start, end, keep) if deal["status"] == "won"]
        else:
            pool = self._amounts(start, end, keep)
        sales = [deal for deal in pool if deal["customer_id"] is not None or deal["kind"] is not None]
        more = [deal for deal in sales if self._additional(deal)]
        if reading == "count":
            return percent(len(more), len(sales))
        part, whole = (sum(self.worth_of_deal(deal) or 0 for deal in deals) for deals in (more, sales))
        return percent(part, whole)

    # Leads

    def _lead_day(self, lead: Row) -> date | None:
        return lead["qualified_on"] or lead["created_on"]  # type: ignore[no-any-return]

    def _counts(self, lead: Row) -> bool:
        dated = any(other["qualified_on"] for other in self.leads if other["source"] == lead["source"])
        qualified = lead["qualified"]
        if qualified is None:
            qualified = lead["qualified_on"] is not None or not dated
        return bool(qualified) and lead["inbound"] is not False

    def _conversion(self, lead: Row) -> tuple[bool, date | None]:
        linked = [deal for deal in self.deals if deal["lead_id"] is not None and deal["source"] == lead["source"]]
        wins = [deal for deal in self.alive("deal") if deal["lead_id"] == lead["id"] and deal["status"] == "won"]
        if wins:
            return True, min((deal["closed_on"] for deal in wins if deal["closed_on"]), default=None)
        if not linked and lead["converted"]:
            return True, lead["converted_on"]
        return False, None

    def _of_leads(self, keep: Keep) -> list[Row]:
        return [lead for lead in self.alive("lead") if self._counts(lead) and keep(self.lead_keys(lead))]

    def _leads(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        days = [self._lead_day(lead) for lead in self._of_leads(keep)]
        return total(len([day for day in days if day is not None and start <= day < end]))

    def _lead_conversion(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        leads = self._of_leads(keep)
        mine = [lead for lead in leads if (day := self._lead_day(lead)) is not None and start <= day < end]
        if reading == "cohort":
            known = [
                lead
                for lead in mine
                for converted, day in [self._conversion(lead)]
                if converted and (before is None or day is None or day < before)
            ]
            return percent(len(known), len(mine))
        days = [day for lead in leads if (day := self._conversion(lead)[1]) is not None]
        return percent(len([day for day in days if start <= day < end]), len(mine))

    # Customers

    def _kept(self, start: date, end: date, keep: Keep) -> tuple[int, int, int, int]:
        """At start, at end, kept, new."""
        mine = [customer for customer in self.buyers() if keep(self.customer_keys(customer))]
        first, last = start - timedelta(days=1), end - timedelta(days=1)
        at_start = {customer for customer in mine if self.active(customer, first)}
        at_end = {customer for customer in mine if self.active(customer, last)}
        new = [customer for customer in mine if start <= self.first_day(customer) < end]
        return len(at_start), len(at_end), len(at_start & at_end), len(new)

    def _retention(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        at_start, at_end, kept, new = self._kept(start, end, keep)
        return percent(kept if reading == "strict" else at_end - new, at_start)

    def _ltv(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        begin = a_year_before(end)
        mine = [customer for customer in self.buyers() if keep(self.customer_keys(customer))]
        sales = [(customer, sale) for customer in mine for sale in self.sales_of(customer) if begin <= sale[0] < end]
        amounts = [amount for _, (_, amount) in sales if amount is not None]
        bought = {customer for customer, _ in sales}
        if not amounts or not bought:
            return None, None, None
        yearly = Fraction(sum(amounts), len(amounts)) * Fraction(len(sales), len(bought))
        at_start, _, kept, _ = self._kept(begin, end, keep)
        if at_start and kept < at_start:
            lost = 1 - Fraction(kept, at_start)
            return yearly / lost, yearly, lost
        active = [customer for customer in mine if self.active(customer, end - timedelta(days=1))]
        if not active:
            return None, yearly, None
        years = Fraction(sum((end - self.first_day(customer)).days for customer in active), len(active)) / Fraction(
            "365.25"
        )
        return yearly * years, yearly, None

    def _cac(self, reading: str, start: date, end: date, keep: Keep, before: date | None) -> Value:
        new = [c for c in self.buyers() if keep(self.customer_keys(c)) and start <= self.first_day(c) < end]
        spent = 0
        for row in self.alive("spend"):
            amount = self.worth(row, row["starts_on"])
            if amount is None or not keep({"source": row["origin"]}):
                continue
            days = (row["ends_on"] - row["starts_on"]).days + 1
            for k in range(1, days + 1):
                if start <= row["starts_on"] + timedelta(days=k - 1) < end:
                    spent += k * amount // days - (k - 1) * amount // days
        return quotient(spent, len(new))

    # Left out

    def left_out(self, metric: str, reading: str, start: date, end: date, keep: Keep) -> dict[str, int]:
        """Deals (or leads) left out, for the readings of one population of deals."""
        found: Counter[str] = Counter()
        axis = (
            "created_on" if (metric, reading) in {("win_rate", "cohort"), ("deals_created", "count")} else "closed_on"
        )
        for deal in self.deals:
            if not keep(self.deal_keys(deal)):
                continue
            if axis == "closed_on" and deal["status"] not in self._statuses(metric, reading):
                continue
            if deal[axis] is None:
                if deal["deleted_at"] is None and (axis == "created_on" or deal["status"] != "dormant"):
                    found["no_creation_date" if axis == "created_on" else "no_closing_date"] += 1
            elif start <= deal[axis] < end and (reason := self._why(metric, reading, deal)):
                found[reason] += 1
        return dict(found)

    @staticmethod
    def _statuses(metric: str, reading: str) -> set[str]:
        if (metric, reading) == ("win_rate", "closed"):
            return {"won", "lost", "dormant"}
        return {"won", "lost"} if (metric, reading) == ("sales_cycle", "all") else {"won"}

    def _why(self, metric: str, reading: str, deal: Row) -> str | None:
        if deal["deleted_at"] is not None:
            return "deleted"
        if (metric, reading) == ("win_rate", "closed") and deal["status"] == "dormant":
            return "dormant"
        if metric == "sales_cycle":
            if deal["created_on"] is None:
                return "no_creation_date"
            return "closed_before_created" if deal["closed_on"] < deal["created_on"] else None
        if metric == "upsell_rate" and deal["customer_id"] is None and deal["kind"] is None:
            return "no_customer"
        if metric in {"average_deal", "revenue_won"} or (metric, reading) == ("upsell_rate", "revenue"):
            if deal["amount_minor"] is None:
                return "no_amount"
            return "unconverted" if self.worth_of_deal(deal) is None else None
        return None
