"""Sixty different charts, no two alike, as `vigie serve` draws them, beside a bare pyplot of the same picture.

`python -m tests.bench.charts` draws 200 in one process and prints its peak memory after 20 and after all of them.
"""

import random
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from io import BytesIO
from itertools import product

from bot.i18n import language
from bot.views.chart import picture
from kpi.charts.chart import Chart, Kind
from kpi.charts.draw import draw
from kpi.charts.pool import Pool
from kpi.period import Grain, Period, buckets
from kpi.query import Filter, Group, KpiQuery, KpiResult, Measured, Point, Unit
from kpi.scope import Scope
from tests.bench.harness import seconds
from tests.bench.ratios import Bench, Measure, Ratios

TODAY = date(2026, 11, 23)
YEAR = Period(date(2025, 12, 1), date(2026, 11, 24))
TEAMS = ("Paris", "Lyon", "Grands comptes Nord", "Ève & Associés", "Île-de-France", "Marseille")
KPIS = (
    ("win_rate", "closed", Unit.PERCENT),
    ("lead_conversion", "cohort", Unit.PERCENT),
    ("revenue_won", "sum", Unit.MONEY),
    ("average_deal", "mean", Unit.MONEY),
    ("sales_cycle", "mean", Unit.DAYS),
)
CHARTS = len(KPIS) * len(TEAMS) * 2
SOON, LATER = 20, 200
"""Charts after which the peak memory of a process is read."""
PROMISED = 0.3
"""Seconds in which nineteen charts of twenty are there."""


def charts(year: int = 0) -> list[Chart]:
    """Five KPIs of six teams in two languages: a year of months, or, of every third, its reps; never the same twice."""
    made = []
    for number, (spoken, (metric, reading, unit), team) in enumerate(product(("fr", "en"), KPIS, TEAMS)):
        chance = random.Random(f"{year} {number}")  # noqa: S311 - no secret
        filters = (Filter("team", team, team if not year else f"{team} {year}"),)
        by_rep = number % 3 == 2
        asked = KpiQuery(
            metric,
            reading,
            YEAR,
            Scope("made", everything=True),
            TODAY,
            filters=filters,
            grain=None if by_rep else Grain.MONTH,
            group_by="rep" if by_rep else None,
        )
        points = tuple(
            Point(each.start, each.end, each.end <= TODAY, _measured(unit, chance))
            for each in buckets(YEAR, Grain.MONTH)
        )
        groups = tuple(Group(str(rep), f"Rep {rep}", _measured(unit, chance)) for rep in range(8))
        result = KpiResult(
            asked,
            unit,
            "EUR",
            points[-1].measured,
            series=() if by_rep else points,
            groups=groups if by_rep else (),
            target=30 if unit is Unit.PERCENT else None,
        )
        chart = picture(result, language(spoken))
        if chart is None:
            raise AssertionError(result)
        made.append(chart)
    if len(set(made)) < CHARTS:
        raise AssertionError("two charts are the same")
    return made


def _measured(unit: Unit, chance: random.Random) -> Measured:
    if unit is not Unit.PERCENT:
        return Measured(
            Fraction(chance.randint(1_000_000, 30_000_000), 1 if unit is Unit.MONEY else 100_000), None, None
        )
    of = chance.randint(8, 90)
    won = chance.randint(0, of)
    rate = Fraction(100 * won, of)
    return Measured(rate, Fraction(won), Fraction(of), (max(0.0, rate - 12.0), min(100.0, rate + 12.0)), of < 12)


