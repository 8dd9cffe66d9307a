"""What the words of a digest mean, in both languages."""

from datetime import time

import pytest

from bot.conversation import Asker, Refusal
from bot.digest_words import read_words
from bot.i18n import language
from storage.dates import Rhythm

ASKER = Asker(workspace_id="W1", user_id="U1", language=language("en"))


@pytest.mark.parametrize(
    ("said", "rhythm", "at"),
    [
        ("<#C1|sales> daily 08:30", Rhythm("daily"), time(8, 30)),
        ("quotidien à 8h30", Rhythm("daily"), time(8, 30)),
        ("tous les jours", Rhythm("daily"), None),
        ("every week on Friday at 9 am", Rhythm("weekly", 5), time(9)),
        ("hebdomadaire le vendredi", Rhythm("weekly", 5), None),
        ("Monday", Rhythm("weekly", 1), None),
        ("monthly 08:30", Rhythm("monthly", 1, 1), time(8, 30)),
        ("mensuel le 1er", Rhythm("monthly", 1, 1), None),
        ("monthly on the 15th at 9 am", Rhythm("monthly", 1, 15), time(9)),
        ("le 28 de chaque mois à 8h", Rhythm("monthly", 1, 28), time(8)),
        ("on the 3rd of every month", Rhythm("monthly", 1, 3), None),
        ("", None, None),
    ],
)
def test_how_often_and_when(said: str, rhythm: Rhythm | None, at: time | None) -> None:
    wanted = read_words(said, ASKER)
    assert (wanted.rhythm, wanted.at, wanted.rest) == (rhythm, at, "")


@pytest.mark.parametrize(
    ("said", "audience"),
    [
        ("to each manager, their own team", "managers"),
        ("à chaque responsable", "managers"),
        ("aux responsables", "managers"),
        ("by direct message", "person"),
        ("to me", "person"),
        ("en message privé", "person"),
        ("pour moi", "person"),
        ("in <#C1|sales>", "channel"),
    ],
)
def test_to_whom(said: str, audience: str) -> None:
    wanted = read_words(f"{said} Monday", ASKER)
    assert (wanted.audience, wanted.rest) == (audience, "")


@pytest.mark.parametrize(
    "said", ["only if something changed", "skip unchanged", "si ça change", "sauf si rien ne change"]
)
def test_only_where_something_has_changed(said: str) -> None:
    wanted = read_words(f"{said} win rate, pipeline", ASKER)
    assert (wanted.skip_unchanged, wanted.rest) == (True, "win rate, pipeline")


@pytest.mark.parametrize("day", ["monthly on the 31st", "mensuel le 29", "monthly on the 0"])
def test_a_day_that_not_every_month_has_is_refused(day: str) -> None:
    with pytest.raises(Refusal, match="from 1 to 28"):
        read_words(day, ASKER)
