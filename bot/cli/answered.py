"""An answer in a terminal: the headline, a table of the groups and of the series, then every further sentence."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.blocks import name
from bot.i18n import Language
from bot.views import sentences
from bot.views.chart import picture
from bot.views.question import BY, BY_GRAIN
from kpi import format as written
from kpi.charts.draw import draw
from kpi.labels import bucket_label
from kpi.period import Grain
from kpi.query import KpiResult
from storage.workspaces import Workspace

Row = tuple[str, ...]


def show_answer(console: Console, result: KpiResult, workspace: Workspace, language: Language) -> None:
    """Print the whole answer."""
    fiscal, query = workspace.fiscal_start_month, result.query
    console.print(Text(sentences.headline(result, language, fiscal), style="bold"))
    if query.group_by is not None and result.groups:
        console.print(_table(language._(BY[query.group_by]), list(_groups(result, language))))
    if query.grain is not None and result.series:
        console.print(_table(language._(BY_GRAIN[query.grain]), list(_points(result, language, fiscal))))
    for sentence in sentences.details(result, language, fiscal):
        console.print(Text(sentence))
    console.print(Text(sentences.as_of(result, workspace, language), style="dim"))


def _groups(result: KpiResult, language: Language) -> Iterator[Row]:
    for group in result.groups:
        before = None if group.previous is None else group.previous.value
        moved = written.change(group.measured.value, before, result.unit, result.currency, language.locale)
        value = sentences.value_text(group.measured, result, language)
        made_of = sentences.sample(group.measured, result, language)
        yield name(group.name, language._("(none)")), value, made_of, moved or ""


def _points(result: KpiResult, language: Language, fiscal_start_month: int) -> Iterator[Row]:
    for point in result.series:
        label = bucket_label(point.start, result.query.grain or Grain.DAY, language.locale, fiscal_start_month)
        shown = label if point.complete else language._("{bucket} (not whole)", bucket=label)
        value = sentences.value_text(point.measured, result, language)
        yield shown, value, sentences.sample(point.measured, result, language)


def _table(heading: str, rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column(Text(heading[:1].upper() + heading[1:]))
    for _ in rows[0][1:]:
        table.add_column(justify="right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def draw_chart(result: KpiResult, path: Path, language: Language, fiscal_start_month: int) -> str:
    """Draw the groups or the series into a PNG file, and say so; a single number has no picture, and that is said.

    Raises `OSError` when the file cannot be written.
    """
    chart = picture(result, language, fiscal_start_month)
    if chart is None:
        return language._("There is nothing to draw: ask for groups (“by team”) or a trend (“weekly”).")
    path.write_bytes(draw(chart))
    return language._("The picture is in {path}.", path=path)
