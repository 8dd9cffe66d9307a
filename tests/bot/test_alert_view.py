"""What an alert says, for every sort of number, in both languages; how several groups share a message."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bot.i18n import language
from bot.playground.person import shown
from bot.views.alert import write_alert
from bot.views.alert_lines import Alert, Case
from bot.views.alert_notes import assigned_note, corrected_note, recovered_note, still_bad_note
from bot.views.digest import Written
from bot.views.evidence import Evidence
from bot.views.rule import rule_sentence, state_lines
from kpi.period import Period
from kpi.query import Filter, KpiQuery, KpiResult, Measured, Unit
from kpi.scope import Scope
from storage.rules import Episode, Rule
from storage.workspaces import Workspace

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LETTER = "f" * 32
WORKSPACE = Workspace("w", "Example", "Europe/Paris", "EUR", "en", 1, "team")
RATE = Measured(Fraction(10), Fraction(3), Fraction(30), (3.5, 25.6))
MONEY = Measured(Fraction(423_456), Fraction(423_456 * 20), Fraction(20))


def rule(metric: str, reading: str, threshold: int, recovery: int, direction: str = "below", **other: Any) -> Rule:
    values: dict[str, Any] = {
        "dimension": None,
        "key": None,
        "each": None,
        "channel_id": "C1",
        "owner": "U1",
        "language": "en",
        "threshold": Decimal(threshold),
        "recovery": Decimal(recovery),
        "direction": direction,
        "min_sample": 12,
        "hold": 3,
        "time_zone": "Europe/Paris",
    }
    return Rule("w", "r", metric, reading, **(values | other))


def alert(watched: Rule, unit: Unit, measured: Measured, usual: Fraction | None = None) -> Alert:
    period = Period(date(2026, 10, 26), date(2026, 11, 23))
    scope = Scope("w", everything=True)
    query = KpiQuery(watched.metric, watched.reading, period, scope, date(2026, 11, 23), group_by=watched.each)
    result = KpiResult(query, unit, "EUR", measured, as_of=NOW)
    return Alert(watched, query, result, Evidence(measured, NOW, date(2026, 11, 22), usual), None, None, None)


def seen(message: Written) -> str:
    return shown(dict(message.payload))


def plain(text: str) -> str:
    return re.sub("[\u00a0\u202f]", " ", text)


@pytest.mark.parametrize(
    ("watched", "unit", "measured", "english", "french"),
    [
        (
            rule("average_deal", "mean", 5000, 5500),
            Unit.MONEY,
            MONEY,
            ("Alert: Average deal below €5,000", "€4,235 (n = 20).", "Back at €5,500 or more."),
            ("Alerte : Panier moyen, sous 5 000 €", "4 235 € (n = 20).", "De nouveau à 5 500 € ou plus."),
        ),
        (
            rule("sales_cycle", "mean", 60, 55, "above"),
            Unit.DAYS,
            Measured(Fraction(723, 10), Fraction(1446), Fraction(20)),
            ("Alert: Sales cycle above 60 days", "72.3 days (n = 20).", "Back at 55 days or less."),
            (
                "Alerte : Durée de transformation, au-dessus de 60 j",
                "72,3 jours (n = 20).",
                "De nouveau à 55 j ou moins.",
            ),
        ),
        (
            rule("leads", "count", 100, 120),
            Unit.COUNT,
            Measured(Fraction(63), None, None),
            ("Alert: Leads generated below 100", "63.", "Back at 120 or more."),
            ("Alerte : Leads générés, sous 100", "63.", "De nouveau à 120 ou plus."),
        ),
        (
            rule("average_deal", "mean", 20, 10, against=8, window_days=7),
            Unit.MONEY,
            MONEY,
            (
                "Alert: Average deal down by more than 20%",
                "Usual: €6,000, the mean of the 8 windows before.",
                "Back at no more than 10% below its usual value.",
            ),
            (
                "Alerte : Panier moyen, en baisse de plus de 20 %",
                "D’habitude : 6 000 €, moyenne des 8 fenêtres précédentes.",
                "De nouveau à 10 % au plus sous sa valeur habituelle.",
            ),
        ),
    ],
)
def test_an_alert_says_its_number_in_its_unit_when_it_fires_and_when_it_is_over(
    watched: Rule, unit: Unit, measured: Measured, english: tuple[str, ...], french: tuple[str, ...]
) -> None:
    fired = alert(watched, unit, measured, None if watched.against is None else Fraction(600_000))
    over = replace(fired, recovered=replace(fired.fired, at=NOW + timedelta(days=2)))
    for code, (title, value, back) in (("en", english), ("fr", french)):
        said = plain(seen(write_alert(fired, WORKSPACE, language(code), letter_id=LETTER)))
        assert title in said
        assert value in said
        ended = plain(seen(write_alert(over, WORKSPACE, language(code), letter_id=LETTER)))
        assert back in ended
        assert "alert.ack" not in str(write_alert(over, WORKSPACE, language(code), letter_id=LETTER).payload)
        corrected = plain(seen(write_alert(over, WORKSPACE, language(code), corrected=True)))
        assert ("data was corrected" if code == "en" else "données ont été corrigées") in corrected
        (case,) = [Case(None, over.fired, over.recovered)]
        assert back in plain(recovered_note(over, case, language(code))["text"])
        assert rule_sentence(watched, [], "EUR", language(code)).endswith(".")


def test_who_has_it_in_hand_is_named_by_id_in_blocks_and_in_the_text() -> None:
    fired = alert(rule("win_rate", "closed", 30, 35), Unit.PERCENT, RATE)
    written = write_alert(
        fired,
        WORKSPACE,
        language("en"),
        letter_id=LETTER,
        acked_by="U2",
        assigned_to="U3",
        snoozed_until=NOW + timedelta(days=1),
        reminders=2,
    )
    text = written.payload["text"]
    assert "Acknowledged by <@U2>." in text
    assert "Assigned to <@U3>." in text
    assert "Snoozed until 24 Nov 2026 at 10:30." in text
    assert "2 reminders so far" in text
    users = [part["user_id"] for block in written.payload["blocks"] for part in _parts(block) if part["type"] == "user"]
    assert users == ["U2", "U3"]
    assert "<@U9>" in assigned_note("U8", "U9", language("fr"))["text"]


def _parts(block: dict[str, Any]) -> list[dict[str, Any]]:
    sections = block.get("elements", []) if block["type"] == "rich_text" else []
    return [part for section in sections for part in section["elements"]]


def test_groups_share_a_message_of_ten_lines_and_the_others_are_counted() -> None:
    fired = alert(rule("win_rate", "closed", 30, 35, each="team"), Unit.PERCENT, RATE)
    better = Measured(Fraction(40), Fraction(12), Fraction(30), (24.6, 57.7))
    cases = [Case(Filter("team", f"t{at}", f"Équipe {at}"), fired.fired) for at in range(12)]
    cases[3] = replace(cases[3], recovered=Evidence(better, NOW, date(2026, 11, 22), corrected=True))
    said = seen(write_alert(fired, WORKSPACE, language("en"), letter_id=LETTER, groups=cases))
    assert "Alert: Win rate (by team) below 30%" in said
    assert "11 are concerned. 1 has recovered." in said
    assert "+2 more" in said
    assert "Équipe 3" not in said  # what is over comes last
    over = [replace(case, recovered=Evidence(better, NOW, date(2026, 11, 22))) for case in cases[:2]]
    said = seen(write_alert(fired, WORKSPACE, language("en"), letter_id=LETTER, groups=over))
    assert "Recovered: Win rate (by team)" in said
    assert "team Équipe 1, recovered: 40% (12 of 30" in said
    assert "It had fired at 10% (3 of 30" in said
    note = corrected_note(fired, replace(cases[3]), language("en"))["text"]
    assert "The data was corrected." in note
    still = still_bad_note(fired, cases[:1], [fired.fired], WORKSPACE, language("en"), slept=True)["text"]
    assert "The snooze is over and it is still bad, since 23 Nov 2026 at 10:30:" in still


@pytest.mark.parametrize(
    ("state", "beneath", "expected"),
    [
        ("ok", None, "Quiet."),
        ("pending", None, "Bad since 23 Nov 2026 at 10:30, day 2 of 3 that it takes."),
        ("firing", None, "Firing since 23 Nov 2026 at 10:30."),
        ("recovering", None, "Firing, but good again since 23 Nov 2026 at 10:30, day 2 of 3 that it takes."),
        ("no_data", None, "Not enough data to judge."),
        ("stale", "firing", "Frozen since 23 Nov 2026 at 10:30, because the data is late; before that firing."),
        ("paused", "ok", "Paused since 23 Nov 2026 at 10:30; before that quiet."),
    ],
)
def test_each_of_the_seven_states_is_said_in_words(state: str, beneath: str | None, expected: str) -> None:
    watched = rule("win_rate", "closed", 30, 35)
    episode = Episode("w", "r", "", state, NOW, 2, 1, NOW, None, None, None, 1, beneath=beneath)
    ((line,),) = state_lines(watched, [episode], {}, WORKSPACE.zone, language("en"))
    assert line == expected
    ((french,),) = state_lines(watched, [episode], {}, WORKSPACE.zone, language("fr"))
    assert french != expected
