""" "as known on …": the moment whose knowledge a question asks for, in both languages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.i18n import language
from bot.views.question import describe
from kpi.query import KpiQuery
from kpi.words.errors import BadPeriodError, NotUnderstoodError, SaidTwiceError, Wrong
from kpi.words.known import moment_of

PARIS = ZoneInfo("Europe/Paris")
END = (23, 59, 59, 999999)
Understand = Callable[..., KpiQuery]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("win rate 2026-08 as known on 2026-09-01", (2026, 9, 1, *END)),
        ("win rate August as known on 1 September 2026", (2026, 9, 1, *END)),
        ("as known on September 1st at 08:00 win rate by team", (2026, 9, 1, 8)),
        ("win rate as it was known on 1 Sept at 08:00:30, by team", (2026, 9, 1, 8, 0, 30)),
        ("win rate, as known yesterday", (2026, 11, 22, *END)),
        ("taux de transformation d'août tel que connu le 1er septembre", (2026, 9, 1, *END)),
        ("panier moyen telle que connue le 01/09/2026 à 8h30", (2026, 9, 1, 8, 30)),
        ("panier moyen tel que connu hier à 8h", (2026, 11, 22, 8)),
        ("win rate as known on 25 October 2026", (2026, 10, 25, *END)),
    ],
)
def test_the_moment_is_a_local_one_and_a_day_means_its_end(ask: Understand, text: str, moment: tuple[int, ...]) -> None:
    assert ask(text, zone=PARIS).as_known == datetime(*moment, tzinfo=PARIS)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("text", ["win rate", "win rate by team in September"])
def test_without_such_words_all_that_is_known_counts(ask: Understand, text: str) -> None:
    assert ask(text, zone=PARIS).as_known is None


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize(
    "text", ["win rate as known on 2026-09-01", "win rate by team as known on 2026-09-01 at 08:05"]
)
def test_a_question_shown_back_is_understood_as_the_same(ask: Understand, text: str, code: str) -> None:
    query = ask(text, zone=PARIS)
    shown = describe(query, language(code))
    assert ask(shown, zone=PARIS) == query
    assert shown != describe(replace(query, as_known=None), language(code))


def test_a_moment_to_come_is_refused(ask: Understand) -> None:
    with pytest.raises(BadPeriodError) as refused:
        ask("win rate as known on 2026-11-24", zone=PARIS)
    assert refused.value.wrong is Wrong.TO_COME


def test_a_day_that_never_was_is_refused(ask: Understand) -> None:
    with pytest.raises(BadPeriodError) as refused:
        ask("win rate as known on 2026-02-30", zone=PARIS)
    assert refused.value.wrong is Wrong.NO_SUCH_DATE


def test_two_moments_are_one_too_many(ask: Understand) -> None:
    with pytest.raises(SaidTwiceError):
        ask("win rate as known on 2026-02-03 as known on 2026-02-04", zone=PARIS)


def test_what_cannot_be_asked_so_does_not_ignore_the_words(ask: Understand) -> None:
    with pytest.raises(NotUnderstoodError):
        ask("win rate as known on 2026-09-01")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-01", datetime(2026, 9, 1, *END, tzinfo=PARIS)),
        ("2026-09-01T08:00", datetime(2026, 9, 1, 8, tzinfo=PARIS)),
        ("2026-09-01T08:00+00:00", datetime(2026, 9, 1, 8, tzinfo=UTC)),
        ("2026-13-01", None),
        ("yesterday", None),
        ("0001-01-01T00:00", None),
    ],
)
def test_the_command_line_takes_iso_moments(text: str, moment: datetime | None) -> None:
    assert moment_of(text, PARIS) == moment
