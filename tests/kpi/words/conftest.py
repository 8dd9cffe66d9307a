"""One small company's names, and a way to ask about it on one fixed day: Monday 23 November 2026, ISO week 48."""

from collections.abc import Callable
from datetime import date

import pytest

from kpi.query import KpiQuery
from kpi.scope import Scope
from kpi.vocabulary import Name, Vocabulary
from kpi.words import understand

TODAY = date(2026, 11, 23)
SCOPE = Scope("w", everything=True)

NAMES = (
    Name("rep", "r:anais", "Anaïs Lefèvre", "anais@example.org"),
    Name("rep", "r:jean-d", "Jean Dupont", "dupont@example.org"),
    Name("rep", "r:jean-m", "Jean Martin", "martin@example.org"),
    Name("rep", "r:mary", "Mary O'Neil"),
    Name("rep", "r:april", "April Stone"),
    Name("team", "t:paris", "Paris"),
    Name("team", "t:lyon", "Équipe Lyon"),
    Name("team", "t:east", "East Coast"),
    Name("segment", "B2B", "B2B"),
    Name("segment", "B2C", "B2C"),
    Name("source", "Salon", "Salon"),
    Name("source", "Site web", "Site web"),
    Name("source", "Partenaires", "Partenaires"),
    Name("product", "p:gtx", "GTX Pro"),
    Name("product", "p:pack", "Pack & Go"),
    Name("pipeline", "l:new", "Nouveaux comptes"),
    Name("pipeline", "l:partners", "Partenaires"),
    Name("region", "Bretagne", "Bretagne"),
    Name("region", "Île-de-France", "Île-de-France"),
    Name("stage", "s:nego", "Négociation"),
)
CUSTOMERS = (Name("customer", "c:isdom", "Isdom"), Name("customer", "c:acme", "Acme Corporation"))
VOCABULARY = Vocabulary(NAMES, me=NAMES[0], my_team=NAMES[6], customers=lambda: CUSTOMERS)


@pytest.fixture
def ask() -> Callable[..., KpiQuery]:
    """Understand a question; `vocabulary`, `fiscal_start_month` and `language` may be given."""

    def understood(text: str, vocabulary: Vocabulary = VOCABULARY, **others: object) -> KpiQuery:
        return understand(text, vocabulary, today=TODAY, scope=SCOPE, **others)  # type: ignore[arg-type]

    return understood
