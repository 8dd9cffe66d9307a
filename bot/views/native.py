"""Slack's own charts and tables of the values that a picture shows, for private answers, which can hold no file."""

from collections.abc import Sequence

from bot.blocks import Block, clean, data_table, table
from bot.i18n import Language
from kpi.charts.chart import Chart, Kind

TITLE = 50
CATEGORY = 20
POINTS = 20


def forms(chart: Chart, head: tuple[str, str], language: Language) -> list[Block]:
    """One block for each way to show the values, the richest first: Slack's chart, a table to sort, a plain table.

    `head` names the two columns of the tables: the bucket or group, and the number.
    """
    drawn = native(chart, language)
    return [*([drawn] if drawn is not None else []), *tables(chart, head)]


def native(chart: Chart, language: Language) -> Block | None:
    """Slack's chart, or None where Slack cannot draw it: a gap, a single point, more than 20 points, panels.

    Slack draws neither intervals nor hollow points; `chart.notes` and the table say what matters of them.
    """
    values = [mark.value for mark in chart.marks if mark.value is not None]
    if not 2 <= len(chart.marks) <= POINTS or len(values) < len(chart.marks):
        return None
    labels = _distinct([f"{mark.label}{'' if mark.complete else ' …'}" for mark in chart.marks])
    series = [(chart.title, values)]
    if chart.target is not None:
        series.append((language._("Target"), [chart.target.value] * len(values)))
    befores = [mark.before for mark in chart.marks if mark.before is not None]
    if chart.before_label and len(befores) == len(values):
        series.append((chart.before_label, befores))
    names = _distinct([name for name, _ in series])
    return {
        "type": "data_visualization",
        "title": clean(chart.title, TITLE),
        "chart": {
            "type": "line" if chart.kind is Kind.LINE else "bar",
            "series": [
                {
                    "name": name,
                    "data": [
                        {"label": label, "value": round(value, 2)} for label, value in zip(labels, points, strict=True)
                    ],
                }
                for name, (_, points) in zip(names, series, strict=True)
            ],
            "axis_config": {"categories": labels},
        },
    }


def tables(chart: Chart, head: tuple[str, str]) -> list[Block]:
    """The values as a table that can be sorted, and as a plain one; nothing where the chart has no marks."""
    if not chart.marks:
        return []
    sortable = [
        (mark.label, mark.text if mark.value is None else (round(mark.value, 4), mark.text)) for mark in chart.marks
    ]
    caption = " · ".join(part for part in (chart.title, chart.subtitle) if part)
    return [
        data_table(caption, head, sortable),
        table(head, [(mark.label, mark.text) for mark in chart.marks], numeric=(1,)),
    ]


def _distinct(names: Sequence[str]) -> list[str]:
    """Names cut to what Slack takes, still all different."""
    found: list[str] = []
    for name in names:
        short, number = clean(name, CATEGORY) or "…", 2
        while short in found:
            end = f" {number}"
            short, number = clean(name, CATEGORY - len(end)) + end, number + 1
        found.append(short)
    return found
