"""What questions mean, row by row."""

from collections.abc import Callable

import pytest

from kpi.query import KpiQuery
from tests.kpi.words.table import ENGLISH, FRENCH, Meant

Ask = Callable[..., KpiQuery]


@pytest.mark.parametrize(("question", "meant"), ENGLISH.items(), ids=list(ENGLISH))
def test_a_question_in_english_means(question: str, meant: Meant, ask: Ask) -> None:
    assert ask(question) == meant.query


@pytest.mark.parametrize(("question", "meant"), FRENCH.items(), ids=list(FRENCH))
def test_a_question_in_french_means(question: str, meant: Meant, ask: Ask) -> None:
    assert ask(question, language="fr") == meant.query


@pytest.mark.parametrize("question", ["taux de transfo", "transfo de ce mois", "taux de transformation"])
def test_the_short_name_that_sales_people_use_is_known(question: str, ask: Ask) -> None:
    assert ask(question, language="fr").metric == "win_rate"
