"""A question as the value of a button: compact, at most 2,000 characters, and trusted in nothing when it comes back.

It carries no scope: whoever clicks is given their own.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.blocks import BUTTON_VALUE, clean
from kpi.catalog import kpi
from kpi.period import Grain, Period
from kpi.query import DIMENSIONS, Comparison, Filter, KpiQuery
from kpi.scope import Scope

_NAME = 60


class StaleStateError(ValueError):
    """What came back with a click is no question that Vigie could have put there, or no longer one."""


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    d: str
    k: Annotated[str, Field(max_length=300)] | None
    n: Annotated[str, Field(max_length=_NAME)]


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    v: Literal[1] = 1
    m: str
    r: str
    a: date
    b: date
    u: Grain | None = None
    n: Grain | None = None
    c: Comparison | None = None
    g: str | None = None
    s: Grain | None = None
    f: Annotated[list[_Filter], Field(max_length=4)] = []
    k: AwareDatetime | None = None

    @model_validator(mode="after")
    def _known(self) -> "_State":
        declared = kpi(self.m)
        declared.reading(self.r)
        if self.b < self.a or (self.b - self.a).days > 40_000:
            raise ValueError("no such period")
        if self.g is not None and self.g not in DIMENSIONS:
            raise ValueError("no such dimension")
        if any(each.d not in DIMENSIONS for each in self.f):
            raise ValueError("no such dimension")
        return self


def encode(query: KpiQuery) -> str | None:
    """The question for a button's value; None when it does not fit, and the button is then left out."""
    try:
        filters = [_Filter(d=each.dimension, k=each.key, n=clean(each.name, _NAME)) for each in query.filters]
        state = _State(
            m=query.metric,
            r=query.reading,
            a=query.period.start,
            b=query.period.end,
            u=query.period.unit,
            n=query.period.span,
            c=query.comparison,
            g=query.group_by,
            s=query.grain,
            f=filters,
            k=query.as_known,
        )
    except ValidationError:
        return None
    text = state.model_dump_json(exclude_defaults=True)
    return text if len(text) <= BUTTON_VALUE else None


def decode(value: str, scope: Scope, today: date) -> KpiQuery:
    """The question of a clicked button, asked with the clicker's own scope. Raises `StaleStateError`."""
    try:
        state = _State.model_validate_json(value)
    except (ValidationError, KeyError) as error:
        raise StaleStateError(type(error).__name__) from None
    return KpiQuery(
        metric=state.m,
        reading=state.r,
        period=Period(state.a, state.b, state.u, state.n),
        scope=scope,
        today=today,
        comparison=state.c,
        group_by=state.g,
        grain=state.s,
        filters=tuple(Filter(each.d, each.k, each.n) for each in state.f),
        as_known=state.k,
    )
