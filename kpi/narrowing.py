"""From a `KpiQuery` to an `Ask`: what cannot be asked is refused, what may not be seen is refused or narrowed."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kpi.ask import Ask, Narrowing
from kpi.catalog import kpi
from kpi.declaration import Kpi, Reading
from kpi.query import Filter, KpiQuery
from kpi.refusals import NoSuchDimensionError, OutOfScopeError, UnknownMetricError
from kpi.scope import Scope
from kpi.standing import Standing, Wanted, read_standing
from storage import people


def declared(query: KpiQuery) -> tuple[Kpi, Reading]:
    """The KPI and reading asked for. Raises `UnknownMetricError`, `NoSuchDimensionError`."""
    try:
        found = kpi(query.metric)
        reading = found.reading(query.reading)
    except KeyError:
        raise UnknownMetricError(metric=query.metric, reading=query.reading) from None
    asked = [query.group_by, *(each.dimension for each in query.filters)]
    for dimension in asked:
        if dimension is not None and dimension not in found.dimensions:
            raise NoSuchDimensionError(query.metric, dimension, found.dimensions)
    return found, reading


def checked(connection: Connection, query: KpiQuery, found: Kpi) -> None:
    """Asks the database only where an asker who does not see everything names a team or a rep.

    Raises `OutOfScopeError` for a filter outside the asker's scope, and for a KPI of the whole workspace.
    """
    scope = query.scope
    if scope.everything:
        return
    if not (scope.people or scope.teams):
        raise OutOfScopeError("nothing", query.metric)
    if "rep" not in found.dimensions:
        raise OutOfScopeError("metric", query.metric)
    for each in query.filters:
        _check(connection, scope, each)


def begun(query: KpiQuery) -> Ask:
    """A question whose days are known; of a team that it names, those below are not known yet."""
    return Ask(query, "", 1, tuple(Narrowing(each.dimension, frozenset({each.key})) for each in query.filters))


def made(query: KpiQuery, standing: Standing) -> Ask:
    """The question with all that it needs from what stands around it."""
    narrowings = tuple(Narrowing(each.dimension, _keys(standing, each)) for each in query.filters)
    known_to = standing.known_to(query.metric)
    return Ask(query, standing.currency, standing.fiscal_start_month, narrowings, known_to)


def teams_named(query: KpiQuery) -> tuple[str, ...]:
    return tuple(each.key for each in query.filters if each.dimension == "team" and each.key is not None)


def prepare(connection: Connection, query: KpiQuery, found: Kpi) -> Ask:
    """The question made ready for the database. Raises `OutOfScopeError` as `checked`."""
    checked(connection, query, found)
    wanted = Wanted(query.scope.workspace_id, (query.metric,), below=teams_named(query))
    return made(query, read_standing(connection, wanted))


def wholly_seen(scope: Scope, narrowings: tuple[Narrowing, ...]) -> bool:
    """Whether the asker sees every row that the question is about."""
    return scope.everything or any(
        (each.dimension == "rep" and each.keys <= scope.people)
        or (each.dimension == "team" and each.keys <= scope.teams)
        for each in narrowings
    )


def within(connection: Connection, scope: Scope, filters: Sequence[Filter]) -> bool:
    """Whether every rep and team that the filters name lies within the scope."""
    try:
        for each in filters:
            _check(connection, scope, each)
    except OutOfScopeError:
        return False
    return True


def _keys(standing: Standing, asked: Filter) -> frozenset[str | None]:
    """A team is itself and every team below it."""
    if asked.dimension != "team" or asked.key is None:
        return frozenset({asked.key})
    return frozenset(standing.below[asked.key])


def _check(connection: Connection, scope: Scope, asked: Filter) -> None:
    if scope.everything or asked.dimension not in {"rep", "team"}:
        return
    if asked.key is None or not _seen(connection, scope, asked.dimension, asked.key):
        raise OutOfScopeError(asked.dimension, asked.name)


def _seen(connection: Connection, scope: Scope, dimension: str, key: str) -> bool:
    if dimension == "team":
        return people.teams_below(connection, scope.workspace_id, frozenset({key})) <= scope.teams
    return key in scope.people or people.was_in_teams(connection, scope.workspace_id, key, scope.teams)
