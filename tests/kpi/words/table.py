"""Questions with exactly what they mean, in each language, asked on Monday 23 November 2026."""

from dataclasses import dataclass, field
from datetime import date

from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope

TODAY = date(2026, 11, 23)
LAST_YEAR = Comparison.LAST_YEAR

PARIS = Filter("team", "t:paris", "Paris")
LYON = Filter("team", "t:lyon", "Équipe Lyon")
EAST = Filter("team", "t:east", "East Coast")
ANAIS = Filter("rep", "r:anais", "Anaïs Lefèvre")
DUPONT = Filter("rep", "r:jean-d", "Jean Dupont")
MARY = Filter("rep", "r:mary", "Mary O'Neil")
APRIL = Filter("rep", "r:april", "April Stone")
SALON = Filter("source", "Salon", "Salon")
WEB = Filter("source", "Site web", "Site web")
B2B = Filter("segment", "B2B", "B2B")
GTX = Filter("product", "p:gtx", "GTX Pro")
PACK = Filter("product", "p:pack", "Pack & Go")
NEW = Filter("pipeline", "l:new", "Nouveaux comptes")
IDF = Filter("region", "Île-de-France", "Île-de-France")
NEGO = Filter("stage", "s:nego", "Négociation")
ISDOM = Filter("customer", "c:isdom", "Isdom")
ACME = Filter("customer", "c:acme", "Acme Corporation")
NO_SOURCE = Filter("source", None, "(none)")


def days(start: str, end: str, unit: str | None = None, span: str | None = None) -> Period:
    """`end` is the first day after the period."""
    return Period(
        date.fromisoformat(start),
        date.fromisoformat(end),
        None if unit is None else Grain(unit),
        None if span is None else Grain(span),
    )


THIS_WEEK = days("2026-11-23", "2026-11-24", "week")
THIS_MONTH = days("2026-11-01", "2026-11-24", "month")
THIS_QUARTER = days("2026-10-01", "2026-11-24", "quarter")
THIS_YEAR = days("2026-01-01", "2026-11-24", "year")
LAST_WEEK = days("2026-11-16", "2026-11-23", "week")
LAST_MONTH = days("2026-10-01", "2026-11-01", "month")
LAST_QUARTER = days("2026-07-01", "2026-10-01", "quarter")
THE_YEAR_BEFORE = days("2025-01-01", "2026-01-01", "year")
TWELVE_MONTHS = days("2025-11-01", "2026-11-01", None, "month")
TWELVE_TO_YESTERDAY = days("2025-11-23", "2026-11-23", None, "month")
Q4_2017 = days("2017-10-01", "2018-01-01", "quarter")
JUNE_2017 = days("2017-06-01", "2017-07-01", "month")
DECEMBER_2017 = days("2017-12-01", "2018-01-01", "month")
YEAR_2017 = days("2017-01-01", "2018-01-01", "year")


@dataclass(frozen=True)
class Meant:
    """What a question means; the reading is the one of a plain question unless said."""

    metric: str
    period: Period = THIS_MONTH
    reading: str = ""
    by: str | None = None
    grain: str | None = None
    filters: tuple[Filter, ...] = field(default=())
    comparison: Comparison | None = Comparison.PREVIOUS

    @property
    def query(self) -> KpiQuery:
        plain = {
            "win_rate": "cohort", "sales_cycle": "mean", "average_deal": "mean", "retention": "literal",
            "leads": "count", "lead_conversion": "cohort", "upsell_rate": "count", "cac": "mean", "ltv": "mean",
            "revenue_won": "sum", "deals_created": "count", "open_pipeline": "sum",
        }  # fmt: skip
        return KpiQuery(
            metric=self.metric,
            reading=self.reading or plain[self.metric],
            period=self.period,
            scope=Scope("w", everything=True),
            today=TODAY,
            comparison=self.comparison,
            group_by=self.by,
            grain=None if self.grain is None else Grain(self.grain),
            filters=self.filters,
        )


