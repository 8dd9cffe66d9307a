"""My month at a glance, for the Home tab: the KPIs that a person lives by, with target and comparison."""

from bot.blocks import Bold, Run, bullets, context
from bot.conversation import Block, Context
from bot.people import Viewer
from bot.views import sentences
from bot.views.notes import late
from bot.views.question import title
from kpi.catalog.deals import AVERAGE_DEAL, DEALS_CREATED, REVENUE_WON, WIN_RATE
from kpi.engine import answers
from kpi.labels import period_label
from kpi.period import Grain, this
from kpi.query import Filter, KpiQuery

SHOWN = ((REVENUE_WON, "sum"), (DEALS_CREATED, "count"), (WIN_RATE, "closed"), (AVERAGE_DEAL, "mean"))


def month_blocks(viewer: Viewer, context_: Context) -> list[Block]:
    """The month to date: a rep's own deals, or everything that a manager or an admin may see."""
    language, fiscal = viewer.language, viewer.workspace.fiscal_start_month
    _ = language._
    results = context_.ask(
        lambda connection: answers(connection, [_query(metric.metric, read, viewer) for metric, read in SHOWN])
    )
    lines: list[list[Run]] = []
    for result in results:
        value = sentences.value_text(result.measured, result, language)
        of = sentences.sample(result.measured, result, language)
        moved = sentences.comparison(result, language, fiscal)
        shown = f"{value} ({of})" if of else value
        lines.append([f"{title(result.query, language)}{_(': ')}", Bold(shown), *([" · ", moved] if moved else [])])
    period = period_label(results[0].query.period, language.locale, fiscal)
    whose = _("your deals") if _own(viewer) else _("all that you may see")
    fresh = sentences.as_of(results[0], viewer.workspace, language)
    older = late(results, language)
    return [context(f"{period} · {whose}"), bullets(lines), context(fresh, *([older] if older else []))]


def _own(viewer: Viewer) -> bool:
    return viewer.role == "rep" and viewer.person_id is not None


def _query(metric: str, read: str, viewer: Viewer) -> KpiQuery:
    mine = (Filter("rep", viewer.person_id, viewer.language._("me")),) if _own(viewer) else ()
    return KpiQuery(metric, read, this(Grain.MONTH, viewer.today), viewer.scope, viewer.today, filters=mine)
