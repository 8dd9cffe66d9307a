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
from kpi.period import Grain, Period
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
    Said.NARROWED: {"people": ("Anna",), "teams": ("Nord",)},
    Said.TODAYS_TEAMS: {},
    Said.TODAYS_STAGES: {},
    Said.OVER_100: {"numerator": Fraction(1196), "denominator": Fraction(1165)},
    Said.WIN_BACKS: {"count": 2},
    Said.RETENTION_BASIS: {"by_contract": 1200, "by_purchase": 3, "window": 365},
    Said.CRM_FLAG: {"count": 1},
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
            "+20,0\u00a0pts par rapport à la période précédente (août 2017\u00a0: 20,0\u202f%, 2 sur 10)",
        ),
    ],
)
def test_the_headline_and_the_comparison(code: str, headline: str, comparison: str) -> None:
    query = KpiQuery("win_rate", "closed", SEPTEMBER, QUERY.scope, QUERY.today, filters=(Filter("team", "t", "Nord"),))
    before = Previous(AUGUST, Comparison.PREVIOUS, Measured(Fraction(20), Fraction(2), Fraction(10)))
    result = KpiResult(query, Unit.PERCENT, "EUR", FORTY, before)
    assert sentences.headline(result, language(code)) == headline
    assert sentences.comparison(result, language(code)) == comparison


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
