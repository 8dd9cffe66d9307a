"""Answers as people get them: typed in Slack, clicked, in both languages, by both transports."""

import pytest

from bot.playground.person import shown
from tests.bot.conftest import Stage, both_databases


def test_a_question_is_answered_privately_with_its_comparison_and_sample(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    ada.command("/kpi win rate closed October 2026", "sales")
    answer = ada.wait_for("sales")
    assert answer["ephemeral"]
    assert "Win rate (by closing date), October 2026: 42.9% (9 of 21)" in shown(answer)
    assert vigie.as_user("anna").messages("sales") == []
