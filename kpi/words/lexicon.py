"""The words of a question that are neither a KPI, a period nor a name: dimensions, grains, comparisons, small words.

All folded. Both languages are read together, so that "win rate par équipe" is understood.
"""

from kpi.period import Grain
from kpi.query import Comparison

STOP = {
    "en": frozenset(
        {"a", "the", "of", "for", "in", "on", "at", "with", "and", "is", "are", "was", "were", "be", "been",
         "has", "have", "had", "get", "got", "do", "does", "did", "what", "which", "how", "much", "many", "our", "us",
         "we", "please", "show", "tell", "give", "during", "over", "s", "kpi", "value"}
    ),
    "fr": frozenset(
        {"le", "la", "les", "l", "un", "une", "des", "de", "du", "d", "au", "aux", "a", "en", "dans", "pour", "sur",
         "chez", "et", "est", "sont", "etait", "etaient", "ont", "avait", "quel", "quelle", "quels", "quelles",
         "combien", "nos", "notre", "nous", "il", "y", "c", "que", "qu", "pendant", "durant", "lors", "svp", "stp",
         "dis", "donne", "montre", "affiche", "donner", "montrer", "afficher", "voir", "valeur"}
    ),
}  # fmt: skip
"""Words that change nothing; every other word must mean something."""

ALL_STOPS = STOP["en"] | STOP["fr"]

POLITE = ("show me", "give me", "tell me", "montre moi", "donne moi", "dis moi", "montrez moi", "donnez moi",
          "est ce que", "s il vous plait", "s il te plait", "qu est ce que")  # fmt: skip
"""Phrases that change nothing although they hold a word that elsewhere does."""

ME = frozenset({"me", "my", "mine", "myself", "moi", "mon", "ma", "mes", "je", "j"})
MY_TEAM = ("my team", "my team s", "mon equipe", "ma team")

DIMENSION_WORDS: dict[str, tuple[str, ...]] = {
    "rep": ("rep", "reps", "sales rep", "sales reps", "salesperson", "salespeople", "seller", "sellers", "owner",
            "owners", "agent", "agents", "person", "commercial", "commerciaux", "commerciale", "commerciales",
            "vendeur", "vendeurs", "vendeuse", "vendeuses", "propriétaire", "propriétaires", "personne", "personnes"),
    "team": ("team", "teams", "équipe", "équipes"),
    "customer": ("customer", "customers", "client", "clients", "account", "accounts", "company", "companies",
                 "compte", "comptes", "société", "sociétés"),
    "segment": ("segment", "segments", "type de client", "types de clients", "customer type", "customer types"),
    "source": ("source", "sources", "origin", "origins", "origine", "origines", "channel", "channels", "canal",
               "canaux"),
    "product": ("product", "products", "produit", "produits"),
    "pipeline": ("pipeline", "pipelines", "tunnel", "tunnels", "entonnoir"),
    "region": ("region", "regions", "région", "office", "offices", "agence", "agences", "bureau", "bureaux"),
    "stage": ("stage", "stages", "étape", "étapes"),
}  # fmt: skip

GROUPING = ("by", "per", "par", "each", "chaque", "for each", "pour chaque", "par chaque", "split by", "grouped by",
            "broken down by", "réparti par", "ventilé par")  # fmt: skip
"""Before a dimension: "by team". Before a unit of the calendar: "par mois"."""

WITHOUT = ("without", "with no", "no", "sans")
"""Before a dimension: the rows that have none ("sans source")."""

GRAINS: dict[Grain, tuple[str, ...]] = {
    Grain.DAY: ("daily", "quotidien", "quotidienne", "journalier", "journalière", "day by day", "jour par jour"),
    Grain.WEEK: ("weekly", "hebdomadaire", "hebdo", "week by week", "semaine par semaine"),
    Grain.MONTH: ("monthly", "mensuel", "mensuelle", "month by month", "mois par mois"),
    Grain.QUARTER: ("quarterly", "trimestriel", "trimestrielle", "quarter by quarter", "trimestre par trimestre"),
    Grain.YEAR: ("yearly", "annual", "annuel", "annuelle", "year by year", "année par année"),
}

VERSUS = ("vs", "versus", "compared to", "compared with", "compare to", "compare with", "against", "par rapport à",
          "par rapport au", "par rapport aux", "comparé à", "comparé au", "comparée à", "comparée au", "comparés à",
          "contre", "face à", "relative to")  # fmt: skip
"""Before what the value is compared with."""

COMPARED: dict[Comparison, tuple[str, ...]] = {
    Comparison.LAST_YEAR: (
        "last year", "previous year", "year before", "a year ago", "one year ago", "same period last year",
        "same period of last year", "n 1", "an dernier", "an passe", "annee derniere", "annee precedente",
        "annee passee", "meme periode an dernier", "meme periode annee derniere", "meme periode de l annee precedente",
        "meme periode il y a un an", "il y a un an",
    ),
    Comparison.PREVIOUS: (
        "previous", "previous period", "last period", "period before", "before", "prior", "prior period",
        "precedent", "precedente", "periode precedente", "avant", "periode d avant", "juste avant",
    ),
}  # fmt: skip
"""After one of `VERSUS`."""

COMPARISONS: dict[Comparison | None, tuple[str, ...]] = {
    Comparison.LAST_YEAR: ("yoy", "year over year", "year on year", "d une annee sur l autre", "sur un an"),
    Comparison.PREVIOUS: (),
    None: ("no comparison", "without comparison", "without comparing", "uncompared", "sans comparaison",
           "sans comparer", "aucune comparaison"),
}  # fmt: skip
"""On their own."""

TREND = ("trend", "évolution", "tendance", "over time", "au fil du temps", "dans le temps")
"""A series, by the grain that suits the period."""
