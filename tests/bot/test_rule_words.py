"""What a rule's words say besides the KPI and the threshold, in both languages; the rest is given back."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from bot.conversation import Asker, Refusal
from bot.i18n import language
from bot.phrases import Bound
from bot.rule_words import cut_rule

ASKER = Asker(workspace_id="w", user_id="U1", language=language("en"))


@pytest.mark.parametrize(
    ("text", "bound", "options", "rest"),
    [
        ("win rate < 25 by team over 28 days", "< 25", {"window_days": 28}, "win rate by team"),
        ("taux < 25 % par équipe sur 4 semaines", "< 25", {"window_days": 28}, "taux par équipe"),
        ("win rate < 25 sur les 28 derniers jours", "< 25", {"window_days": 28}, "win rate"),
        ("sales cycle over 60 days", "> 60", {}, "sales cycle"),
        ("sales cycle over 60 days over 28 days", "> 60", {"window_days": 28}, "sales cycle"),
        ("cycle plus de 60 jours sur 90 jours Paris", "> 60", {"window_days": 90}, "cycle Paris"),
        ("win rate < 25 3 days in a row", "< 25", {"hold": 3}, "win rate"),
        ("taux sous 25 % pendant 5 jours", "< 25", {"hold": 5}, "taux"),
        ("win rate < 25 on at least 20 deals", "< 25", {"min_sample": 20}, "win rate"),
        ("taux < 25 échantillon minimum de 30", "< 25", {"min_sample": 30}, "taux"),
        ("leads < 9 quiet 19:00-08:00", "< 9", {"quiet_from": time(19), "quiet_to": time(8)}, "leads"),
        ("leads < 9 silence de 19h à 8h30", "< 9", {"quiet_from": time(19), "quiet_to": time(8, 30)}, "leads"),
        ("leads < 9 no holidays", "< 9", {"holidays": "FR"}, "leads"),
        ("leads < 9 jours ouvrés GB", "< 9", {"holidays": "GB"}, "leads"),
        ("leads < 9 remind every 4 hours", "< 9", {"remind_hours": 4}, "leads"),
        ("leads < 9 rappel tous les jours", "< 9", {"remind_hours": 24}, "leads"),
        ("leads < 9 delay 90 minutes", "< 9", {"delay_minutes": 90}, "leads"),
        ("leads < 9 délai de 2 heures", "< 9", {"delay_minutes": 120}, "leads"),
        (
            "revenue falls by more than 20% against its last 8 weeks",
            "< 20",
            {"against": 8, "window_days": 7},
            "revenue",
        ),
        (
            "CA en hausse de plus de 12,5 % par rapport à ses 8 dernières semaines sur 28 jours",
            "> 12.5",
            {"against": 2, "window_days": 28},
            "CA",
        ),
    ],
)
def test_every_part_is_read_and_cut_out(text: str, bound: str, options: dict[str, Any], rest: str) -> None:
    wanted, left = cut_rule(text, ASKER, "Europe/Paris")
    sign, number = bound.split()
    assert wanted.bound == Bound(Decimal(number), "below" if sign == "<" else "above")
    assert (dict(wanted.options), " ".join(left.split())) == (options, rest)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("leads < 9 quiet 25:00-08:00", "quiet hours"),
        ("leads < 9 no holidays XX", "Of which country"),
        ("leads < 9 40 days in a row", "from 1 to 31"),
        ("leads < 9 delay 30 hours", "at most one day"),
    ],
)
def test_what_cannot_be_is_refused(text: str, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        cut_rule(text, ASKER, "Europe/Paris")
