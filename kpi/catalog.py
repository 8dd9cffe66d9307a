"""Every KPI, declared once. Add one here and it can be asked, compared, grouped, charted, digested and watched."""

from decimal import Decimal

from kpi import measures as m
from kpi.declaration import Kpi, Reading, Target, Window, Words
from kpi.formulas import Acquisition, Lifetime, Mean, Median, Rate, Retention, Stock, Total
from kpi.populations import WON_CYCLES
from kpi.query import Unit

DEAL = ("rep", "team", "customer", "segment", "source", "product", "pipeline", "region")
LEAD = ("rep", "team", "segment", "source", "region")
CUSTOMER = ("rep", "team", "segment", "source")


def _(message: str) -> str:
    """Marks an English text for the gettext catalogs; bot translates it."""
    return message


WIN_RATE = Kpi(
    metric="win_rate",
    name=_("Win rate"),
    description=_("Signed deals out of all opportunities."),
    words=Words(
        en=("win rate", "winning rate", "close rate", "closing rate", "conversion rate", "conversion"),
        fr=(
            "taux de transformation",
            "transformation",
            "taux de signature",
            "taux de réussite",
            "taux de gain",
            "taux de conversion",
            "conversion",
        ),
    ),
    readings=(
        Reading(
            key="cohort",
            name=_("by creation date"),
            description=_("Of the deals created in the period, the share won as of now."),
            unit=Unit.PERCENT,
            formula=Rate(m.CREATED_AND_WON, m.DEALS_CREATED, subset=True, told=(m.CREATED_STILL_OPEN,)),
            numerator=_("deals won"),
            denominator=_("deals created"),
            words=Words(
                en=("cohort", "by creation date", "created"), fr=("cohorte", "par date de création", "créées", "créés")
            ),
            beside=("closed",),
        ),
        Reading(
            key="closed",
            name=_("by closing date"),
            description=_("Of the deals won or lost in the period, the share won."),
            unit=Unit.PERCENT,
            formula=Rate(m.DECIDED_WON, m.DEALS_DECIDED, subset=True),
            numerator=_("deals won"),
            denominator=_("deals won or lost"),
            words=Words(
                en=("closed", "by closing date", "by close date"),
                fr=(
                    "clôturées",
                    "clôturés",
                    "clôturé",
                    "clôturée",
                    "closes",
                    "clos",
                    "close",
                    "fermées",
                    "fermés",
                    "par date de clôture",
                ),
            ),
        ),
        Reading(
            key="flow",
            name=_("won over created"),
            description=_("Deals won in the period over deals created in the period; it may pass 100 %."),
            unit=Unit.PERCENT,
            formula=Rate(m.DEALS_WON, m.DEALS_CREATED, subset=False),
            numerator=_("deals won in the period"),
            denominator=_("deals created in the period"),
            words=Words(
                en=("flow", "won over created", "literal"),
                fr=("flux", "signées sur créées", "gagnées sur créées", "littéral"),
            ),
        ),
    ),
    asked="cohort",
    judged="closed",
    dimensions=DEAL,
    recommended=(Target("closed", Decimal(30)), Target("cohort", Decimal(30))),
)

SALES_CYCLE = Kpi(
    metric="sales_cycle",
    name=_("Sales cycle"),
    description=_("Days from creation to signature, of the deals signed in the period."),
    words=Words(
        en=("sales cycle", "cycle", "cycle length", "sales cycle length", "time to close", "days to close"),
        fr=(
            "cycle de vente",
            "cycle",
            "durée de transformation",
            "durée moyenne de transformation",
            "délai de transformation",
            "temps moyen de transformation",
            "durée du cycle de vente",
            "délai de signature",
        ),
    ),
    readings=(
        Reading(
            key="mean",
            name=_("mean"),
            description=_("Mean number of days from creation to signature of the deals won in the period."),
            unit=Unit.DAYS,
            formula=Mean(m.WON_DAYS, m.WON_WITH_CYCLE),
            numerator=_("days in total"),
            denominator=_("deals won"),
            words=Words(en=("mean", "average"), fr=("moyenne", "moyen", "en moyenne")),
        ),
        Reading(
            key="median",
            name=_("median"),
            description=_("Median number of days from creation to signature of the deals won in the period."),
            unit=Unit.DAYS,
            formula=Median(WON_CYCLES),
            numerator=_("days"),
            words=Words(en=("median",), fr=("médiane", "médian")),
        ),
        Reading(
            key="all",
            name=_("won and lost"),
            description=_("Mean number of days from creation to closing of the deals won or lost in the period."),
            unit=Unit.DAYS,
            formula=Mean(m.ALL_DAYS, m.ALL_WITH_CYCLE),
            numerator=_("days in total"),
            denominator=_("deals won or lost"),
            words=Words(en=("won and lost", "all"), fr=("gagnées et perdues", "toutes", "tous")),
        ),
    ),
    asked="mean",
    judged="mean",
    dimensions=DEAL,
    higher_is_better=False,
)

