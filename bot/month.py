"""My month at a glance, for the Home tab: the KPIs that a person lives by, with target and comparison."""

from datetime import date

from bot.blocks import Bold, Run, bullets, context
from bot.conversation import Block, Context
from bot.people import Viewer
from bot.views import sentences
from kpi.catalog import AVERAGE_DEAL, DEALS_CREATED, REVENUE_WON, WIN_RATE
from kpi.engine import answer
from kpi.period import Grain, this
from kpi.query import Filter, KpiQuery
from storage.database import reading

SHOWN = ((REVENUE_WON, "sum"), (DEALS_CREATED, "count"), (WIN_RATE, "closed"), (AVERAGE_DEAL, "mean"))


def month_blocks(viewer: Viewer, context_: Context) -> list[Block]:
    """The month to date of the viewer's own deals, or of everything for an admin who sells nothing."""
    language, fiscal = viewer.language, viewer.workspace.fiscal_start_month
    with reading(context_.engine) as connection:
        results = [answer(connection, _query(metric.metric, read, viewer, viewer.today)) for metric, read in SHOWN]
    lines: list[list[Run]] = []
    for result in results:
        moved = sentences.comparison(result, language, fiscal)
        lines.append([Bold(sentences.headline(result, language, fiscal)), *([" · ", moved] if moved else [])])
    return [bullets(lines), context(sentences.as_of(results[0], viewer.workspace, language))]


def _query(metric: str, read: str, viewer: Viewer, today: date) -> KpiQuery:
    mine = () if viewer.person_id is None else (Filter("rep", viewer.person_id, viewer.language._("me")),)
    return KpiQuery(metric, read, this(Grain.MONTH, today), viewer.scope, today, filters=mine)
