"""Exchange rates: what an amount in any currency is worth in the workspace's, on its day.

The rate of a pair lasts from its first day until the next rate of that pair; either direction of it will do. Where no
rate is known for a day, the amount has no value: it is told as unconverted, never guessed.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from storage.schema import rate

VALUED = ("deal", "contract", "purchase", "spend")
"""The tables with an amount and its value."""

_LARGEST = 2**63
"""Amounts are 64-bit integers in the database."""


class Rates:
    """The known rates between the workspace's currency and others."""

    def __init__(self, currency: str, pairs: Mapping[str, Mapping[date, Fraction]]) -> None:
        """`pairs`: for each currency, from which day on 1 unit of it is how many units of `currency`."""
        self.currency = currency
        self._days = {other: sorted(by_day) for other, by_day in pairs.items()}
        self._rates = pairs

    @property
    def known(self) -> bool:
        """Whether there is any rate."""
        return bool(self._days)

    @classmethod
    def read(cls, connection: Connection, workspace_id: str, currency: str) -> "Rates":
        """The rates that the sources of a workspace tell now, into `currency` (ISO 4217)."""
        mine = (rate.c.workspace_id == workspace_id, rate.c.deleted_at.is_(None))
        touching = sa.or_(rate.c.base == currency, rate.c.currency == currency)
        columns = (rate.c.base, rate.c.currency, rate.c.starts_on, rate.c.rate)
        # Of two rates for one day, the direct one counts; of two sources, always the same one.
        direct_last = sa.case((rate.c.currency == currency, 1), else_=0)
        rows = connection.execute(sa.select(*columns).where(*mine, touching).order_by(direct_last, rate.c.id.desc()))
        pairs: dict[str, dict[date, Fraction]] = defaultdict(dict)
        for base, other, starts_on, told in rows:
            if base == other or not told.is_finite() or told <= 0:
                continue
            exact = Fraction(told)
            if other == currency:
                pairs[base][starts_on] = exact
            else:
                pairs[other][starts_on] = 1 / exact
        return cls(currency, pairs)

    def value(self, amount_minor: int | None, currency: str, day: date | None) -> int | None:
        """Minor units of `currency` as minor units of the workspace's, rounded half to even.

        `day` None = by the newest rate. None where there is no amount, or no rate for that day.
        """
        if amount_minor is None or currency == self.currency:
            return amount_minor
        found = self._rate(currency, day)
        if found is None:
            return None
        scale = Fraction(10) ** (get_currency_precision(self.currency) - get_currency_precision(currency))
        # Exact until the one rounding, which Python does half to even.
        value = round(amount_minor * found * scale)
        return value if abs(value) < _LARGEST else None

    def value_of(self, table: str, row: Mapping[str, Any]) -> int | None:
        """What the amount of a row of a `VALUED` table is worth, by the rate of its day."""
        return self.value(row["amount_minor"], row["currency"], _day(table, row))

    def _rate(self, currency: str, day: date | None) -> Fraction | None:
        days = self._days.get(currency)
        if not days:
            return None
        at = len(days) if day is None else bisect_right(days, day)
        return self._rates[currency][days[at - 1]] if at else None


def _day(table: str, row: Mapping[str, Any]) -> date | None:
    """The day whose rate counts: a deal's closing (None while it is open), a purchase's own, else the first day."""
    match table:
        case "deal":
            return None if row["status"] == "open" else row["closed_on"]
        case "purchase":
            return row["purchased_on"]  # type: ignore[no-any-return]
        case _:
            return row["starts_on"]  # type: ignore[no-any-return]
