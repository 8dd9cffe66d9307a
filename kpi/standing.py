"""What stands around a number: how fresh the data is, the workspace's settings, the targets, whose teams.

It is read together with the numbers, in one statement (`Wanted.parts`); what follows from it is worked out here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.declaration import Kpi, Reading
from kpi.formulas import Total
from kpi.query import KpiQuery, Unit
from kpi.scope import Scope
from storage.database import Part, Tongue, among, local_day, parameter, run, spell, tongue
from storage.schema import cursor, membership, person, source, target, team, workspace
from storage.status import READY, REFUSED, STOPPED
from storage.targets import Target, most_specific

_CUSTOMERS = ("deal", "contract", "purchase", "customer")
OBJECTS: dict[str, tuple[str, ...]] = {
    "leads": ("lead",),
    "lead_conversion": ("lead", "deal"),
    "retention": _CUSTOMERS,
    "ltv": _CUSTOMERS,
    "cac": (*_CUSTOMERS, "spend"),
}
"""What a KPI is computed from; deals for those not named."""

_WORKSPACE: ColumnElement[str] = parameter("workspace", sa.Text)
# Constants are written out: what is not given anew takes no place among the parameters.
_ZERO: ColumnElement[int] = sa.literal_column("0", sa.Integer)


def objects_of(metric: str) -> tuple[str, ...]:
    return OBJECTS.get(metric, ("deal",))


def rests_on(metric: str, objects: Collection[str]) -> bool:
    """Whether a KPI is computed from any of these objects."""
    return not set(objects_of(metric)).isdisjoint(objects)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one workspace, as far as some questions need it. Names are foreign text."""

    zone: ZoneInfo
    currency: str
    fiscal_start_month: int
    as_of: Mapping[str, datetime | None]
    """By metric: when its data was last known to be complete, the oldest of its objects; None = never."""
    waited_for: tuple[tuple[str, datetime | None], ...] = ()
    """Objects of connected sources, and up to when each is complete."""
    targets: tuple[Target, ...] = ()
    team_history: bool = True
    """Whether any membership is known to have begun on some day; else only today's teams are known."""
    below: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Teams that questions name, and all that are below each, itself included."""
    people: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    """Names by id, of those that the asker sees where not all is seen."""

    def known_to(self, metric: str) -> date | None:
        """The local day to which a KPI's data is known; None where it was never complete."""
        fresh = self.as_of[metric]
        return None if fresh is None else fresh.astimezone(self.zone).date()

    def is_late(self, metric: str, since: datetime) -> bool:
        """Whether a connected source has not confirmed an object of the KPI complete since then.

        What was loaded by hand, or from a source that was stopped, is as old as it is said to be: nothing newer is
        awaited.
        """
        objects = objects_of(metric)
        return any(moment is not None and moment < since for each, moment in self.waited_for if each in objects)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What some questions need to know of what stands around their numbers."""

    workspace_id: str
    metrics: tuple[str, ...]
    late: bool = False
    """Whether to say what is late."""
    keys: tuple[str, ...] = ()
    """Of teams, reps and segments that have targets of their own."""
    targets: bool = False
    team_history: bool = False
    below: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    def parts(self, spoken: Tongue) -> dict[str, Part]:
        told = {"workspace": _workspace, **{_fresh(metric): _as_of for metric in self.metrics}}
        more = {
            "late": (self.late, _waited_for),
            "targets": (self.targets, _targets),
            "team_history": (self.team_history, _team_history),
            "below": (self.below, _below),
            "people": (self.people, _people),
            "teams": (self.teams, _teams),
        }
        told |= {name: select for name, (wanted, select) in more.items() if wanted}
        return {name: _spelled(spoken, select) for name, select in told.items()}

    def values(self) -> dict[str, dict[str, Any]]:
        mine = {"workspace": self.workspace_id}
        return {
            "workspace": mine,
            **{_fresh(metric): mine | {"objects": objects_of(metric)} for metric in self.metrics},
            "late": mine,
            "targets": mine | {"metrics": self.metrics, "keys": self.keys},
            "team_history": mine | {"first": date.min},
            "below": mine | {"roots": self.below},
            "people": mine | {"ids": self.people},
            "teams": mine | {"ids": self.teams},
        }

    def standing(self, found: Mapping[str, list[tuple[Any, ...]]]) -> Standing:
        """What was found. Raises `LookupError` where there is no such workspace."""
        if not found["workspace"]:
            raise LookupError(f"there is no workspace {self.workspace_id!r} in this database")
        ((zone, currency, fiscal_start_month),) = found["workspace"]
        below: dict[str, set[str]] = {root: {root} for root in self.below}
        for root, each in found.get("below", ()):
            below[root].add(each)
        return Standing(
            ZoneInfo(zone),
            currency,
            fiscal_start_month,
            {metric: found[_fresh(metric)][0][0] for metric in self.metrics},
            tuple(found.get("late", ())),
            tuple(Target(*row) for row in found.get("targets", ())),
            bool(found.get("team_history", True)),
            {root: frozenset(each) for root, each in below.items()},
            dict(found.get("people", ())),
            dict(found.get("teams", ())),
        )


def _fresh(metric: str) -> str:
    """KPIs of the same objects are as fresh as each other."""
    return f"as_of:{','.join(objects_of(metric))}"


def read_standing(connection: Connection, wanted: Wanted) -> Standing:
    """What is wanted, by itself."""
    return wanted.standing(run(connection, wanted.parts(tongue(connection)), wanted.values()))


def as_of(connection: Connection, workspace_id: str, metric: str) -> datetime | None:
    """When the data of a KPI was last known to be complete: the oldest of its objects; None = never.

    A source that a person stopped is waited for no longer, unless nothing else tells these objects.
    """
    return read_standing(connection, Wanted(workspace_id, (metric,))).as_of[metric]


def is_late(connection: Connection, workspace_id: str, metric: str, since: datetime) -> bool:
    """`Standing.is_late`, by itself."""
    return read_standing(connection, Wanted(workspace_id, (metric,), late=True)).is_late(metric, since)


def known_to() -> ColumnElement[Any]:
    """`Standing.known_to`, within a statement that is given `workspace` and the `objects` of the KPI."""
    zone = sa.select(workspace.c.time_zone).where(workspace.c.workspace_id == _WORKSPACE).scalar_subquery()
    return local_day(_as_of().scalar_subquery(), zone)


def _workspace() -> Select[*tuple[Any, ...]]:
    columns = (workspace.c.time_zone, workspace.c.currency, workspace.c.fiscal_start_month)
    return sa.select(*columns).where(workspace.c.workspace_id == _WORKSPACE)


def _sources() -> Select[*tuple[Any, ...]]:
    """For each source and object: complete up to when, and the state of the source where it is connected."""
    same = sa.and_(source.c.workspace_id == cursor.c.workspace_id, source.c.source == cursor.c.source)
    select = sa.select(cursor.c.object, cursor.c.complete_at, source.c.state).outerjoin_from(cursor, source, same)
    return select.where(cursor.c.workspace_id == _WORKSPACE)


def _as_of() -> Select[*tuple[Any, ...]]:
    """A source that a person stopped is waited for no longer, unless nothing else tells these objects."""
    waits = sa.case(
        (source.c.state == sa.literal_column(f"'{STOPPED}'"), sa.null()), else_=sa.literal_column("1", sa.Integer)
    ).label("waits")
    told = _sources().where(among(cursor.c.object, "objects")).add_columns(waits).subquery("told")
    moment = told.c.complete_at

    def oldest(waited_for: ColumnElement[Any]) -> ColumnElement[Any]:
        """Where each that is waited for was complete once."""
        complete = sa.case((moment.is_not(None), waited_for))
        all_told = sa.func.count(waited_for) == sa.func.count(complete)
        return sa.case((all_told, sa.func.min(sa.case((waited_for.is_not(None), moment)), type_=moment.type)))

    anyone = sa.func.count(told.c.waits) > _ZERO
    return sa.select(sa.case((anyone, oldest(told.c.waits)), else_=oldest(sa.literal_column("1"))).label("as_of"))


def _waited_for() -> Select[*tuple[Any, ...]]:
    return (
        _sources().where(source.c.state.in_((READY, REFUSED))).with_only_columns(cursor.c.object, cursor.c.complete_at)
    )


def _targets() -> Select[*tuple[Any, ...]]:
    """Those in force for the whole workspace, or for one of the keys."""
    whole = sa.or_(target.c.dimension.is_(None), among(target.c.key, "keys"))
    mine = (target.c.workspace_id == _WORKSPACE, target.c.stopped_at.is_(None), among(target.c.metric, "metrics"))
    columns = (target.c.id, target.c.metric, target.c.reading, target.c.dimension, target.c.key, target.c.value)
    return sa.select(*columns).where(*mine, whole)


def _team_history() -> Select[*tuple[Any, ...]]:
    begun = membership.c.starts_on > parameter("first", sa.Date)
    return sa.select(membership.c.person_id).where(membership.c.workspace_id == _WORKSPACE, begun).limit(1)


def _below() -> Select[*tuple[Any, ...]]:
    """A team that is named, and each that is below it; a tree that bites its tail ends nevertheless."""
    here = sa.select(team.c.id.label("root"), team.c.id).where(team.c.workspace_id == _WORKSPACE)
    tree = here.where(among(team.c.id, "roots")).cte("tree", recursive=True)
    below = sa.select(tree.c.root, team.c.id).where(team.c.workspace_id == _WORKSPACE, team.c.parent_id == tree.c.id)
    both = tree.union(below)
    return sa.select(both.c.root, both.c.id)


def _people() -> Select[*tuple[Any, ...]]:
    return sa.select(person.c.id, person.c.name).where(person.c.workspace_id == _WORKSPACE, among(person.c.id, "ids"))


def _teams() -> Select[*tuple[Any, ...]]:
    return sa.select(team.c.id, team.c.name).where(team.c.workspace_id == _WORKSPACE, among(team.c.id, "ids"))


@lru_cache(maxsize=64)
def _spelled(spoken: Tongue, select: Any) -> Part:
    return spell(spoken, select())


def own_key(scope: Scope) -> str | None:
    """The rep whose numbers alone the asker sees, or None."""
    if not scope.everything and len(scope.people) == 1 and not scope.teams:
        return next(iter(scope.people))
    return None


def target_of(standing: Standing, query: KpiQuery, declared: Kpi, reading: Reading) -> Decimal | None:
    """The most specific target that applies, else the recommended one.

    A target of the whole workspace says nothing of a part of it when it is an amount or a number; a rate, a cycle or a
    mean is the same aim for everyone.
    """
    narrowed = {each.dimension: each.key for each in query.filters}
    if (mine := own_key(query.scope)) is not None:
        narrowed.setdefault("rep", mine)
    set_for_it = [each for each in standing.targets if (each.metric, each.reading) == (declared.metric, reading.key)]
    found = most_specific(set_for_it, narrowed)
    whole = not narrowed and query.scope.everything
    adds_up = reading.unit is Unit.COUNT or isinstance(reading.formula, Total)
    if found is not None and (found.dimension is not None or whole or not adds_up):
        return found.value
    advised = declared.advised(reading.key, narrowed.get("segment"))
    return None if advised is None else advised.low


def names_of(standing: Standing, scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the people and of the teams that a scope lets see, in order."""

    def names(ids: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(sorted(known[each] for each in ids if each in known))

    return names(scope.people, standing.people), names(scope.teams, standing.teams)
