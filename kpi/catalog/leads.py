"""The KPIs of leads: how many come, and how many become customers."""

from decimal import Decimal

from kpi import measures as m
from kpi.declaration import Kpi, Reading, Target, Window, Words, _
from kpi.formulas import Rate, Total
from kpi.query import Unit

LEAD = ("rep", "team", "segment", "source", "region")

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