AVERAGE_DEAL = Kpi(
    metric="average_deal",
    name=_("Average deal"),
    description=_("Won amount over the number of deals won, by closing date."),
    words=Words(
        en=(
            "average deal",
            "average deal size",
            "deal size",
            "average deal value",
            "average basket",
            "basket",
        ),
        fr=(
            "panier moyen",
            "panier",
            "affaire moyenne",
            "montant moyen",
            "montant moyen des opportunités gagnées",
            "vente moyenne",
        ),
    ),
    readings=(
        Reading(
            key="mean",
            name=_("mean"),
            description=_(
                "Won amount over the number of deals won in the period; deals without an amount are left out."
            ),
            unit=Unit.MONEY,
            formula=Mean(m.WON_AMOUNT, m.WON_WITH_AMOUNT),
            numerator=_("won amount"),
            denominator=_("deals won"),
        ),
    ),
    asked="mean",
    judged="mean",
    dimensions=DEAL,
)

RETENTION = Kpi(
    metric="retention",
    name=_("Retention"),
    description=_("Customers kept over the period."),
    words=Words(
        en=("retention", "retention rate", "customer retention", "customer retention rate"),
        fr=("taux de rétention", "rétention", "taux de rétention client", "rétention client", "fidélisation"),
    ),
    readings=(
        Reading(
            key="literal",
            name=_("literal"),
            description=_(
                "Customers at the end minus new customers, over customers at the start; it may pass 100 % when former "
                "customers come back."
            ),
            unit=Unit.PERCENT,
            formula=Retention(strict=False),
            numerator=_("customers at the end minus new ones"),
            denominator=_("customers at the start"),
            words=Words(en=("literal",), fr=("littéral", "littérale")),
        ),
        Reading(
            key="strict",
            name=_("strict"),
            description=_("Customers active at the start and still active at the end, over customers at the start."),
            unit=Unit.PERCENT,
            formula=Retention(strict=True),
            numerator=_("customers kept"),
            denominator=_("customers at the start"),
            words=Words(en=("strict",), fr=("strict", "stricte")),
        ),
    ),
    asked="literal",
    judged="literal",
    dimensions=CUSTOMER,
    recommended=(Target("literal", Decimal(80)), Target("strict", Decimal(80))),
    asked_window=Window.TWELVE_MONTHS,
    judged_window=Window.TWELVE_MONTHS,
)

LEADS = Kpi(
    metric="leads",
    name=_("Leads generated"),
    description=_("Qualified inbound leads, by qualification date."),
    words=Words(
        en=(
            "leads",
            "leads generated",
            "generated leads",
            "new leads",
            "qualified leads",
            "number of leads",
            "lead count",
        ),
        fr=(
            "leads",
            "leads générés",
            "nouveaux leads",
            "leads qualifiés",
            "nombre de leads",
            "nombre de leads générés",
            "prospects",
            "prospects qualifiés",
            "nouveaux prospects",
            "pistes",
        ),
    ),
    readings=(
        Reading(
            key="count",
            name=_("count"),
            description=_("Qualified inbound leads of the period, by qualification date (creation date without one)."),
            unit=Unit.COUNT,
            formula=Total(m.LEADS),
            numerator=_("leads"),
        ),
    ),
    asked="count",
    judged="count",
    dimensions=LEAD,
)

