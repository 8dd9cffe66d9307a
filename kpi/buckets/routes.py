"""Which cells hold what a question is about: their shapes and keys, by its filters and the asker's scope.

A manager sees the deals of some teams, and their own in any other team: cells of those teams, and cells of that rep
within the others. Where no cells keep a rep and what is asked for, the manager's teams are enough as long as there is
nothing of theirs elsewhere (`Route.elsewhere`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

from kpi.ask import Ask
from kpi.buckets.shapes import Shape, shape_for
from kpi.buckets.tables import FAMILIES, Family
from kpi.narrowing import wholly_seen
from kpi.query import Filter

How = Literal["is", "is_none", "below", "among", "not_among"]


class Why(StrEnum):
    """Why a question is asked of the facts."""

    AS_KNOWN = "as_known"
    """It is asked as the data was known at a past moment."""
    MEDIAN = "median"
    """A median is not added up."""
    KEYS = "keys"
    """No cells keep these dimensions together."""
    WINDOW = "window"
    """Retention over other windows than 12 months."""
    NOT_READY = "not_ready"
    """The buckets are being built, or wait for rows to be folded."""
    ANOTHER_DAY = "another_day"
    """Seen from a day for which open deals may belong to other teams than those in the buckets."""
    BOTH_SIDES = "both_sides"
    """Rows are left out that may belong to the numerator and to the denominator: they must be told once."""
    ELSEWHERE = "elsewhere"
    """The asker has rows of their own outside of the teams that they see."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Only cells whose key of `dimension` is as said; `name` is the parameter that tells which."""

    dimension: str
    how: How
    name: str


@dataclass(frozen=True, slots=True)
class Leg:
    """Cells of one shape."""

    shape: Shape
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Cells that together are what may be seen of what is asked, each row once; `elsewhere` must hold nothing."""

    legs: tuple[Leg, ...]
    elsewhere: Leg | None = None

    @property
    def weeks(self) -> bool:
        """Whether there are cells of weeks."""
        return all(leg.shape.weeks for leg in self.legs)


def filters_kept(filters: tuple[Filter, ...]) -> tuple[Kept, ...]:
    return tuple(Kept(each.dimension, _how(each), f"filter_{at}") for at, each in enumerate(filters))


def _how(asked: Filter) -> How:
    if asked.key is None:
        return "is_none"
    return "below" if asked.dimension == "team" else "is"


def values_of(ask: Ask) -> dict[str, Any]:
    """The parameters of a route: a team stands for itself and those below."""
    scope = ask.query.scope
    found: dict[str, Any] = {f"filter_{at}": each.key for at, each in enumerate(ask.query.filters)}
    if not scope.everything:
        found |= {"people": sorted(scope.people), "teams": sorted(scope.teams)}
    return found


def route(family: Family, ask: Ask, group_by: str | None) -> Route | Why:
    """How to get at what is asked of a family of rows, or why its cells cannot tell."""
    kept = filters_kept(ask.query.filters)
    dimensions = frozenset(_stored({each.dimension for each in kept} | ({group_by} if group_by else set())))
    scope = ask.query.scope
    if scope.everything or wholly_seen(scope, ask.narrowings):
        return _alone(family, dimensions, kept)
    by_team = Kept("team", "among", "teams")
    own = Kept("rep", "among", "people")
    if not scope.teams:
        return _alone(family, dimensions | {"rep"}, (*kept, own))
    teams = _shape(family.name, dimensions | {"team"})
    if teams is None:
        return Why.KEYS
    leg = Leg(teams, (*kept, by_team))
    if not scope.people:
        return Route((leg,))
    elsewhere = (own, Kept("team", "not_among", "teams"))
    reps = _shape(family.name, dimensions | {"team", "rep"})
    if reps is not None:
        return Route((leg, Leg(reps, (*kept, *elsewhere))))
    reps = _shape(family.name, frozenset({"team", "rep"}))
    return Why.KEYS if reps is None else Route((leg,), Leg(reps, elsewhere))


def _alone(family: Family, dimensions: frozenset[str], kept: tuple[Kept, ...]) -> Route | Why:
    shape = _shape(family.name, dimensions)
    return Why.KEYS if shape is None else Route((Leg(shape, kept),))


@lru_cache(maxsize=256)
def _shape(family: str, dimensions: frozenset[str]) -> Shape | None:
    return shape_for(FAMILIES[family].shapes, dimensions)


def _stored(dimensions: set[str]) -> Iterator[str]:
    """A region is that of the rep's office."""
    for dimension in dimensions:
        yield "rep" if dimension == "region" else dimension
