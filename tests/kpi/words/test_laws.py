"""Laws of understanding: any order, nothing ignored, nothing crashes."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.query import KpiQuery
from kpi.words import QuestionError, understand
from kpi.words.folding import fold, tokens
from kpi.words.lexicon import ALL_STOPS
from tests.kpi.words.conftest import SCOPE, TODAY, VOCABULARY

PARTS = {
    "metric": ["win rate", "taux de transformation", "Taux de Transformation", "WIN RATE"],
    "reading": ["closed", "clôturées", "by closing date", "flow", "cohort", ""],
    "period": [
        "2017-Q4", "T4 2017", "last month", "trimestre dernier", "depuis le 1er janvier", "12 derniers mois", "week 34",
        "décembre 2017", "2017", "du 3 mars au 15 avril", "from 3 to 15 April 2017", "year to date", "le 3 mars 2017",
        "28 jours glissants", "2017-06", "yesterday", "semaine du 21 août 2017", "",
    ],
    "group": ["by team", "par commercial", "per source", "par type de client", ""],
    "grain": ["weekly", "par mois", "by quarter", "jour par jour", ""],
    "comparison": ["vs last year", "par rapport à l'an dernier", "vs previous", "sans comparaison", ""],
    "first": ["for Paris", "équipe Lyon", "my team", "for the East Coast team", ""],
    "second": ["source Salon", "B2B", "pour Anaïs", "sans source", "GTX Pro", "« GTX Pro »", ""],
}  # fmt: skip


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_order_of_the_parts_is_the_same_question(data: st.DataObject) -> None:
    said = [part for part in (data.draw(st.sampled_from(values)) for values in PARTS.values()) if part]
    shuffled = data.draw(st.permutations(said))
    assert _ask(" ".join(said)) == _ask(" ".join(shuffled))


HEAP = """
xyzzy not > 30 % € 2099-99-99 31/02/2017 🙂 me vs from to jusqu'au ( « lead conversion revenue jean april
q9 s99 0 ٣ ² fy exercice 2017/18 T1
"""
WORDS = sorted(
    {token.text for values in PARTS.values() for part in values for token in tokens(part)} | set(HEAP.split())
)


@given(st.lists(st.sampled_from(WORDS), max_size=10))
@settings(max_examples=200, deadline=None)
def test_any_heap_of_words_gives_a_question_or_says_why_not(words: list[str]) -> None:
    _ask_or_refuse(" ".join(words))


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_crashes(text: str) -> None:
    _ask_or_refuse(text)


@given(
    st.sampled_from(
        ["win rate last month by team", "panier moyen T4 2017 équipe Lyon", "leads par source depuis mars"]
    ),
    st.text(st.characters(categories=["L", "N", "S"]), min_size=3, max_size=9),
    st.integers(min_value=0, max_value=6),
)
@settings(max_examples=150, deadline=None)
def test_a_word_that_means_nothing_is_never_ignored(question: str, word: str, place: int) -> None:
    words = question.split()
    words.insert(min(place, len(words)), word)
    plain, answered = _ask(question), _ask_or_refuse(" ".join(words))
    known = {fold(text) for text in (*WORDS, *question.split())}
    if answered is not None and fold(word) not in known:
        # Only a word that changes the question, or changes nothing by design, may pass.
        meaningless = all(token.folded in ALL_STOPS for token in tokens(word))
        assert meaningless or answered != plain


@pytest.mark.parametrize("question", ["win rate last month by team", "panier moyen T4 2017", "leads par source"])
def test_taking_a_letter_from_a_word_is_never_accepted_silently(question: str) -> None:
    plain = _ask(question)
    for place, letter in enumerate(question):
        if letter.isalpha():
            damaged = question[:place] + question[place + 1 :]
            answered = _ask_or_refuse(damaged)
            # A plural or a small word is all that may go.
            assert answered != plain or letter == "s" or damaged.split() != question.split(), damaged


def _ask(text: str, today: date = TODAY) -> KpiQuery:
    return understand(text, VOCABULARY, today=today, scope=SCOPE)


def _ask_or_refuse(text: str) -> KpiQuery | None:
    try:
        return _ask(text)
    except QuestionError:
        return None
