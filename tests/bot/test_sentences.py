"""Every code of an answer and every refusal has a sentence, in both languages."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from bot.i18n import language
from bot.views import sentences
from bot.views.misread import misread
from bot.views.notes import left_out_sentence, note_sentence
from kpi.period import Grain, Period, rolling
from kpi.query import Beside, Comparison, Filter, KpiQuery, KpiResult, LeftOut, Measured, Note, Previous, Unit
from kpi.reasons import Reason, Said
from kpi.refusals import (
    NoSuchDimensionError,
    OutOfScopeError,
    RefusedError,
    TooManyBucketsError,
    UnknownMetricError,
)
from kpi.scope import Scope
from kpi.words import errors
from storage.workspaces import Workspace

SEPTEMBER = Period(date(2017, 9, 1), date(2017, 10, 1), Grain.MONTH)
AUGUST = Period(date(2017, 8, 1), date(2017, 9, 1), Grain.MONTH)
QUERY = KpiQuery("win_rate", "closed", SEPTEMBER, Scope("w", everything=True), date(2018, 1, 1))
FORTY = Measured(Fraction(40), Fraction(6), Fraction(15), (19.8, 64.3))
RESULT = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY)
PARIS = Workspace("w", "Test", "Europe/Paris", "EUR", "fr", 1, "team")

NOTES: Mapping[Said, Mapping[str, object]] = {
    Said.UNFINISHED: {"elapsed": 3, "total": 30},
    Said.NOT_BEGUN: {"start": date(2030, 1, 1)},
    Said.STILL_OPEN: {"count": 4},
    Said.SAME_AGE: {"days": 5},
    Said.BEFORE_DATA: {"first": date(2016, 10, 20)},
    Said.LATE: {},
    Said.NARROWED: {"people": ("Anna",), "teams": ("Nord",)},
    Said.TODAYS_TEAMS: {},
    Said.TODAYS_STAGES: {},
    Said.OVER_100: {"numerator": Fraction(1196), "denominator": Fraction(1165)},
    Said.WIN_BACKS: {"count": 2},
    Said.RETENTION_BASIS: {"by_contract": 1200, "by_purchase": 3, "window": 365},
    Said.CRM_FLAG: {"count": 1},
    Said.FIRST_SEEN: {"count": 3},
    Said.UNCONVERTED_AMOUNTS: {"count": 1},
    Said.ALL_QUALIFIED: {},
    Said.UPSELL_KINDS: {"upsell": 3, "cross_sell": 2, "additional": 0},
    Said.LOWER_BOUND: {"years": 2.25},
    Said.LTV_PARTS: {"basket": Fraction(12345), "frequency": Fraction(3, 2), "retention": None},
}


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("said", Said)
def test_every_note_has_a_sentence(said: Said, code: str) -> None:
    sentence = note_sentence(Note(said, NOTES[said]), RESULT, language(code))
    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    assert "1" in left_out_sentence(LeftOut(reason, 1), language("fr"))
    others = {left_out_sentence(LeftOut(other, 2), language("fr")) for other in Reason}
    assert len(others) == len(Reason)


REFUSALS: tuple[RefusedError, ...] = (
    errors.NoMetricError(),
    errors.NotUnderstoodError((errors.Unknown("tem", ("team",)), errors.Unknown("xyzzy", ()))),
    errors.NotUnderstoodError(tuple(errors.Unknown(str(at), ()) for at in range(40))),
    errors.AmbiguousError("Jean", (errors.Choice("rep", "Jean Dupont"), errors.Choice("rep", "Jean Martin"))),
    errors.AmbiguousError("mars", (errors.Choice("period", "mars"), errors.Choice("metric", "leads"))),
    errors.AmbiguousError("A", tuple(errors.Choice("customer", f"A{at}") for at in range(30))),
    *(errors.SaidTwiceError(part, "a", "b") for part in ("metric", "reading", "period", "grain", "group", "team")),
    errors.SaidTwiceError("comparison", "a", "b"),
    errors.TooManyFiltersError(("a", "b", "c"), 2),
    errors.NoSuchReadingError("median", "win_rate"),
    errors.NoSuchReadingError("median", "cac"),
    errors.NoSuchComparisonError("vs Lyon"),
    errors.WhoIsAskingError("my"),
    *(errors.BadPeriodError("31 février", wrong) for wrong in errors.Wrong),
    UnknownMetricError(metric="x", reading="y"),
    NoSuchDimensionError("cac", "rep", ("source",)),
    OutOfScopeError("rep", "Anna"),
    TooManyBucketsError(count=5000, most=400),
    RefusedError(),
)


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_every_refusal_has_a_sentence(error: RefusedError, code: str) -> None:
    sentence = misread(error, language(code))
    assert 10 < len(sentence) < 700
    assert "{" not in sentence
    assert code == "en" or sentence != misread(error, language("en"))


def test_did_you_mean_is_asked_in_french_quotation_marks() -> None:
    error = errors.NotUnderstoodError((errors.Unknown("equpe", ("par équipe",)),))
    shown = misread(error, language("fr"))
    assert shown == "Je ne connais pas «\u202fequpe\u202f»\u202f; vouliez-vous dire «\u202fpar équipe\u202f»\u202f?"


@pytest.mark.parametrize(
    ("code", "headline", "comparison"),
    [
        (
            "en",
            "Win rate (by closing date), September 2017, team Nord: 40.0% (6 of 15)",
            "+20.0\u00a0pts vs August 2017 (20.0%, 2 of 10)",
        ),
        (
            "fr",
            "Taux de transformation (par date de clôture), septembre 2017, équipe Nord\u00a0: 40,0\u202f% (6 sur 15)",
            "+20,0\u00a0pts par rapport à août 2017 (20,0\u202f%, 2 sur 10)",
        ),
    ],
)
def test_the_headline_and_the_comparison(code: str, headline: str, comparison: str) -> None:
    query = KpiQuery("win_rate", "closed", SEPTEMBER, QUERY.scope, QUERY.today, filters=(Filter("team", "t", "Nord"),))
    before = Previous(AUGUST, Comparison.PREVIOUS, Measured(Fraction(20), Fraction(2), Fraction(10)))
    result = KpiResult(query, Unit.PERCENT, "EUR", FORTY, before)
    assert sentences.headline(result, language(code)) == headline
    assert sentences.comparison(result, language(code)) == comparison


@pytest.mark.parametrize(
    ("before", "english", "french"),
    [
        (Period(date(2026, 4, 1), date(2026, 7, 1), Grain.QUARTER), "Q2 2026", "au T2 2026"),
        (
            Period(date(2026, 11, 2), date(2026, 11, 9), Grain.WEEK),
            "week 45 (2–8 Nov 2026)",
            "à la semaine 45 (2–8 nov. 2026)",
        ),
        (Period(date(2026, 10, 1), date(2026, 11, 1), Grain.MONTH), "October 2026", "à octobre 2026"),
        (Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR), "2025", "à 2025"),
        (Period(date(2026, 11, 21), date(2026, 11, 22), Grain.DAY), "21 November 2026", "au 21 novembre 2026"),
        (
            Period(date(2026, 2, 8), date(2026, 3, 4)),
            "8 February to 3 March 2026",
            "à la période du 8 février au 3 mars 2026",
        ),
        (
            rolling(Grain.MONTH, 12, date(2026, 11, 23)),
            "12 months to 22 Nov 2026",
            "aux 12 mois jusqu'au 22 nov. 2026",
        ),
    ],
)
def test_each_sort_of_period_is_compared_with_in_good_french(before: Period, english: str, french: str) -> None:
    previous = Previous(before, Comparison.PREVIOUS, Measured(Fraction(20), Fraction(2), Fraction(10)))
    result = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, previous)
    assert f" vs {english} (" in (sentences.comparison(result, language("en")) or "")
    assert f" par rapport {french} (" in (sentences.comparison(result, language("fr")) or "")


def test_a_fiscal_year_is_compared_with_in_good_french() -> None:
    previous = Previous(
        Period(date(2025, 4, 1), date(2026, 4, 1), Grain.YEAR), Comparison.PREVIOUS, Measured(Fraction(20), None, None)
    )
    result = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, previous)
    assert " par rapport à l'exercice 2025/26 (" in (sentences.comparison(result, language("fr"), 4) or "")


def test_a_stock_is_said_of_a_day_and_compared_with_a_day() -> None:
    november = Period(date(2026, 11, 1), date(2026, 11, 24), Grain.MONTH)
    query = KpiQuery("open_pipeline", "count", november, QUERY.scope, date(2026, 11, 23))
    october = Period(date(2026, 10, 1), date(2026, 10, 24), Grain.MONTH)
    previous = Previous(october, Comparison.PREVIOUS, Measured(Fraction(5), Fraction(5), None))
    result = KpiResult(query, Unit.COUNT, "EUR", Measured(Fraction(7), Fraction(7), None), previous)
    assert ", on 23 November 2026: 7" in sentences.headline(result, language("en"))
    assert ", au 23 novembre 2026" in sentences.headline(result, language("fr"))
    assert sentences.comparison(result, language("fr")) == "+40,0\u202f% par rapport au 23 octobre 2026 (5)"


def test_a_period_that_has_not_begun_is_compared_with_nothing() -> None:
    previous = Previous(AUGUST, Comparison.PREVIOUS, Measured(Fraction(20), Fraction(2), Fraction(10)))
    note = Note(Said.NOT_BEGUN, NOTES[Said.NOT_BEGUN])
    result = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, previous, notes=(note,))
    assert sentences.comparison(result, language("en")) is None


def test_no_data_is_said_and_not_counted() -> None:
    nothing = KpiResult(QUERY, Unit.PERCENT, "EUR", Measured(None, Fraction(0), Fraction(0)))
    assert sentences.headline(nothing, language("en")).endswith(": no data")


def test_a_target_is_judged_on_the_side_that_is_good() -> None:
    met = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, target=Decimal(30))
    assert sentences.target(met, language("en")) == "Target: 30.0%, reached."
    days = KpiQuery("sales_cycle", "mean", SEPTEMBER, QUERY.scope, QUERY.today)
    slow = KpiResult(days, Unit.DAYS, "EUR", FORTY, target=Decimal(30))
    assert sentences.target(slow, language("en")) == "Target: 30.0\u00a0days, not reached."


@pytest.mark.parametrize("young", [Note(Said.STILL_OPEN, {"count": 9}), Note(Said.UNFINISHED, NOTES[Said.UNFINISHED])])
def test_a_target_that_may_still_be_reached_is_not_missed(young: Note) -> None:
    short = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, target=Decimal(50), notes=(young,))
    assert sentences.target(short, language("en")) == "Target: 50.0%, not reached yet."


def test_a_reading_beside_says_its_own_sample() -> None:
    query = KpiQuery("upsell_rate", "count", SEPTEMBER, QUERY.scope, QUERY.today)
    other = Beside("revenue", Unit.PERCENT, Measured(Fraction(25), Fraction(1000), Fraction(4000)))
    result = KpiResult(query, Unit.PERCENT, "EUR", FORTY, beside=(other,))
    assert sentences.beside(other, result, language("en")) == "By revenue: 25.0% (€10.00 of €40.00)"


def test_the_age_of_the_data_is_in_the_workspaces_zone() -> None:
    fresh = KpiResult(QUERY, Unit.PERCENT, "EUR", FORTY, as_of=datetime(2018, 1, 1, 23, 30, tzinfo=UTC))
    assert sentences.as_of(fresh, PARIS, language("en")) == "Data as of 2 Jan 2018 at 00:30."