LEAD_CONVERSION = Kpi(
    metric="lead_conversion",
    name=_("Lead conversion"),
    description=_("Leads that became customers."),
    words=Words(
        en=(
            "lead conversion",
            "leads conversion",
            "lead conversion rate",
            "conversion of leads",
            "conversion rate of leads",
            "conversion rate",
            "conversion",
        ),
        fr=(
            "conversion des leads",
            "taux de conversion des leads",
            "conversion des prospects",
            "taux de conversion des prospects",
            "leads convertis",
            "transformation des leads",
            "taux de transformation des leads",
            "taux de conversion",
            "conversion",
        ),
    ),
    readings=(
        Reading(
            key="cohort",
            name=_("by lead date"),
            description=_("Of the leads of the period, the share converted as of now."),
            unit=Unit.PERCENT,
            formula=Rate(m.LEADS_CONVERTED, m.LEADS, subset=True, told=(m.LEADS_NOT_CONVERTED, m.LEADS_BY_FLAG)),
            numerator=_("leads converted"),
            denominator=_("leads"),
            words=Words(en=("cohort", "by lead date", "created"), fr=("cohorte", "par date du lead", "créés")),
        ),
        Reading(
            key="flow",
            name=_("converted over generated"),
            description=_("Leads converted in the period over leads of the period; it may pass 100 %."),
            unit=Unit.PERCENT,
            formula=Rate(m.CONVERSIONS, m.LEADS, subset=False, told=(m.CONVERSIONS_BY_FLAG,)),
            numerator=_("leads converted in the period"),
            denominator=_("leads of the period"),
            words=Words(en=("flow", "converted over generated"), fr=("flux", "convertis sur générés")),
        ),
    ),
    asked="cohort",
    judged="cohort",
    dimensions=LEAD,
    recommended=(
        Target("cohort", Decimal(20), segment="B2B"),
        Target("cohort", Decimal(30), segment="B2C"),
    ),
    judged_window=Window.MATURED_28_DAYS,
)

UPSELL_RATE = Kpi(
    metric="upsell_rate",
    name=_("Upsell and cross-sell rate"),
    description=_("Additional sales to existing customers out of all sales."),
    words=Words(
        en=(
            "upsell",
            "upsell rate",
            "upselling",
            "cross-sell",
            "cross-selling",
            "cross-sell rate",
            "upsell and cross-sell",
            "upsell and cross-sell rate",
            "additional sales",
        ),
        fr=(
            "upsell",
            "upselling",
            "cross-sell",
            "cross-selling",
            "taux d'upsell",
            "taux d'upselling",
            "taux d'upsell et de cross-sell",
            "taux d'upselling et de cross-selling",
            "vente additionnelle",
            "ventes additionnelles",
            "taux de vente additionnelle",
            "ventes complémentaires",
            "montée en gamme",
        ),
    ),
    readings=(
        Reading(
            key="count",
            name=_("by count"),
            description=_("Additional sales over sales of the period, by closing date."),
            unit=Unit.PERCENT,
            formula=Rate(
                m.SALES_ADDITIONAL,
                m.SALES,
                subset=True,
                told=(m.SALES_UPSELL, m.SALES_CROSS_SELL, m.SALES_OF_UNKNOWN_KIND),
            ),
            numerator=_("additional sales"),
            denominator=_("sales"),
            words=Words(en=("by count", "by number"), fr=("en nombre", "par nombre")),
            beside=("revenue",),
        ),
        Reading(
            key="revenue",
            name=_("by revenue"),
            description=_("Amount of the additional sales over the amount of all sales of the period."),
            unit=Unit.PERCENT,
            formula=Rate(m.ADDITIONAL_AMOUNT, m.SALES_AMOUNT, subset=False, sample=m.SALES_WITH_AMOUNT),
            numerator=_("amount of additional sales"),
            denominator=_("amount of sales"),
            words=Words(
                en=("by revenue", "revenue", "by amount"),
                fr=("en chiffre d'affaires", "en CA", "par chiffre d'affaires", "en montant"),
            ),
        ),
    ),
    asked="count",
    judged="revenue",
    dimensions=DEAL,
    recommended=(Target("revenue", Decimal(10), Decimal(30)),),
)

CAC = Kpi(
    metric="cac",
    name=_("Customer acquisition cost"),
    description=_("Marketing and sales spend over the number of new customers."),
    words=Words(
        en=("CAC", "acquisition cost", "customer acquisition cost", "cost of acquisition"),
        fr=("CAC", "coût d'acquisition", "coût d'acquisition client", "coût d'acquisition d'un client"),
    ),
    readings=(
        Reading(
            key="mean",
            name=_("mean"),
            description=_(
                "Spend of the period, spread over its days, over the customers who bought for the first time."
            ),
            unit=Unit.MONEY,
            formula=Acquisition(),
            numerator=_("spend"),
            denominator=_("new customers"),
        ),
    ),
    asked="mean",
    judged="mean",
    dimensions=("source",),
    higher_is_better=False,
)

