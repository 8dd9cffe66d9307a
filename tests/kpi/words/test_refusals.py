"""What is not understood is said, with what it might have been; what contradicts itself is said too."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kpi.query import Filter, KpiQuery
from kpi.vocabulary import Name, Vocabulary
from kpi.words.errors import (
    AmbiguousError,
    BadPeriodError,
    Choice,
    NoMetricError,
    NoSuchComparisonError,
    NoSuchReadingError,
    NotUnderstoodError,
    SaidTwiceError,
    TooManyFiltersError,
    WhoIsAskingError,
    Wrong,
)
from tests.kpi.words.conftest import VOCABULARY

Ask = Callable[..., KpiQuery]


@pytest.mark.parametrize(
    ("question", "word", "nearest"),
    [
        ("wn rate", "wn rate", "win rate"),
        ("win rate by tem", "by tem", "by team"),
        ("taux de transformaton par équipe", "taux de transformaton", "taux de transformation"),
        ("CA équipe Lion", "équipe Lion", "Équipe Lyon"),
        ("leads source Salom", "source Salom", "source Salon"),
        ("CA Dupond", "Dupond", "Jean Dupont"),
        ("CA Izdom", "Izdom", "Isdom"),
        ("CA trimestre dernire", "trimestre dernire", "trimestre dernier"),
        ("CA wekly", "wekly", "weekly"),
        ("CA décembr", "décembr", "décembre"),
    ],
)
def test_a_word_one_letter_off_is_offered_and_not_accepted(question: str, word: str, nearest: str, ask: Ask) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        ask(question)
    assert [(unknown.text, nearest in unknown.nearest) for unknown in caught.value.unknown] == [(word, True)]


def test_every_word_that_means_nothing_is_named(ask: Ask) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        ask("win rate xyzzy last month > 30 % plugh")
    assert [unknown.text for unknown in caught.value.unknown] == ["xyzzy", ">", "30", "%", "plugh"]


def test_a_dimension_alone_is_told_how_to_group_by_it(ask: Ask) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        ask("taux de transformation équipe", language="fr")
    assert caught.value.unknown[0].nearest == ("par équipe",)


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("CA Jean", ["rep", "rep"]),
        ("CA Partenaires", ["source", "pipeline"]),
        ("leads april", ["period", "rep"]),
        ("conversion rate", ["metric", "metric"]),
        ("taux de conversion", ["metric", "metric"]),
    ],
)
def test_what_may_mean_several_things_is_asked_about(question: str, kinds: list[str], ask: Ask) -> None:
    with pytest.raises(AmbiguousError) as caught:
        ask(question)
    assert [choice.kind for choice in caught.value.choices] == kinds


@pytest.mark.parametrize(
    "question", ["CA Jean Dupont", "CA source Partenaires", "leads rep April", "leads april 2017", "lead conversion"]
)
def test_saying_which_settles_it(question: str, ask: Ask) -> None:
    assert ask(question)


def test_a_team_and_a_rep_of_one_name_are_asked_about(ask: Ask) -> None:
    both = Vocabulary((Name("team", "t", "Martin"), Name("rep", "r", "Martin")))
    with pytest.raises(AmbiguousError) as caught:
        ask("CA Martin", both)
    assert caught.value.choices == (Choice("team", "Martin"), Choice("rep", "Martin"))
    assert ask("CA équipe Martin", both).filters[0].key == "t"


def test_of_a_team_and_a_region_of_one_name_the_team_is_meant_and_the_region_is_a_word_away(ask: Ask) -> None:
    both = Vocabulary((Name("region", "Paris", "Paris"), Name("team", "t", "Équipe Paris")))
    assert ask("win rate last month for Paris", both).filters == (Filter("team", "t", "Équipe Paris"),)
    assert ask("win rate last month for region Paris", both).filters == (Filter("region", "Paris", "Paris"),)
    three = Vocabulary((*both.names, Name("rep", "r", "Paris")))
    with pytest.raises(AmbiguousError):
        ask("win rate last month for Paris", three)


def test_the_living_go_before_the_deleted_of_the_same_name(ask: Ask) -> None:
    both = Vocabulary((Name("rep", "old", "Zoé Petit", deleted=True), Name("rep", "new", "Zoé Petit")))
    assert ask("CA Zoé", both).filters[0].key == "new"


def test_two_people_of_one_full_name_are_told_apart_by_their_addresses(ask: Ask) -> None:
    twins = Vocabulary(
        (Name("rep", "a", "Zoé Petit", "z1@example.org"), Name("rep", "b", "Zoé Petit", "z2@example.org"))
    )
    with pytest.raises(AmbiguousError):
        ask("CA Zoé Petit", twins)
    assert ask("CA z2@example.org", twins).filters[0].key == "b"


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("win rate panier moyen", "metric"),
        ("win rate closed flow", "reading"),
        ("win rate last month 2017", "period"),
        ("win rate weekly par mois", "grain"),
        ("win rate by team par commercial", "group"),
        ("win rate vs last year vs previous", "comparison"),
        ("win rate équipe Lyon Paris", "team"),
    ],
)
def test_two_of_a_kind_are_said(question: str, part: str, ask: Ask) -> None:
    with pytest.raises(SaidTwiceError) as caught:
        ask(question)
    assert caught.value.part == part


def test_the_same_thing_said_twice_is_said_once(ask: Ask) -> None:
    assert ask("win rate taux de transformation T4 2017 2017-Q4 B2B B2B") == ask("win rate 2017-Q4 B2B")


def test_three_filters_are_too_many(ask: Ask) -> None:
    with pytest.raises(TooManyFiltersError) as caught:
        ask("CA Paris B2B source Salon")
    assert sorted(caught.value.names) == ["B2B", "Paris", "Salon"]


@pytest.mark.parametrize("question", ["", "   ", "?", "par équipe", "last month", "for Paris"])
def test_a_question_without_a_kpi_says_so(question: str, ask: Ask) -> None:
    with pytest.raises(NoMetricError):
        ask(question)


def test_a_reading_of_another_kpi_is_refused(ask: Ask) -> None:
    with pytest.raises(NoSuchReadingError) as caught:
        ask("win rate median")
    assert (caught.value.word, caught.value.metric) == ("median", "win_rate")


@pytest.mark.parametrize("question", ["win rate 2017 vs 2015", "win rate vs Lyon", "CA ce mois vs semaine dernière"])
def test_only_the_period_before_and_last_year_can_be_compared_with(question: str, ask: Ask) -> None:
    with pytest.raises(NoSuchComparisonError):
        ask(question)


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("CA 31/02/2017", Wrong.NO_SUCH_DATE),
        ("CA 2017-13", Wrong.NO_SUCH_DATE),
        ("CA 2017-00", Wrong.NO_SUCH_DATE),
        ("CA 12/31/2017", Wrong.NO_SUCH_DATE),
        ("CA 31 février", Wrong.NO_SUCH_DATE),
        ("CA semaine 54", Wrong.NO_SUCH_DATE),
        ("CA semaine 0", Wrong.NO_SUCH_DATE),
        ("CA week 53 2017", Wrong.NO_SUCH_DATE),
        ("CA du 31/12/2017 au 01/01/2017", Wrong.BACKWARDS),
        ("revenue since 2030", Wrong.TO_COME),
        ("CA depuis le 1er janvier 2027", Wrong.TO_COME),
        ("CA from March", Wrong.FROM_WITHOUT_TO),
        ("CA from last month", Wrong.FROM_WITHOUT_TO),
    ],
)
def test_a_period_that_cannot_be_is_said(question: str, wrong: Wrong, ask: Ask) -> None:
    with pytest.raises(BadPeriodError) as caught:
        ask(question)
    assert caught.value.wrong is wrong


@pytest.mark.parametrize("question", ["my win rate", "mes leads", "win rate de mon équipe"])
def test_me_is_nobody_without_a_link(question: str, ask: Ask) -> None:
    with pytest.raises(WhoIsAskingError):
        ask(question, replace(VOCABULARY, me=None, my_team=None))


def test_customers_are_read_only_when_words_are_left_over(ask: Ask) -> None:
    def never() -> tuple[Name, ...]:
        raise AssertionError

    assert ask("win rate Paris", replace(VOCABULARY, customers=never))


def test_a_name_like_a_kpi_does_not_take_its_word(ask: Ask) -> None:
    named = Vocabulary((Name("product", "p", "Leads"), Name("team", "t", "Weekly"), Name("rep", "r", "Me")))
    assert not ask("leads weekly", named).filters
    assert ask("leads produit leads", named).filters[0].key == "p"
