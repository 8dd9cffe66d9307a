import re
from dataclasses import replace
from datetime import date

from kpi import period as periods
from kpi import plans
from kpi.buckets.gathered import Gathered
from kpi.buckets.lookup import Lookup
from kpi.narrowing import begun, declared
from kpi.period import Grain
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope
from storage.database import Tongue

TODAY = date(2026, 11, 19)
ASKED = KpiQuery(
    metric="win_rate",
    reading="closed",
    period=periods.last(Grain.MONTH, TODAY),
    scope=Scope("w1", everything=True),
    today=TODAY,
    comparison=Comparison.PREVIOUS,
    filters=(Filter("team", "t1", "t1"),),
)


def test_questions_about_the_same_cells_read_them_once() -> None:
    same = [
        ASKED,
        replace(ASKED, metric="revenue_won", reading="sum"),
        replace(ASKED, metric="average_deal", reading="mean"),
    ]
    assert len(_cells(*same)) == 1


def test_other_days_and_other_keys_are_other_cells() -> None:
    earlier = replace(ASKED, period=periods.last(Grain.QUARTER, TODAY))
    elsewhere = replace(ASKED, filters=(Filter("team", "t2", "t2"),))
    assert len(_cells(ASKED, earlier, elsewhere)) == 3


def test_each_question_is_given_its_own_sums_in_its_own_order() -> None:
    first, second = _lookup(ASKED), _lookup(replace(ASKED, metric="revenue_won", reading="sum"))
    both, alone = Gathered(_SPOKEN, [(0, first), (1, second)]), Gathered(_SPOKEN, [(1, second)])
    wide, own = _row(both), _row(alone)
    assert set(own) < set(wide)
    assert both.found(1, {name: [wide] for name in both.parts})["cells"] == [own]


def _row(gathered: Gathered) -> tuple[str, ...]:
    """A row in which each sum is the name of its column."""
    (text,) = (part.text for name, part in gathered.parts.items() if name.endswith(":cells"))
    return ("tag", "key", "name", "cells", *dict.fromkeys(re.findall(r"sum\(deal_bucket\.(\w+)\)", text)))


_SPOKEN = Tongue("sqlite")


def _lookup(query: KpiQuery) -> Lookup:
    found = plans.choose(begun(query), *declared(query))
    assert not isinstance(found, str)
    return found


def _cells(*queries: KpiQuery) -> list[str]:
    gathered = Gathered(_SPOKEN, enumerate(map(_lookup, queries)))
    return [name for name in gathered.parts if name.endswith(":cells")]
