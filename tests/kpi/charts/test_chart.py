"""A chart as a value: written to the outbox, read back, refused when it is too much."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.charts.chart import MOST_BARS, Chart, Kind, Level, Mark

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
MARKS = st.builds(
    Mark,
    label=TEXTS,
    value=st.none() | NUMBERS,
    text=TEXTS,
    low=st.none() | NUMBERS,
    few=st.booleans(),
    complete=st.booleans(),
)
LEVELS = st.builds(Level, value=NUMBERS, text=TEXTS)
SMALL = st.builds(Chart, kind=st.just(Kind.LINE), title=TEXTS, marks=st.lists(MARKS, max_size=4).map(tuple))
CHARTS = st.builds(
    Chart,
    kind=st.sampled_from(Kind),
    title=TEXTS,
    marks=st.lists(MARKS, max_size=MOST_BARS).map(tuple),
    ticks=st.lists(LEVELS, max_size=5).map(tuple),
    target=st.none() | LEVELS,
    notes=st.lists(TEXTS, max_size=3).map(tuple),
    panels=st.lists(SMALL, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(CHARTS)
def test_a_chart_survives_json_and_pickle(chart: Chart) -> None:
    assert Chart.from_json(chart.to_json()) == chart
    assert pickle.loads(pickle.dumps(chart)) == chart  # noqa: S301


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "pie", "title": ""}', '{"kind": "line"}'])
def test_what_is_no_chart_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Chart.from_json(text)
