"""Since when there is data, and whether leads are told apart, as the buckets and the ends of indexes tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from kpi import measures
from kpi.buckets.lookup import Found
from kpi.buckets.shapes import LETTERS, UNDATED
from kpi.buckets.tables import customer_bucket, lead_bucket
from kpi.buckets.tally import TELLS_QUALIFIED, column_of, left_out_of
from kpi.period import Grain
from kpi.populations import Population
from kpi.reasons import Reason
from storage.database import Part, Tongue, parameter, spell
from storage.schema import deal

_WORKSPACE = parameter("workspace", sa.Text)
_ZERO = sa.literal_column("0", sa.Integer)
_ALL = sa.literal_column("'all'", sa.Text)


def _of_grain(bucket: sa.ColumnElement[str], grain: Grain) -> sa.ColumnElement[bool]:
    first, after = LETTERS[grain], chr(ord(LETTERS[grain]) + 1)
    return sa.and_(bucket >= sa.literal_column(f"'{first}'"), bucket < sa.literal_column(f"'{after}'"))


@dataclass(frozen=True, slots=True)
class Firsts:
    """`deals`: the days of deals that count; `leads`, `customers`: whether theirs do."""

    deals: tuple[str, ...] = ()
    leads: bool = False
    customers: bool = False

    def parts(self, spoken: Tongue) -> Mapping[str, Part]:
        found = {f"first_{axis}": _first_deal(spoken, axis) for axis in self.deals}
        if self.leads:
            found |= {"first_lead": _first_lead(spoken), "tells": _tells(spoken)}
        if self.customers:
            found["first_customer"] = _first_customer(spoken)
        return found

    def values(self, workspace_id: str) -> Mapping[str, Mapping[str, Any]]:
        names = [f"first_{axis}" for axis in self.deals]
        names += ["first_lead", "tells"] * self.leads + ["first_customer"] * self.customers
        return {name: {"workspace": workspace_id} for name in names}

    def found(self, found: Found) -> tuple[date | None, bool]:
        """The first day, and whether the sources say of any lead that it is, or is not, qualified or inbound."""
        days = [found[f"first_{axis}"][0][0] for axis in self.deals]
        codes = [found[name][0][0] for name in ("first_lead", "first_customer") if name in found]
        days += [date.fromisoformat(code[1:]) for code in codes if code is not None]
        return min((day for day in days if day is not None), default=None), bool(found.get("tells", True))


@lru_cache(maxsize=32)
def of(populations: tuple[Population, ...]) -> Firsts:
    """Of what some populations look at."""
    axes = {(each.table, each.axis) for each in populations}
    return Firsts(
        tuple(sorted(axis for table, axis in axes if table == "deal")), any(table == "lead" for table, _ in axes)
    )


CUSTOMERS = Firsts(("closed_on", "created_on"), customers=True)
"""A customer's first day is that of a contract, a purchase or a won deal."""


@lru_cache(maxsize=8)
def _first_deal(spoken: Tongue, axis: str) -> Part:
    first = sa.select(sa.func.min(deal.c[axis]))
    return spell(spoken, first.where(deal.c.workspace_id == _WORKSPACE, deal.c.deleted_at.is_(None)))


@lru_cache(maxsize=4)
def _first_lead(spoken: Tongue) -> Part:
    """Every lead that is not deleted is counted, or left out as not qualified or not inbound."""
    columns = lead_bucket.c
    left_out = left_out_of(measures.LEADS.population)
    counted = [column_of(measures.LEADS), *(left_out[each] for each in (Reason.NOT_QUALIFIED, Reason.NOT_INBOUND))]
    anything = sa.or_(*(columns[name] != _ZERO for name in counted))
    return _first_day(spoken, lead_bucket, anything)


@lru_cache(maxsize=4)
def _first_customer(spoken: Tongue) -> Part:
    return _first_day(spoken, customer_bucket, customer_bucket.c.new != _ZERO)


def _first_day(spoken: Tongue, table: sa.Table, anything: sa.ColumnElement[bool]) -> Part:
    days = _of_grain(table.c.bucket, Grain.DAY)
    first = sa.select(sa.func.min(table.c.bucket))
    return spell(spoken, first.where(table.c.workspace_id == _WORKSPACE, table.c.shape == _ALL, days, anything))


@lru_cache(maxsize=4)
def _tells(spoken: Tongue) -> Part:
    columns = lead_bucket.c
    # What has no day, weeks and years come last, one after the other: every lead is in one of them.
    bucket = columns.bucket >= sa.literal_column(f"'{UNDATED}'")
    mine = (columns.workspace_id == _WORKSPACE, columns.shape == _ALL, bucket, columns[TELLS_QUALIFIED] != _ZERO)
    return spell(spoken, sa.select(columns.bucket).where(*mine).limit(1))
