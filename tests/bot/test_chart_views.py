"""Answers as pictures, as words, and as Slack's own charts, in both languages."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bot.i18n import language
from bot.playground.blocks_check import check_message_blocks
from bot.views.chart import alt_text, panel, panels, picture
from bot.views.native import forms, native
from kpi.charts.chart import Chart, Kind
from kpi.charts.draw import figure
from kpi.period import Grain, Period, buckets, rolling
from kpi.query import Filter, Group, KpiQuery, KpiResult, Measured, Point, Unit
from kpi.scope import Scope

FR, EN = language("fr"), language("en")
TODAY = date(2026, 11, 23)
YEAR = Period(date(2025, 12, 1), TODAY + timedelta(days=1))
QUARTER = Period(date(2017, 10, 1), date(2018, 1, 1), Grain.QUARTER)
NASTY = [
    "$\\frac{1$ <!channel>",
    "\u202eRTL\u202c שלום",
    "🚀 Rocket",
    "A" * 20_000,
    "Jean-Baptiste de la Tour d'Auvergne",
]


def query(metric: str, reading: str, period: Period, **more: object) -> KpiQuery:
    return KpiQuery(metric, reading, period, Scope("w", everything=True), TODAY, **more)  # type: ignore[arg-type]


def measured(value: int | None, of: int = 40) -> Measured:
    if value is None:
        return Measured(None, Fraction(0), Fraction(0))
    interval = (max(0.0, value - 12.0), min(100.0, value + 14.0))
    return Measured(Fraction(value), Fraction(value), Fraction(of), interval, of < 12)


def rates(values: list[int | None], **more: object) -> KpiResult:
    """A year of monthly win rates; the last month is not over."""
    points = tuple(
        Point(bucket.start, bucket.end, bucket.end <= TODAY, measured(value))
        for bucket, value in zip(buckets(YEAR, Grain.MONTH), values, strict=True)
    )
    asked = query("win_rate", "closed", YEAR, grain=Grain.MONTH, filters=(Filter("team", "t", "Paris"),))
    return KpiResult(asked, Unit.PERCENT, "EUR", measured(33), series=points, **more)  # type: ignore[arg-type]


def by_rep(groups: list[tuple[str | None, Measured]], unit: Unit = Unit.PERCENT, **more: object) -> KpiResult:
    asked = query("win_rate", "cohort", QUARTER, group_by="rep")
    found = tuple(Group(name, name, value) for name, value in groups)
    return KpiResult(asked, unit, "EUR", measured(33), groups=found, **more)  # type: ignore[arg-type]


GAPPED = rates([40, 40, 29, None, 33, 36, 46, 41, 42, 35, 28, 33], target=Decimal(30))
WHOLE = rates([40, 40, 29, 31, 33, 36, 46, 41, 42, 35, 28, 33], target=Decimal(30))
NASTY_REPS = by_rep(
    [*((name, measured(90 - 15 * index, 10 + index)) for index, name in enumerate(NASTY)), (None, measured(5))],
    target=Decimal(30),
)
MONEY = KpiResult(
    query("revenue_won", "sum", YEAR, grain=Grain.MONTH),
    Unit.MONEY,
    "EUR",
    Measured(Fraction(1), None, None),
    series=tuple(
        Point(
            bucket.start, bucket.end, bucket.end <= TODAY, Measured(Fraction(10_000_000 + 987_654 * index), None, None)
        )
        for index, bucket in enumerate(buckets(YEAR, Grain.MONTH))
    ),
    target=Decimal(150000),
)


def drawn(result: KpiResult, code: str) -> Chart:
    chart = picture(result, language(code))
    assert chart is not None
    return chart


def digest(code: str) -> Chart:
    speaks = language(code)
    parts = [panel(result, "+3,2 pts", speaks) for result in (WHOLE, MONEY, GAPPED)]
    return panels("Week 47", "12 weeks", parts, speaks)


def test_a_series_is_a_line_groups_are_bars_and_one_number_is_no_picture() -> None:
    assert drawn(GAPPED, "fr").kind is Kind.LINE
    assert drawn(NASTY_REPS, "fr").kind is Kind.BARS
    assert picture(KpiResult(query("win_rate", "closed", QUARTER), Unit.PERCENT, "EUR", measured(3)), FR) is None
    assert picture(rates([None] * 12), FR) is None
    assert picture(rates([40, *[None] * 11]), FR) is None
    assert picture(by_rep([("Eve", measured(None))]), FR) is None


def test_a_line_names_what_it_shows_and_what_it_is_narrowed_to() -> None:
    chart = drawn(GAPPED, "fr")
    assert chart.title.endswith("par mois")
    assert "Paris" in chart.subtitle
    assert chart.target is not None
    assert chart.target.text == "objectif 30\u202f%"
    assert [mark.value for mark in chart.marks][3] is None
    assert " ".join(chart.notes) == (
        "En tirets\u202f: incomplet (nov. 2026). Bande\u202f: intervalle à 95\u202f%. Trou\u202f: aucune donnée."
    )


def test_money_is_drawn_in_units_of_the_currency() -> None:
    chart = drawn(MONEY, "en")
    assert chart.marks[0].value == 100_000.0
    assert (chart.marks[0].text, chart.marks[0].short) == ("€100,000.00", "€100K")
    assert [tick.text for tick in chart.ticks] == ["€0", "€100K", "€200K", "€300K"]
    assert chart.target is not None
    assert (chart.target.value, chart.target.text) == (150_000.0, "target €150K")


def test_bars_keep_the_engines_order_and_say_their_n() -> None:
    chart = drawn(by_rep([("b", measured(50, 8)), (None, measured(20)), ("a", measured(None))]), "fr")
    assert [mark.label for mark in chart.marks] == ["b", "(aucun)", "a"]
    assert [mark.text for mark in chart.marks] == [
        "50,0\u202f% · n = 8",
        "20,0\u202f% · n = 40",
        "aucune donnée · n = 0",
    ]
    assert [(mark.few, mark.muted) for mark in chart.marks] == [(True, False), (False, True), (False, False)]


def test_the_sixteenth_bar_is_not_drawn_and_said_to_be_missing() -> None:
    groups = [(f"r{index}", measured(index)) for index in range(17, -1, -1)]
    chart = drawn(by_rep(groups), "en")
    assert [mark.label for mark in chart.marks] == [f"r{index}" for index in range(17, 2, -1)]
    assert chart.notes[0].startswith("+ 3 others, not drawn.")
    assert "+ 3 others, not drawn." in alt_text(chart, EN)


@pytest.mark.parametrize("code", ["fr", "en"])
@pytest.mark.parametrize(
    "make", [GAPPED, WHOLE, MONEY, NASTY_REPS, None], ids=["gap", "line", "money", "bars", "digest"]
)
def test_no_text_of_a_picture_lies_over_another_or_leaves_it(make: KpiResult | None, code: str) -> None:
    shown = figure(digest(code) if make is None else drawn(make, code))
    canvas = FigureCanvasAgg(shown)
    canvas.draw()  # type: ignore[no-untyped-call]
    width, height = canvas.get_width_height()
    texts = [text for text in shown.axes[0].texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for said, box in boxes:
        assert box.x0 >= 0, said
        assert box.y0 >= 0, said
        assert box.x1 <= width, said
        assert box.y1 <= height, said
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.overlaps(second), (one, other)


@pytest.mark.parametrize("code", ["fr", "en"])
def test_the_alt_text_says_every_value_of_a_line(code: str) -> None:
    chart = drawn(GAPPED, code)
    said = alt_text(chart, language(code))
    assert all(mark.text in said for mark in chart.marks)
    assert said.count("aucune donnée" if code == "fr" else "no data") >= 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=3000), max_size=15))
def test_the_alt_text_is_at_most_2000_characters_and_counts_what_it_leaves_out(names: list[str]) -> None:
    chart = picture(by_rep([("Eve", measured(50)), *((name, measured(5)) for name in names)]), FR)
    assert chart is not None
    assert len(alt_text(chart, FR)) <= 2000


def test_a_long_series_says_how_many_values_it_does_not_read_out() -> None:
    days = Period(date(2026, 1, 1), date(2026, 11, 1))
    points = tuple(Point(one.start, one.end, True, measured(30)) for one in buckets(days, Grain.DAY))
    result = KpiResult(
        query("win_rate", "closed", days, grain=Grain.DAY), Unit.PERCENT, "EUR", measured(3), series=points
    )
    chart = drawn(result, "fr")
    said = alt_text(chart, FR)
    read = said.count("30,0\u202f%")
    assert f"{len(points) - read} autres, non lus" in said
    assert len(said) <= 2000


def test_the_digest_reads_each_number_with_its_change_its_target_and_its_line() -> None:
    said = alt_text(digest("en"), EN)
    assert "Win rate: 33.0%, +3,2 pts, target 30%; Dec 2025: 40.0%; Jan 2026: 40.0%" in said


def test_slacks_own_chart_has_one_value_for_each_category_and_the_target_beside() -> None:
    block = native(drawn(WHOLE, "fr"), FR)
    assert block is not None
    labels = block["chart"]["axis_config"]["categories"]
    assert labels[-1] == "nov. 2026 …"
    assert block["chart"]["axis_config"]["y_label"] == "%"
    assert [series["name"] for series in block["chart"]["series"]][1] == "Objectif"
    for series in block["chart"]["series"]:
        assert [point["label"] for point in series["data"]] == labels
    assert block["chart"]["series"][0]["data"][0]["value"] == 40.0


def test_among_slacks_own_bars_the_target_is_no_bar() -> None:
    chart = picture(by_rep([("Ada", measured(30)), ("Bo", measured(40))]), EN)
    assert chart is not None
    block = native(chart, EN)
    assert block is not None
    assert len(block["chart"]["series"]) == 1


def test_slacks_own_chart_is_not_used_where_it_would_hide_a_gap() -> None:
    chart = drawn(GAPPED, "en")
    assert native(chart, EN) is None
    assert [form[0]["type"] for form in forms(chart, ("Month", "Win rate"), EN, total=12)] == ["data_table", "table"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=60) | st.sampled_from(NASTY), min_size=2, max_size=15))
def test_slacks_limits_hold_for_any_names(names: list[str]) -> None:
    chart = picture(by_rep([(name, measured(30)) for name in names]), FR)
    assert chart is not None
    block = native(chart, FR)
    assert block is not None
    labels = block["chart"]["axis_config"]["categories"]
    assert len(block["title"]) <= 50
    assert len(labels) == len(set(labels)) == len(names)
    assert all(0 < len(label) <= 20 for label in labels)


def test_more_points_than_slack_draws_become_a_table() -> None:
    weeks = rolling(Grain.WEEK, 21, date(2026, 11, 23))
    points = tuple(Point(one.start, one.end, True, measured(30)) for one in buckets(weeks, Grain.WEEK))
    result = KpiResult(
        query("win_rate", "closed", weeks, grain=Grain.WEEK), Unit.PERCENT, "EUR", measured(3), series=points
    )
    found = forms(drawn(result, "fr"), ("Semaine", "Taux"), FR, total=21)
    assert [[block["type"] for block in form] for form in found] == [["data_table"], ["table"]]
    assert len(found[0][0]["rows"]) == 22


def test_what_slacks_chart_cannot_show_is_said_under_it() -> None:
    groups = [("Eve", measured(50, 8)), ("Bob", measured(30)), ("Zoe", measured(20, 3))]
    chart = drawn(by_rep(groups), "fr")
    found = forms(chart, ("Commercial", "Taux"), FR, total=3)
    assert [form[0]["type"] for form in found] == ["data_visualization", "data_table", "table"]
    assert found[0][1]["elements"][0]["text"] == "Peu d'affaires\u202f: Eve, Zoe."
    assert found[1][0]["rows"][1][1]["text"] == "50,0\u202f% · n = 8 · peu d'affaires"


def test_the_rows_that_a_table_cannot_hold_are_counted() -> None:
    groups = [(f"{index:03}" + "x" * 117, measured(50)) for index in range(130)]
    chart = picture(by_rep(groups), EN, most=100)
    assert chart is not None
    found = forms(chart, ("Rep", "Win rate"), EN, total=130)
    assert [form[0]["type"] for form in found] == ["data_table", "table"]
    for table, note in found:
        assert len(table["rows"]) < 101
        assert note["elements"][0]["text"] == f"+ {130 - len(table['rows']) + 1} others, not shown."


def test_the_answer_for_the_period_before_becomes_the_light_line_as_far_as_it_reaches() -> None:
    shorter = KpiResult(WHOLE.query, Unit.PERCENT, "EUR", measured(30), series=WHOLE.series[:10])
    chart = picture(WHOLE, FR, before=shorter)
    assert chart is not None
    assert [mark.before for mark in chart.marks] == [*[mark.value for mark in chart.marks][:10], None, None]
    assert chart.before_label == "avant"
    block = native(chart, FR)
    assert block is not None
    assert len(block["chart"]["series"]) == 2


@pytest.mark.parametrize("code", ["fr", "en"])
@pytest.mark.parametrize("result", [WHOLE, GAPPED, MONEY, NASTY_REPS], ids=["line", "gap", "money", "bars"])
def test_slack_takes_every_form(result: KpiResult, code: str) -> None:
    found = forms(drawn(result, code), ("A", "B"), language(code), total=len(result.series or result.groups))
    assert found
    for form in found:
        assert check_message_blocks(form) == []
