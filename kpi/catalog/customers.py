"""The KPIs of customers: how many stay, buy again, what each costs and brings."""

from decimal import Decimal

from kpi import measures as m
from kpi.declaration import DEAL, Kpi, Reading, Target, Window, Words, _
from kpi.formulas import Acquisition, Lifetime, Rate, Retention
from kpi.query import Unit

CUSTOMER = ("rep", "team", "segment", "source")

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
                told=(m.SALES_UPSELL, m.SALES_CROSS_SELL, m.SALES_OF_UNKNOWN_KIND, m.SALES_UNCONVERTED),
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
    description=_("Average basket × purchase frequency × retention duration."),
    words=Words(
        en=("LTV", "CLV", "lifetime value", "customer lifetime value"),
        fr=("LTV", "valeur vie client", "valeur vie", "valeur à vie", "valeur à vie du client"),
    ),
    readings=(
        Reading(
            key="mean",
            name=_("mean"),
            description=_(
                "Mean won amount × purchases per buyer over the 12 months to the end of the period, over 1 minus the "
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
