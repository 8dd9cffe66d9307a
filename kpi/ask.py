"""A question made ready for the database: the periods to count, what is narrowed to, and in which currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from kpi import period as periods
from kpi.formulas import Cell
from kpi.period import Period
from kpi.query import Comparison, KpiQuery
from kpi.rows import Condition, DealRows, LeadRows, Rows


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Only rows whose key of a dimension is among `keys`; None among them = "(none)"."""

    dimension: str
    keys: frozenset[str | None]

    def condition(self, rows: Rows) -> Condition:
        key = rows.key(self.dimension)
        ids = sorted(value for value in self.keys if value is not None)
        if None not in self.keys:
            return key.in_(ids)
        return key.is_(None) | key.in_(ids) if ids else key.is_(None)


@dataclass(frozen=True)
class Ask:
    query: KpiQuery
    currency: str
    fiscal_start_month: int
    narrowings: tuple[Narrowing, ...] = ()
    known_to: date | None = None
    """The local day to which the data is known; None where it was never complete."""

    @property
    def workspace_id(self) -> str:
        return self.query.scope.workspace_id

    def is_by(self, dimension: str) -> bool:
        """Whether the question groups by a dimension, or is narrowed to some of it."""
        return dimension == self.query.group_by or self._only_some(dimension)

    def _only_some(self, dimension: str) -> bool:
        return any(each.dimension == dimension for each in self.narrowings)

    @cached_property
    def before(self) -> Period | None:
        """The period of the comparison, or None: also for some stages, since only today's stage of a deal is known."""
        if self._only_some("stage"):
            return None
        match self.query.comparison:
            case None:
                return None
            case Comparison.PREVIOUS:
                return periods.previous(self.query.period, self.query.today)
            case Comparison.LAST_YEAR:
                return periods.last_year(self.query.period, self.query.today)

    @property
    def age(self) -> int:
        """Days that the cohort of the period has had after its end; 0 while the period is not over.

        Counted to where the data goes: asking from an earlier day hides no rows, so the cohort is no younger for it.
        """
        return max(0, ((self.known_to or self.query.today) - self.query.period.last_day).days)

    @property
    def won_before(self) -> date | None:
        """The first day that the cohort of the period before had not seen at this age."""
        return None if self.before is None else self.before.end + timedelta(days=self.age)

    @cached_property
    def buckets(self) -> tuple[Period, ...]:
        """The buckets of the series, or none."""
        grain = self.query.grain
        return () if grain is None else periods.buckets(self.query.period, grain, self.fiscal_start_month)

    def rows(self, table: str) -> Rows:
        """The rows of a table, not narrowed yet."""
        if table == "lead":
            return LeadRows(self.workspace_id)
        return DealRows(self.workspace_id, self.query.today)

    def narrowed(self, rows: Rows) -> list[Condition]:
        """Of this workspace, within the asker's scope and the filters."""
        conditions = [rows.mine(), *(narrowing.condition(rows) for narrowing in self.narrowings)]
        if not self.query.scope.everything:
            conditions.append(rows.visible(self.query.scope))
        return conditions


@dataclass(slots=True)
class Counted:
    """What a plan added up: cells of the total, of groups (by key) and of a series (by the bucket's first day)."""

    now: Cell
    before: Cell | None = None
    groups: Mapping[str | None, Cell] = field(default_factory=dict)
    groups_before: Mapping[str | None, Cell] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    series: Mapping[date, Cell] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    first_day: date | None = None
    """Where nothing was counted: the first day on which there is anything to count; None without any."""
    tells_qualified: bool = True
    """Where leads were counted: whether the sources say of any that it is, or is not, qualified or inbound."""
    cells: int | None = None
    """How many cells of the buckets were added up; None = the facts were."""
