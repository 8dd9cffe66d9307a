"""Quarters follow the fiscal year once one is set; months, weeks and plain years stay those of the calendar."""

from collections.abc import Callable

import pytest

from kpi.query import KpiQuery
from kpi.words.errors import BadPeriodError
from tests.kpi.words.table import days

Ask = Callable[..., KpiQuery]


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("CA T1 2026", days("2026-04-01", "2026-07-01", "quarter")),
        ("CA T1 de l'exercice 2025/26", days("2025-04-01", "2025-07-01", "quarter")),
        ("revenue Q4 of fiscal 2025/26", days("2026-01-01", "2026-04-01", "quarter")),
        ("CA ce trimestre", days("2026-10-01", "2026-11-24", "quarter")),
        ("CA T3", days("2026-10-01", "2026-11-24", "quarter")),
        ("CA T4", days("2026-01-01", "2026-04-01", "quarter")),
        ("CA exercice 2025", days("2025-04-01", "2026-04-01", "year")),
        ("CA exercice 2025/26", days("2025-04-01", "2026-04-01", "year")),
        ("CA 2025", days("2025-01-01", "2026-01-01", "year")),
        ("CA 2026-01", days("2026-01-01", "2026-02-01", "month")),
    ],
)
def test_with_a_fiscal_year_from_april(question: str, period: object, ask: Ask) -> None:
    assert ask(question, fiscal_start_month=4).period == period


def test_a_fiscal_year_of_two_numbers_does_not_exist_where_it_is_the_calendar_year(ask: Ask) -> None:
    with pytest.raises(BadPeriodError):
        ask("CA exercice 2025/26")