def bare(chart: Chart) -> bytes:
    """The same picture by pyplot as its manual has it: 1800 pixels wide, the same marks, texts, band and target."""
    import matplotlib.pyplot as plt

    shown, axes = plt.subplots(figsize=(12, 6.75 if chart.kind is Kind.LINE else 7.5), dpi=150)
    values = [mark.value or 0.0 for mark in chart.marks]
    places = list(range(len(values)))
    ends = [(mark.low, mark.high) for mark in chart.marks if mark.low is not None and mark.high is not None]
    if chart.kind is Kind.LINE:
        if ends:
            axes.fill_between(places, [low for low, _ in ends], [high for _, high in ends], color="#CCE3F0")
        axes.plot(places, values, color="#0072B2", lw=4, marker="o", ms=9)
        axes.set_xticks(places[1::2], [mark.label for mark in chart.marks][1::2])
        axes.set_yticks([tick.value for tick in chart.ticks], [tick.text for tick in chart.ticks])
        axes.grid(axis="y")
        axes.annotate(chart.marks[-1].short, (places[-1], values[-1]), xytext=(12, 0), textcoords="offset points")
    else:
        axes.barh(places, values, color="#0072B2")
        if ends:
            reach = [[value - low for value, (low, _) in zip(values, ends, strict=True)]]
            reach += [[high - value for value, (_, high) in zip(values, ends, strict=True)]]
            axes.errorbar(values, places, xerr=reach, fmt="none", ecolor="black", capsize=4)
        axes.set_yticks(places, [mark.label for mark in chart.marks])
        for place, value, mark in zip(places, values, chart.marks, strict=True):
            axes.annotate(mark.text, (value, place), xytext=(9, 0), textcoords="offset points", weight="bold")
        axes.invert_yaxis()
    if chart.target is not None:
        across = axes.axhline if chart.kind is Kind.LINE else axes.axvline
        across(chart.target.value, color="#B34700", ls="--", label=chart.target.text)
        axes.legend()
    axes.spines[["top", "right"]].set_visible(False)
    shown.suptitle(chart.title, weight="bold", fontsize=24)
    axes.set_title(chart.subtitle)
    for line, note in enumerate(chart.notes):
        shown.text(0.02, 0.02 + 0.03 * line, note)
    written = BytesIO()
    shown.savefig(written, format="png")
    plt.close(shown)
    return written.getvalue()


def bench() -> Iterator[Measure]:
    import matplotlib as mpl

    mpl.use("agg")
    pool, drawn = Pool(workers=1), charts()
    try:
        _warm = pool.render(drawn[0]), bare(drawn[0])
        pairs = []
        for number, chart in enumerate(charts(year=1)):
            both = [lambda: pool.render(chart), lambda: bare(chart)]  # noqa: B023 - called at once
            taken = [seconds(each) for each in (both if number % 2 else both[::-1])]
            pairs.append(tuple(taken if number % 2 else taken[::-1]))
    finally:
        pool.close()
    mine, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(ours / bare_ for ours, bare_ in pairs)
    yield Measure("chart_over_bare_savefig", _told(statistics.median(mine)), _told(statistics.median(theirs)), ratio)
    late = statistics.quantiles(mine, n=20)[-1]
    yield Measure("chart_p95_over_300_ms", _told(late), _told(PROMISED), late / PROMISED)
    command = [sys.executable, "-m", "tests.bench.charts"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    soon, later = (int(peak) for peak in told.stdout.split())
    yield Measure(
        "chart_memory_200_over_20",
        f"{later / 2**20:.0f} MB after {LATER}",
        f"{soon / 2**20:.0f} MB after {SOON}",
        later / soon,
    )


def _told(taken: float) -> str:
    return f"{taken * 1000:.0f} ms"


BENCH = Bench(
    (
        Ratios(
            ("chart_over_bare_savefig",),
            "A chart (median of 60: KPI x team x language, none drawn before) through the pool of processes, over a "
            "bare pyplot `savefig` of the same picture, 1800 pixels wide.",
            "letters are set more than once, more is drawn than the data, or the picture is encoded dearly.",
            most=0.6,
        ),
        Ratios(
            ("chart_p95_over_300_ms",),
            "The chart that only one in twenty of those takes longer than, over the 300 ms that are promised.",
            "drawing becomes dearer, or waits for something. A time, not a ratio of times: it is this machine's.",
            most=1.0,
        ),
        Ratios(
            ("chart_memory_200_over_20",),
            "Peak memory of a process that has drawn 200 different charts, over what it was after 20.",
            "something of each picture is kept.",
            most=1.1,
        ),
    ),
    bench,
)

if __name__ == "__main__":
    for drawn_, each_ in enumerate([each for year_ in range(4) for each in charts(year_)][:LATER], 1):
        draw(each_)
        if drawn_ in (SOON, LATER):
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