ENGLISH: dict[str, Meant] = {
    # KPIs and their readings
    "win rate": Meant("win_rate"),
    "Win Rate?": Meant("win_rate"),
    "what is our win rate": Meant("win_rate"),
    "win rate closed": Meant("win_rate", reading="closed"),
    "closed win rate by closing date": Meant("win_rate", reading="closed"),
    "win rate cohort 2017": Meant("win_rate", YEAR_2017, "cohort"),
    "flow win rate 2017-Q4": Meant("win_rate", Q4_2017, "flow"),
    "win rate won over created in Q4 2017": Meant("win_rate", Q4_2017, "flow"),
    "sales cycle": Meant("sales_cycle"),
    "median sales cycle 2017-06": Meant("sales_cycle", JUNE_2017, "median"),
    "average sales cycle last quarter": Meant("sales_cycle", LAST_QUARTER),
    "sales cycle won and lost": Meant("sales_cycle", reading="all"),
    "time to close by rep": Meant("sales_cycle", by="rep"),
    "average deal": Meant("average_deal"),
    "average deal size per product last year": Meant("average_deal", THE_YEAR_BEFORE, by="product"),
    "retention": Meant("retention", TWELVE_TO_YESTERDAY),
    "strict customer retention rate": Meant("retention", TWELVE_TO_YESTERDAY, "strict"),
    "retention last 12 months strict": Meant("retention", TWELVE_MONTHS, "strict"),
    "leads": Meant("leads"),
    "new leads this week": Meant("leads", THIS_WEEK),
    "number of leads by source": Meant("leads", by="source"),
    "lead conversion rate": Meant("lead_conversion"),
    "conversion of leads flow": Meant("lead_conversion", reading="flow"),
    "upsell and cross-sell rate": Meant("upsell_rate"),
    "upsell by revenue 2017": Meant("upsell_rate", YEAR_2017, "revenue"),
    "upsell revenue": Meant("upsell_rate", reading="revenue"),
    "CAC": Meant("cac"),
    "customer acquisition cost this quarter by source": Meant("cac", THIS_QUARTER, by="source"),
    "customer lifetime value": Meant("ltv", TWELVE_TO_YESTERDAY),
    "LTV 2017": Meant("ltv", YEAR_2017),
    "revenue": Meant("revenue_won"),
    "how much revenue have we won this year?": Meant("revenue_won", THIS_YEAR),
    "deals created yesterday": Meant("deals_created", days("2026-11-22", "2026-11-23", "day")),
    "open pipeline by stage": Meant("open_pipeline", by="stage"),
    "open pipeline count": Meant("open_pipeline", reading="count"),
    # periods
    "win rate today": Meant("win_rate", days("2026-11-23", "2026-11-24", "day")),
    "win rate last week": Meant("win_rate", LAST_WEEK),
    "win rate previous month": Meant("win_rate", LAST_MONTH),
    "win rate for the current quarter": Meant("win_rate", THIS_QUARTER),
    "win rate in December 2017": Meant("win_rate", DECEMBER_2017),
    "win rate 2017-12": Meant("win_rate", DECEMBER_2017),
    "win rate 12/2017": Meant("win_rate", DECEMBER_2017),
    "win rate december": Meant("win_rate", days("2025-12-01", "2026-01-01", "month")),
    "win rate november": Meant("win_rate", THIS_MONTH),
    "win rate Q4": Meant("win_rate", THIS_QUARTER),
    "win rate fourth quarter of 2017": Meant("win_rate", Q4_2017),
    "win rate 2017 Q4": Meant("win_rate", Q4_2017),
    "win rate week 34": Meant("win_rate", days("2026-08-17", "2026-08-24", "week")),
    "win rate week 34 of 2017": Meant("win_rate", days("2017-08-21", "2017-08-28", "week")),
    "win rate 2017-W34": Meant("win_rate", days("2017-08-21", "2017-08-28", "week")),
    "win rate week 50": Meant("win_rate", days("2025-12-08", "2025-12-15", "week")),
    "win rate last 30 days": Meant("win_rate", days("2026-10-24", "2026-11-23", None, "day")),
    "win rate past 4 weeks": Meant("win_rate", days("2026-10-26", "2026-11-23", None, "week")),
    "win rate last two quarters": Meant("win_rate", days("2026-04-01", "2026-10-01", None, "quarter")),
    "win rate rolling 28 days": Meant("win_rate", days("2026-10-26", "2026-11-23", None, "day")),
    "win rate since January": Meant("win_rate", days("2026-01-01", "2026-11-24")),
    "win rate since March 3rd, 2017": Meant("win_rate", days("2017-03-03", "2026-11-24")),
    "win rate from 3 March to 15 April": Meant("win_rate", days("2026-03-03", "2026-04-16")),
    "win rate from 2017-03-03 to 2017-04-15": Meant("win_rate", days("2017-03-03", "2017-04-16")),
    "win rate between 03/03/2017 and 15/04/2017": Meant("win_rate", days("2017-03-03", "2017-04-16")),
    "win rate from Q1 to Q3 2017": Meant("win_rate", days("2017-01-01", "2017-10-01")),
    "win rate 2 months ago by team": Meant("win_rate", days("2026-09-01", "2026-10-01", "month"), by="team"),
    "win rate three weeks ago": Meant("win_rate", days("2026-11-02", "2026-11-09", "week")),
    "win rate month to date": Meant("win_rate", THIS_MONTH),
    "win rate QTD": Meant("win_rate", THIS_QUARTER),
    "year to date win rate": Meant("win_rate", THIS_YEAR),
    # comparisons, groups, grains
    "win rate vs last year": Meant("win_rate", comparison=LAST_YEAR),
    "win rate last month compared to the same period last year": Meant("win_rate", LAST_MONTH, comparison=LAST_YEAR),
    "win rate vs previous": Meant("win_rate"),
    "win rate this month vs last month": Meant("win_rate"),
    "win rate 2017 vs 2016": Meant("win_rate", YEAR_2017),
    "win rate without comparison": Meant("win_rate", comparison=None),
    "revenue year over year by region": Meant("revenue_won", by="region", comparison=LAST_YEAR),
    "win rate 2017 monthly": Meant("win_rate", YEAR_2017, grain="month"),
    "leads by week last quarter": Meant("leads", LAST_QUARTER, grain="week"),
    "revenue quarterly by team 2017": Meant("revenue_won", YEAR_2017, by="team", grain="quarter"),
    "win rate trend 2017": Meant("win_rate", YEAR_2017, grain="month"),
    # names
    "win rate closed last month for Paris vs last year weekly": Meant(
        "win_rate", LAST_MONTH, "closed", grain="week", filters=(PARIS,), comparison=LAST_YEAR
    ),
    "win rate for the East Coast team": Meant("win_rate", filters=(EAST,)),
    "win rate team Lyon": Meant("win_rate", filters=(LYON,)),
    "leads from source Salon B2B": Meant("leads", filters=(B2B, SALON)),
    "revenue Mary": Meant("revenue_won", filters=(MARY,)),
    "revenue for Mary O’Neil": Meant("revenue_won", filters=(MARY,)),
    "revenue rep april": Meant("revenue_won", filters=(APRIL,)),
    "revenue april 2017": Meant("revenue_won", days("2017-04-01", "2017-05-01", "month")),
    "my win rate": Meant("win_rate", filters=(ANAIS,)),
    "show me the win rate": Meant("win_rate"),
    "how many leads did we get": Meant("leads"),
    "win rate me": Meant("win_rate", filters=(ANAIS,)),
    "show me the win rate for me": Meant("win_rate", filters=(ANAIS,)),
    "win rate of my team": Meant("win_rate", filters=(LYON,)),
    "revenue Isdom": Meant("revenue_won", filters=(ISDOM,)),
    "revenue customer Acme": Meant("revenue_won", filters=(ACME,)),
    "revenue GTX Pro": Meant("revenue_won", filters=(GTX,)),
    "revenue “Pack & Go”": Meant("revenue_won", filters=(PACK,)),
    "leads without source": Meant("leads", filters=(NO_SOURCE,)),
    "win rate dupont@example.org": Meant("win_rate", filters=(DUPONT,)),
    "open pipeline stage Négociation": Meant("open_pipeline", filters=(NEGO,)),
    "win rate 2017-Q4 by team": Meant("win_rate", Q4_2017, by="team"),
}

