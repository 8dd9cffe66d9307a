"""From a `KpiQuery` to an `Ask`: what cannot be asked is refused, what may not be seen is refused or narrowed."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kpi.ask import Ask, Narrowing
from kpi.catalog import kpi
from kpi.declaration import Kpi, Reading
from kpi.query import Filter, KpiQuery
from kpi.refusals import NoSuchDimensionError, OutOfScopeError, UnknownMetricError
from kpi.scope import Scope
from kpi.standing import as_of
from storage import people
from storage.workspaces import read_workspace


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


def prepare(connection: Connection, query: KpiQuery, found: Kpi) -> Ask:
    """The question made ready for the database.

    Raises `OutOfScopeError` for a filter outside the asker's scope, and for a KPI of the whole workspace.
    """
    scope = query.scope
    if not scope.everything and not (scope.people or scope.teams):
        raise OutOfScopeError("nothing", query.metric)
    if not scope.everything and "rep" not in found.dimensions:
        raise OutOfScopeError("metric", query.metric)
    workspace = read_workspace(connection, scope.workspace_id)
    narrowings = tuple(_narrowing(connection, scope, each) for each in query.filters)
    fresh = as_of(connection, scope.workspace_id, found.metric)
    known_to = None if fresh is None else fresh.astimezone(workspace.zone).date()
    return Ask(query, workspace.currency, workspace.fiscal_start_month, narrowings, known_to)


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
            _narrowing(connection, scope, each)
    except OutOfScopeError:
        return False
    return True


def _narrowing(connection: Connection, scope: Scope, asked: Filter) -> Narrowing:
    if asked.dimension == "team" and asked.key is not None:
        keys: frozenset[str | None] = people.teams_below(connection, scope.workspace_id, frozenset({asked.key}))
    else:
        keys = frozenset({asked.key})
    if not scope.everything and asked.dimension in {"rep", "team"} and not _seen(connection, scope, asked, keys):
        raise OutOfScopeError(asked.dimension, asked.name)
    return Narrowing(asked.dimension, keys)


def _seen(connection: Connection, scope: Scope, asked: Filter, keys: frozenset[str | None]) -> bool:
    if asked.key is None:
        return False
    if asked.dimension == "team":
        return keys <= scope.teams
    return asked.key in scope.people or people.was_in_teams(connection, scope.workspace_id, asked.key, scope.teams)
