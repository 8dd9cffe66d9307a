"""Slack's own charts and tables of the values that a picture shows, for private answers, which can hold no file."""

from collections.abc import Sequence

from bot.blocks import Block, clean, context, data_table, table
from bot.i18n import Language
from kpi.charts.chart import Chart, Kind, Mark

TITLE = 50
CATEGORY = 20
POINTS = 20


def forms(chart: Chart, head: tuple[str, str], language: Language, total: int) -> list[list[Block]]:
    """Each way to show the values, the richest first: Slack's chart, a table to sort, a plain table.

    What one cannot show is said in small print under it. `head` names the two columns of the tables: the bucket or
    group, and the number. `total` is how many values the answer has, of which the chart may hold the first only.
    """
    drawn = native(chart, language) if total == len(chart.marks) else None
    shown = [] if drawn is None else [[drawn, *_print(_unseen(chart, language))]]
    for block in tables(chart, head, language):
        left = total - (len(block["rows"]) - 1)
        more = [language.n("+ {count} other, not shown.", "+ {count} others, not shown.", left)] if left else []
        shown.append([block, *_print(more)])
    return shown


def native(chart: Chart, language: Language) -> Block | None:
    """Slack's chart, or None where Slack cannot draw it: a gap, a single point, more than 20 points, panels.

    Slack draws neither intervals nor hollow points: `forms` says what matters of them.
    """
    values = [mark.value for mark in chart.marks if mark.value is not None]
    if not 2 <= len(chart.marks) <= POINTS or len(values) < len(chart.marks):
        return None
    labels = _distinct([f"{mark.label}{'' if mark.complete else ' …'}" for mark in chart.marks])
    series = [(chart.title, values)]
    # Among bars it would be a second bar beside each; the sentence above says it.
    if chart.target is not None and chart.kind is Kind.LINE:
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
            "axis_config": {"categories": labels, **({"y_label": chart.unit} if chart.unit else {})},
        },
    }


def tables(chart: Chart, head: tuple[str, str], language: Language) -> list[Block]:
    """The values as a table that can be sorted, and as a plain one; nothing where the chart has no marks."""
    if not chart.marks:
        return []
    texts = [_cell(mark, language) for mark in chart.marks]
    sortable = [
        (mark.label, text if mark.value is None else (round(mark.value, 4), text))
        for mark, text in zip(chart.marks, texts, strict=True)
    ]
    caption = " · ".join(part for part in (chart.title, chart.subtitle) if part)
    plain = [(mark.label, text) for mark, text in zip(chart.marks, texts, strict=True)]
    return [data_table(caption, head, sortable), table(head, plain, numeric=(1,))]


def _cell(mark: Mark, language: Language) -> str:
    """The value with what a picture would say by a hollow or a dashed mark."""
    few = [language._("few deals")] if mark.few else []
    cut = [] if mark.complete else [language._("not complete")]
    return " · ".join([mark.text, *few, *cut])


def _unseen(chart: Chart, language: Language) -> list[str]:
    """What Slack's chart cannot show of its marks."""
    few = [clean(mark.label, CATEGORY) for mark in chart.marks if mark.few]
    cut = [clean(mark.label, CATEGORY) for mark in chart.marks if not mark.complete]
    said = [language._("Few deals: {names}.", names=", ".join(few))] if few else []
    return said + ([language._("Not complete: {names}.", names=", ".join(cut))] if cut else [])


def _print(sentences: Sequence[str]) -> list[Block]:
    return [context(" ".join(sentences))] if sentences else []


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
