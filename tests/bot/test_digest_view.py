"""The lines of a digest: which changes are called better or worse."""

from dataclasses import replace

import pytest

from bot.i18n import Language, language
from bot.views.digest import change_words, kpi_line
from kpi.query import KpiResult, LeftOut, Unit
from tests.kpi.test_findings import count, result, win_rate

EN, FR = language("en"), language("fr")


def test_a_change_is_called_better_or_worse_outside_its_interval() -> None:
    assert change_words(win_rate((6, 60), (24, 60)), EN) == "▼\u00a0\u221230.0\u00a0pts, worse"
    assert change_words(win_rate((24, 60), (6, 60)), EN) == "▲\u00a0+30.0\u00a0pts, better"
    assert change_words(win_rate((6, 60), (24, 60)), FR).endswith("moins bien")


@pytest.mark.parametrize(
    "changed",
    [
        win_rate((150, 500), (152, 500)),
        result("leads", Unit.COUNT, count(31), count(30)),
        result("revenue_won", Unit.MONEY, count(99_600), count(100_000)),
        result("sales_cycle", Unit.DAYS, count(40), count(39)),
    ],
    ids=lambda changed: changed.query.metric,
)
def test_a_change_that_chance_explains_or_without_an_interval_is_only_an_arrow(changed: KpiResult) -> None:
    words = change_words(changed, EN)
    assert words[0] in "▲▼"
    assert "better" not in words
    assert "worse" not in words


@pytest.mark.parametrize(("words", "shown"), [(EN, "2 amounts not converted"), (FR, "2 montants non convertis")])
def test_a_line_says_how_many_amounts_it_lacks(words: Language, shown: str) -> None:
    plain = result("revenue_won", Unit.MONEY, count(100_000))
    lacking = replace(plain, left_out=(LeftOut("unconverted", 2), LeftOut("deleted", 1)))
    lines = ["".join(map(str, kpi_line(told, None, words))) for told in (lacking, plain)]
    assert [shown.replace(" ", "\u00a0") in line for line in lines] == [True, False]
