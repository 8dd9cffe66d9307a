"""The barest lookup in the bucket tables, by hand: what the driver does that answers are compared with.

A lookup is one statement of several legs, one for each stretch of days that is added up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kpi.buckets import shapes
from kpi.period import Grain, containing
from storage.workspaces import SINGLE

_COARSEST_FIRST = (Grain.YEAR, Grain.MONTH, Grain.WEEK, Grain.DAY)


@dataclass(frozen=True, slots=True)
class Leg:
    """`SELECT label, key, sums FROM table WHERE …`, grouped by the key where there is one."""

    label: str
    table: str
    columns: Sequence[str]
    where: str
    given: tuple[Any, ...]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    sql: str
    given: tuple[Any, ...]

    def spelled(self, dialect: str) -> str:
        return self.sql if dialect == "sqlite" else self.sql.replace("?", "%s")


def lookup(legs: Iterable[Leg]) -> Lookup:
    """One statement of all legs: label, key and as many numbers as the widest leg has."""
    legs = list(legs)
    widest = max(len(leg.columns) for leg in legs)
    selects = []
    for leg in legs:
        numbers = [f"sum({column})" if "(" not in column else column for column in leg.columns]
        numbers += ["CAST(NULL AS BIGINT)"] * (widest - len(numbers))
        by = f" GROUP BY {leg.key}" if leg.key else ""
        # Names stand in this file or in the schema, values are bound.
        selects.append(
            f"SELECT '{leg.label}', {leg.key or 'CAST(NULL AS TEXT)'}, {', '.join(numbers)} "  # noqa: S608
            f"FROM {leg.table} WHERE workspace_id = '{SINGLE}' AND {leg.where}{by}"
        )
    return Lookup(" UNION ALL ".join(selects), tuple(value for leg in legs for value in leg.given))


def over(
    label: str,
    table: str,
    columns: Sequence[str],
    shape: str,
    start: date,
    end: date,
    *,
    key: str | None = None,
    **keys: str,
) -> Leg:
    """The sums over [start, end), of as few buckets as cover it."""
    codes = list(covering(start, end))
    signs = ", ".join("?" for _ in codes)
    narrowed = "".join(f" AND {name} = ?" for name in keys)
    where = f"shape = '{shape}' AND bucket IN ({signs}){narrowed}"
    return Leg(label, table, columns, where, (*codes, *keys.values()), key)


def of_rep(label: str, table: str, columns: Sequence[str], start: date, end: date, rep: str) -> Leg:
    """The same of one rep, within each of the rep's teams, so that every cell is found by the whole key."""
    found = over(label, table, columns, "rep", start, end, rep=rep)
    teams = "SELECT team_id FROM membership m WHERE m.workspace_id = ? AND m.person_id = ? UNION SELECT ''"
    return Leg(label, table, columns, f"{found.where} AND team IN ({teams})", (*found.given, SINGLE, rep))


def by_bucket(label: str, table: str, columns: Sequence[str], shape: str, codes: Sequence[str]) -> Leg:
    """The sums of each bucket by itself."""
    signs = ", ".join("?" for _ in codes)
    return Leg(label, table, columns, f"shape = '{shape}' AND bucket IN ({signs})", tuple(codes), "bucket")


def up_to(
    label: str, table: str, columns: Sequence[str], shape: str, day: date, *, key: str | None = None, **keys: str
) -> Iterator[Leg]:
    """Everything up to the end of a day: the years before its year, the months before its month, the days up to it."""
    narrowed = "".join(f" AND {name} = ?" for name in keys)
    year, month = date(day.year, 1, 1), day.replace(day=1)
    ranges = [
        ("y", f"y{year.isoformat()}"),
        (f"m{year.isoformat()}", f"m{month.isoformat()}"),
        (f"d{month.isoformat()}", f"d{(day + timedelta(days=1)).isoformat()}"),
    ]
    for since, before in ranges:
        where = f"shape = '{shape}' AND bucket >= ? AND bucket < ?{narrowed}"
        yield Leg(label, table, columns, where, (since, before, *keys.values()), key)


def undated(label: str, columns: Sequence[str], shape: str, *, key: str | None = None, **keys: str) -> Leg:
    """What has no day on the axis."""
    narrowed = "".join(f" AND {name} = ?" for name in keys)
    where = f"shape = '{shape}' AND bucket = '{shapes.UNDATED}'{narrowed}"
    return Leg(label, "deal_bucket", columns, where, tuple(keys.values()), key)


def covering(start: date, end: date) -> Iterator[str]:
    """The codes of as few buckets as cover [start, end), the largest that fits first."""
    while start < end:
        for grain in _COARSEST_FIRST:
            found = containing(grain, start)
            following = containing(Grain.MONTH, found.end - timedelta(days=1))
            # A week that reaches into a month that is wholly asked for would break the month up.
            breaks = grain is Grain.WEEK and start < following.start and following.end <= end
            if found.start == start and found.end <= end and not breaks:
                yield shapes.code(grain, start)
                start = found.end
                break
