"""The KPIs of deals: how many are won, how fast, for how much, and what is still open."""

from decimal import Decimal

from kpi import measures as m
from kpi.declaration import DEAL, Kpi, Reading, Target, Window, Words, _
from kpi.formulas import Mean, Median, Rate, Stock, Total
from kpi.populations import WON_CYCLES
from kpi.query import Unit

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
            "taux de transfo",
            "transfo",
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
