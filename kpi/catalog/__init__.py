"""Every KPI, declared once. Add one here and it can be asked, compared, grouped, charted, digested and watched."""

from kpi.catalog.customers import CAC, LTV, RETENTION, UPSELL_RATE
from kpi.catalog.deals import AVERAGE_DEAL, DEALS_CREATED, OPEN_PIPELINE, REVENUE_WON, SALES_CYCLE, WIN_RATE
from kpi.catalog.leads import LEAD_CONVERSION, LEADS
from kpi.declaration import Kpi

CATALOG: tuple[Kpi, ...] = (
    WIN_RATE,
    SALES_CYCLE,
    AVERAGE_DEAL,
    RETENTION,
    LEADS,
    LEAD_CONVERSION,
    UPSELL_RATE,
    CAC,
    LTV,
    REVENUE_WON,
    DEALS_CREATED,
    OPEN_PIPELINE,
)


def kpi(metric: str) -> Kpi:
    """The declaration of a metric; raises `KeyError` when there is none."""
    for declared in CATALOG:
        if declared.metric == metric:
            return declared
    raise KeyError(metric)