LTV = Kpi(
    metric="ltv",
    name=_("Customer lifetime value"),
    description=_("Average basket x purchase frequency x retention duration."),
    words=Words(
        en=("LTV", "CLV", "lifetime value", "customer lifetime value"),
        fr=("LTV", "valeur vie client", "valeur vie", "valeur à vie", "valeur à vie du client"),
    ),
    readings=(
        Reading(
            key="mean",
            name=_("mean"),
            description=_(
                "Mean won amount x purchases per buyer over the 12 months to the end of the period, over 1 minus the "
                "strict retention of those 12 months."
            ),
            unit=Unit.MONEY,
            formula=Lifetime(),
            numerator=_("yearly amount per buyer"),
            denominator=_("share of customers lost in a year"),
        ),
    ),
    asked="mean",
    judged="mean",
    dimensions=CUSTOMER,
    asked_window=Window.TWELVE_MONTHS,
    judged_window=Window.TWELVE_MONTHS,
)

REVENUE_WON = Kpi(
    metric="revenue_won",
    name=_("Revenue won"),
    description=_("Amount of the deals won, by closing date."),
    words=Words(
        en=("revenue", "revenue won", "won revenue", "sales", "sales revenue", "won amount", "turnover"),
        fr=(
            "chiffre d'affaires",
            "CA",
            "CA signé",
            "CA gagné",
            "chiffre d'affaires signé",
            "chiffre d'affaires gagné",
            "montant gagné",
            "montant signé",
            "revenu",
            "revenus",
            "ventes",
        ),
    ),
    readings=(
        Reading(
            key="sum",
            name=_("sum"),
            description=_("Amount of the deals won in the period, by closing date."),
            unit=Unit.MONEY,
            formula=Total(m.WON_AMOUNT),
            numerator=_("won amount"),
        ),
    ),
    asked="sum",
    judged="sum",
    dimensions=DEAL,
)

DEALS_CREATED = Kpi(
    metric="deals_created",
    name=_("Deals created"),
    description=_("Deals created in the period."),
    words=Words(
        en=(
            "deals created",
            "created deals",
            "new deals",
            "deals",
            "opportunities",
            "opportunities created",
            "new opportunities",
            "number of deals",
        ),
        fr=(
            "affaires créées",
            "nouvelles affaires",
            "affaires",
            "opportunités",
            "opportunités créées",
            "nouvelles opportunités",
            "nombre d'affaires",
            "nombre d'opportunités",
        ),
    ),
    readings=(
        Reading(
            key="count",
            name=_("count"),
            description=_("Deals created in the period, whatever became of them."),
            unit=Unit.COUNT,
            formula=Total(m.DEALS_CREATED),
            numerator=_("deals created"),
        ),
    ),
    asked="count",
    judged="count",
    dimensions=DEAL,
)

OPEN_PIPELINE = Kpi(
    metric="open_pipeline",
    name=_("Open pipeline"),
    description=_("Amount of the deals still open at the end of the period."),
    words=Words(
        en=("open pipeline", "pipeline", "pipeline value", "open deals", "open opportunities"),
        fr=(
            "pipeline ouvert",
            "pipeline",
            "affaires ouvertes",
            "affaires en cours",
            "opportunités en cours",
            "opportunités ouvertes",
            "portefeuille",
            "portefeuille ouvert",
        ),
    ),
    readings=(
        Reading(
            key="sum",
            name=_("sum"),
            description=_("Amount of the deals open at the end of the last day of the period."),
            unit=Unit.MONEY,
            formula=Stock("amount"),
            numerator=_("open amount"),
            words=Words(en=("sum", "amount"), fr=("somme", "montant", "en montant")),
            beside=("count",),
        ),
        Reading(
            key="count",
            name=_("count"),
            description=_("Number of deals open at the end of the last day of the period."),
            unit=Unit.COUNT,
            formula=Stock("count"),
            numerator=_("open deals"),
            words=Words(en=("count", "number"), fr=("nombre", "en nombre")),
        ),
    ),
    asked="sum",
    judged="sum",
    dimensions=(*DEAL, "stage"),
    judged_window=Window.TODAY,
)

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