FRENCH: dict[str, Meant] = {
    # indicateurs et lectures
    "taux de transformation": Meant("win_rate"),
    "Quel est notre taux de transformation ?": Meant("win_rate"),
    "TAUX DE TRANSFORMATION PAR EQUIPE": Meant("win_rate", by="team"),
    "taux de transformation clôturées": Meant("win_rate", reading="closed"),
    "taux de transformation par date de clôture": Meant("win_rate", reading="closed"),
    "taux de transformation cohorte 2017": Meant("win_rate", YEAR_2017, "cohort"),
    "taux de transformation flux T4 2017": Meant("win_rate", Q4_2017, "flow"),
    "taux de transformation gagnées sur créées": Meant("win_rate", reading="flow"),
    "taux de transformation trimestre dernier par commercial": Meant("win_rate", LAST_QUARTER, by="rep"),
    "cycle de vente": Meant("sales_cycle"),
    "durée moyenne de transformation": Meant("sales_cycle"),
    "cycle median 2017-06": Meant("sales_cycle", JUNE_2017, "median"),
    "cycle médian juin 2017": Meant("sales_cycle", JUNE_2017, "median"),
    "cycle gagnées et perdues": Meant("sales_cycle", reading="all"),
    "panier moyen T4 2017": Meant("average_deal", Q4_2017),
    "montant moyen des opportunités gagnées": Meant("average_deal"),
    "taux de rétention client": Meant("retention", TWELVE_TO_YESTERDAY),
    "retention 12 derniers mois strict": Meant("retention", TWELVE_MONTHS, "strict"),
    "rétention stricte 2017": Meant("retention", YEAR_2017, "strict"),
    "leads générés cette semaine": Meant("leads", THIS_WEEK),
    "nombre de leads par source": Meant("leads", by="source"),
    "combien de nouveaux prospects aujourd'hui ?": Meant("leads", days("2026-11-23", "2026-11-24", "day")),
    "conversion des leads par source depuis le 1er janvier": Meant(
        "lead_conversion", days("2026-01-01", "2026-11-24"), by="source"
    ),
    "taux de conversion des leads": Meant("lead_conversion"),
    "taux d'upselling et de cross-selling": Meant("upsell_rate"),
    "ventes additionnelles en chiffre d'affaires": Meant("upsell_rate", reading="revenue"),
    "taux d’upsell en CA": Meant("upsell_rate", reading="revenue"),
    "coût d'acquisition client 2017": Meant("cac", YEAR_2017),
    "valeur à vie du client": Meant("ltv", TWELVE_TO_YESTERDAY),
    "chiffre d'affaires": Meant("revenue_won"),
    "CA par mois": Meant("revenue_won", grain="month"),
    "affaires créées hier": Meant("deals_created", days("2026-11-22", "2026-11-23", "day")),
    "pipeline ouvert par étape": Meant("open_pipeline", by="stage"),
    "affaires en cours en nombre": Meant("open_pipeline", reading="count"),
    # périodes
    "CA cette année": Meant("revenue_won", THIS_YEAR),
    "CA ce mois-ci": Meant("revenue_won"),
    "CA du mois en cours": Meant("revenue_won"),
    "CA de la semaine dernière": Meant("revenue_won", LAST_WEEK),
    "CA mois précédent": Meant("revenue_won", LAST_MONTH),
    "CA l'an dernier": Meant("revenue_won", THE_YEAR_BEFORE),
    "CA de l’année dernière": Meant("revenue_won", THE_YEAR_BEFORE),
    "CA décembre 2017": Meant("revenue_won", DECEMBER_2017),
    "CA au mois de décembre 2017": Meant("revenue_won", DECEMBER_2017),
    "CA déc. 2017": Meant("revenue_won", DECEMBER_2017),
    "CA décembre": Meant("revenue_won", days("2025-12-01", "2026-01-01", "month")),
    "CA T4": Meant("revenue_won", THIS_QUARTER),
    "CA au 4e trimestre 2017": Meant("revenue_won", Q4_2017),
    "CA 2017 T4": Meant("revenue_won", Q4_2017),
    "CA semaine 34": Meant("revenue_won", days("2026-08-17", "2026-08-24", "week")),
    "CA S34 2017": Meant("revenue_won", days("2017-08-21", "2017-08-28", "week")),
    "CA semaine du 21 août 2017": Meant("revenue_won", days("2017-08-21", "2017-08-28", "week")),
    "CA 30 derniers jours": Meant("revenue_won", days("2026-10-24", "2026-11-23", None, "day")),
    "CA des trois derniers mois": Meant("revenue_won", days("2026-08-01", "2026-11-01", None, "month")),
    "CA des 4 dernières semaines": Meant("revenue_won", days("2026-10-26", "2026-11-23", None, "week")),
    "CA 28 jours glissants": Meant("revenue_won", days("2026-10-26", "2026-11-23", None, "day")),
    "CA sur 12 mois glissants": Meant("revenue_won", TWELVE_TO_YESTERDAY),
    "CA il y a 2 trimestres": Meant("revenue_won", days("2026-04-01", "2026-07-01", "quarter")),
    "CA depuis janvier": Meant("revenue_won", days("2026-01-01", "2026-11-24")),
    "CA depuis le début de l'année": Meant("revenue_won", THIS_YEAR),
    "CA depuis le début du mois": Meant("revenue_won"),
    "CA depuis lundi": Meant("revenue_won", days("2026-11-23", "2026-11-24")),
    "CA à partir de mars 2026": Meant("revenue_won", days("2026-03-01", "2026-11-24")),
    "CA du 3 mars au 15 avril": Meant("revenue_won", days("2026-03-03", "2026-04-16")),
    "CA du 3 au 15 avril 2017": Meant("revenue_won", days("2017-04-03", "2017-04-16")),
    "CA du 15 novembre au 15 décembre": Meant("revenue_won", days("2025-11-15", "2025-12-16")),
    "CA entre le 03/03/2017 et le 15/04/2017": Meant("revenue_won", days("2017-03-03", "2017-04-16")),
    "CA de mars à mai 2017": Meant("revenue_won", days("2017-03-01", "2017-06-01")),
    "CA du 1er novembre jusqu'à hier": Meant("revenue_won", days("2026-11-01", "2026-11-23")),
    "CA le 3 mars 2017": Meant("revenue_won", days("2017-03-03", "2017-03-04", "day")),
    # comparaisons, groupes, rythmes
    "CA par rapport à l'an dernier": Meant("revenue_won", comparison=LAST_YEAR),
    "CA ce trimestre vs trimestre dernier": Meant("revenue_won", THIS_QUARTER),
    "CA comparé à la même période l'année dernière": Meant("revenue_won", comparison=LAST_YEAR),
    "CA sans comparaison": Meant("revenue_won", comparison=None),
    "CA hebdomadaire par équipe": Meant("revenue_won", by="team", grain="week"),
    "évolution du CA en 2017": Meant("revenue_won", YEAR_2017, grain="month"),
    "leads par jour la semaine dernière": Meant("leads", LAST_WEEK, grain="day"),
    "CA par type de client": Meant("revenue_won", by="segment"),
    "panier moyen par produit et par trimestre 2017": Meant("average_deal", YEAR_2017, by="product", grain="quarter"),
    # noms
    "CA pour l'équipe Lyon": Meant("revenue_won", filters=(LYON,)),
    "CA de l’Équipe Lyon": Meant("revenue_won", filters=(LYON,)),
    "taux de transformation Paris B2B": Meant("win_rate", filters=(B2B, PARIS)),
    "leads source Salon": Meant("leads", filters=(SALON,)),
    "leads du site web": Meant("leads", filters=(WEB,)),
    "CA d'Anaïs": Meant("revenue_won", filters=(ANAIS,)),
    "CA anais lefevre": Meant("revenue_won", filters=(ANAIS,)),
    "CA de Jean Dupont": Meant("revenue_won", filters=(DUPONT,)),
    "mes leads": Meant("leads", filters=(ANAIS,)),
    "panier moyen moi": Meant("average_deal", filters=(ANAIS,)),
    "montre-moi le panier moyen": Meant("average_deal"),
    "donnez-moi le panier moyen pour moi": Meant("average_deal", filters=(ANAIS,)),
    "mon taux de transformation": Meant("win_rate", filters=(ANAIS,)),
    "donne-moi le CA": Meant("revenue_won"),
    "CA de mon équipe": Meant("revenue_won", filters=(LYON,)),
    "CA client Isdom": Meant("revenue_won", filters=(ISDOM,)),
    "CA ile de france": Meant("revenue_won", filters=(IDF,)),
    "CA pipeline Nouveaux comptes": Meant("revenue_won", filters=(NEW,)),
    "leads sans source": Meant("leads", filters=(NO_SOURCE,)),
    "win rate par équipe last month": Meant("win_rate", LAST_MONTH, by="team"),
}
