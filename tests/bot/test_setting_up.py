"""Digests, alerts and targets set up in words, in both languages; what is not understood is never ignored."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from bot.i18n import language
from bot.phrases import Bound, cut_bound, cut_channel, cut_recovery, cut_time, cut_value, cut_weekday
from bot.playground.person import User, shown
from bot.views.rule import settings_sentence
from storage import rules, schedules, targets
from storage.database import reading
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage


def answer(user: User, command: str, channel: str = "sales") -> str:
    before = len(user.messages(channel))
    user.command(command, channel)
    user.wait_for(channel, lambda _: len(user.messages(channel)) > before)
    return shown(user.messages(channel)[-1])


def save(user: User) -> str:
    """Save the rule that was rehearsed last."""
    asked = user.messages("sales")[-1]
    user.click(asked, "alert.save")
    said = user.wait_for("sales", lambda message: message["ts"] == asked["ts"] and "alert.save" not in str(message))
    return shown(said)


def all_schedules(stage: Stage) -> list[schedules.Schedule]:
    with reading(stage.engine) as connection:
        return schedules.running(connection, SINGLE)


def all_rules(stage: Stage) -> list[rules.Rule]:
    with reading(stage.engine) as connection:
        return rules.running(connection, SINGLE)


def all_targets(stage: Stage) -> list[tuple[str, str | None, Decimal]]:
    with reading(stage.engine) as connection:
        return [(row.metric, row.key, row.value) for row in targets.list_targets(connection, SINGLE)]


def test_a_digest_is_set_up_in_english_and_in_french(vigie: Stage) -> None:
    said = answer(vigie.as_user("ada"), "/kpi digest add #sales Monday 09:00 team Lyon")
    assert "every Monday at 09:00 (Europe/Paris), team Équipe Lyon; next on 30 November 2026" in said
    assert "people in #sales will see it" in said
    chloe = vigie.confirm("chloe", "chloe")
    said = answer(chloe, "/kpi digest ajouter vendredi à 8h30")
    assert "chaque vendredi à 08:30 (Europe/Paris) ; la prochaine le 27 novembre 2026" in said.replace("\u202f", " ")
    first, second = sorted(all_schedules(vigie), key=lambda row: row.weekday)
    assert (first.weekday, first.at, first.dimension, first.key) == (1, time(9), "team", "sample:lyon")
    assert (second.weekday, second.at, second.dimension, second.language) == (5, time(8, 30), None, "fr")


def test_a_digest_speaks_the_language_and_keeps_the_hours_of_its_channel(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "at 09:00 (America/New_York), team Équipe Lyon; next on" in answer(
        ada, "/kpi digest add Monday 9:00 america/new_york in French for team Lyon"
    )
    answer(ada, "/kpi alert add win rate < 20 en français")
    save(ada)
    (row,) = all_schedules(vigie)
    assert (row.language, row.time_zone, row.key) == ("fr", "America/New_York", "sample:lyon")
    # No zone was said: that of the channel's digests.
    assert [(rule.language, rule.time_zone) for rule in all_rules(vigie)] == [("fr", "America/New_York")]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("digest ad Monday", "Did you mean “add”?"),
        ("digest xyzzy", "There is: add, list, stop, preview, test, pause, resume, move."),
        ("digest add mondya", "Did you mean “monday”?"),
        ("digest add team Pariis", "Pariis"),
        ("digest add by team", "A digest is about everything"),
        ("alert add", "Say which KPI and which threshold"),
        ("alert add winn rate < 25", "winn"),
        ("alert add win rate last month < 25", "Leave the period out"),
        ("alert add win rate < 25 recovery 20", "on the good side"),
        ("alert stop 7", "There is no such rule"),
        ("alert add win rate falls by more than 100% against its last 8 weeks", "Nothing falls by 100%"),
        ("alert add win rate falls by 20% against its last 5 weeks over 28 days", "no whole number of windows"),
        ("alert add win rate < 25 over 900 days", "from 1 to 366"),
        ("target win rate", "Say a KPI and a number"),
        ("target win rate 30 for Pariis", "Pariis"),
        ("target win rate 30 by team", "A target is for everybody"),
        ("target stop 9", "Say which one"),
    ],
)
def test_what_is_not_understood_is_told_and_changes_nothing(vigie: Stage, typed: str, expected: str) -> None:
    assert expected in answer(vigie.as_user("ada"), f"/kpi {typed}")
    assert (all_schedules(vigie), all_rules(vigie), all_targets(vigie)) == ([], [], [])


def test_a_channel_without_the_bot_is_noticed_and_can_be_joined(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "I am not in #quiet yet" in answer(ada, "/kpi digest add #quiet")
    assert all_schedules(vigie) == []
    ada.click(ada.messages("sales")[-1], "channel.join")
    ada.wait_for("sales", lambda message: "I am in #quiet now" in shown(message))
    assert "A digest is set up." in answer(ada, "/kpi digest add #quiet")


@pytest.mark.parametrize(
    ("channel", "who"),
    [("#partners", "People of other organisations are among them."), ("#visitors", "1 of them is a guest.")],
)
def test_a_channel_with_outsiders_is_asked_about_first(vigie: Stage, channel: str, who: str) -> None:
    ada = vigie.as_user("ada")
    for command, action, done, saved in (
        (f"/kpi digest add {channel}", "digest.confirm", "A digest is set up.", all_schedules),
        (f"/kpi alert add win rate < 25 in {channel}", "alert.save", "A rule is set up.", all_rules),
    ):
        assert who in answer(ada, command)
        assert saved(vigie) == []
        ada.click(ada.messages("sales")[-1], action)
        ada.wait_for("sales", lambda message, done=done: done in shown(message))
        assert len(saved(vigie)) == 1


def test_digests_are_listed_previewed_and_stopped(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "There is no digest yet." in answer(ada, "/kpi digest")
    answer(ada, "/kpi digest add tuesday 10h")
    assert "every Tuesday at 10:00" in answer(ada, "/kpi digest list")
    assert "Win rate 42.9%" in answer(ada, "/kpi digest preview")
    assert "The digest is stopped." in answer(ada, "/kpi digest stop 1")
    assert all_schedules(vigie) == []


def test_what_one_may_not_see_can_be_neither_digested_nor_watched(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    for command in ("digest add team Lyon", "alert add win rate < 25 team Lyon", "target win rate 25 team Lyon"):
        assert "Lyon" in answer(anna, f"/kpi {command}") or command.startswith("target")
    assert (all_schedules(vigie), all_rules(vigie), all_targets(vigie)) == ([], [], [])


def test_somebody_elses_digest_is_neither_listed_nor_stopped(vigie: Stage) -> None:
    answer(vigie.as_user("ada"), "/kpi digest add")
    anna = vigie.confirm("anna", "anna")
    assert "You have set up no digest yet." in answer(anna, "/kpi digest list")
    assert "There is no such digest" in answer(anna, "/kpi digest stop 1")
    assert len(all_schedules(vigie)) == 1


def test_an_alert_is_rehearsed_then_set_up_in_english_and_in_french(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    said = answer(ada, "/kpi alert add win rate < 25 for team Paris in #sales")
    assert "Win rate (by closing date), team Équipe Paris: alert below 25%, over at 30% or more." in said
    assert "Now: 50% (6 of 12" in said
    assert "Over the past 12 months it would not have fired once." in said
    assert "Recommended: win rate < 30 for team Paris" in said.replace("&lt;", "<")
    assert all_rules(vigie) == []
    assert "A rule is set up." in save(ada)
    assert "This very rule is set up already." in answer(ada, "/kpi alert add win rate < 25 for team Paris in #sales")
    marion = vigie.confirm("marion", "marion", "manager")
    said = answer(
        marion,
        "/kpi alerte ajouter panier moyen en baisse de plus de 20 % par rapport à ses 8 dernières semaines équipe Paris"
        " 2 jours de suite au moins 5 affaires silence 19h-8h sans jours fériés rappel toutes les 4 heures",
    )
    assert "alerte à 20\u202f% sous la moyenne des 8 fenêtres précédentes" in said
    assert "silence de 19:00 à 08:00" in said
    assert "jours fériés (France)" in said
    save(marion)
    answer(ada, "/kpi alert add win rate under 20 % by team recovery 22,5 over 60 days")
    save(ada)
    each, french, english = sorted(all_rules(vigie), key=lambda row: (row.each is None, row.threshold))
    assert (english.metric, english.reading, english.key) == ("win_rate", "closed", "sample:paris")
    assert (english.threshold, english.recovery, english.direction) == (Decimal(25), Decimal(30), "below")
    assert (french.metric, french.direction, french.threshold, french.recovery, french.language) == (
        "average_deal",
        "below",
        Decimal(20),
        Decimal(10),
        "fr",
    )
    assert (french.against, french.window_days, french.hold, french.min_sample) == (8, 7, 2, 5)
    assert (french.quiet_from, french.quiet_to, french.holidays, french.remind_hours) == (time(19), time(8), "FR", 4)
    assert (each.each, each.recovery, each.window_days) == ("team", Decimal("22.5"), 60)


def test_the_same_rule_saved_twice_is_one_rule(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    for _ in range(2):
        answer(ada, "/kpi alert add win rate < 25")
    first, second = ada.messages("sales")[-2:]
    for asked in (first, second):
        ada.click(asked, "alert.save")
        ada.wait_for("sales", lambda each, ts=asked["ts"]: each["ts"] == ts and "A rule is set up." in shown(each))
    assert len(all_rules(vigie)) == 1


def test_what_is_rehearsed_may_be_dropped(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer(ada, "/kpi alert add revenue < 100000")
    ada.click(ada.messages("sales")[-1], "alert.cancel")
    ada.wait_for("sales", lambda message: "Nothing was saved." in shown(message))
    assert all_rules(vigie) == []


def test_without_a_threshold_the_recommended_one_is_offered(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "Recommended: win rate < 30" in answer(ada, "/kpi alert add win rate").replace("&lt;", "<")
    ada.click(ada.messages("sales")[-1], "alert.add.0")
    ada.wait_for("sales", lambda message: "A rule to be saved" in shown(message))
    save(ada)
    (rule,) = all_rules(vigie)
    assert rule.threshold == 30
    assert "Not judged yet" in answer(ada, "/kpi alert list")
    assert "The rule is stopped." in answer(ada, "/kpi alerte arrêter")
    assert all_rules(vigie) == []


def test_a_target_is_set_listed_used_and_removed(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "The target is set: Win rate (by closing date), segment B2B: 35%." in answer(
        ada, "/kpi target win rate 35 for B2B"
    )
    vigie.clock.move(timedelta(seconds=1))
    answer(ada, "/kpi objectif ca 1 000 000 €")
    assert all_targets(vigie) == [("win_rate", "B2B", Decimal(35)), ("revenue_won", None, Decimal(1_000_000))]
    listed = answer(ada, "/kpi target list")
    assert "Revenue won (sum): €1,000,000" in listed or "Revenue won: €1,000,000" in listed
    assert "Recommended for B2C: at least 30%." in listed
    assert "The target is removed" in answer(ada, "/kpi target stop 1")
    assert all_targets(vigie) == [("revenue_won", None, Decimal(1_000_000))]


def test_the_list_recommends_only_where_no_target_is_set_and_offers_removal_to_who_may(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "Win rate: Recommended: at least 30%." in answer(ada, "/kpi target list")
    answer(ada, "/kpi target win rate 35")
    said = answer(ada, "/kpi target list")
    assert "Win rate: Recommended" not in said
    assert "Retention: Recommended: at least 80%." in said
    assert "target.stop" in str(ada.messages("sales")[-1]["blocks"])
    anna = vigie.confirm("anna", "anna")
    assert "Win rate (by closing date): 35%" in answer(anna, "/kpi target list")
    assert "target.stop" not in str(anna.messages("sales")[-1]["blocks"])


def test_the_same_digest_twice_is_refused_and_another_hour_is_not(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer(ada, "/kpi digest add Monday 9:00")
    assert "This very digest is set up already: every Monday at 09:00" in answer(ada, "/kpi digest add Monday 9:00")
    answer(ada, "/kpi digest add Monday 10:00")
    assert len(all_schedules(vigie)) == 2


def test_the_recommended_targets_are_one_click_each_where_none_is_set(vigie: Stage) -> None:
    ada, anna = vigie.as_user("ada"), vigie.confirm("anna", "anna")
    assert "Set: Win rate 30%" not in answer(anna, "/kpi target")
    offered = answer(ada, "/kpi target")
    for expected in ("Win rate 30%", "Retention 80%", "Lead conversion, B2B 20%", "Lead conversion, B2C 30%", "10%"):
        assert expected in offered
    asked = ada.messages("sales")[-1]
    buttons = [each for block in asked["blocks"] if block["type"] == "actions" for each in block["elements"]]
    for label in ("Set: Win rate 30%", "Set: Lead conversion, B2C 30%"):
        (action,) = (each["action_id"] for each in buttons if each["text"]["text"] == label)
        before = len(ada.messages("sales"))
        ada.click(asked, action)
        ada.wait_for("sales", lambda _, before=before: len(ada.messages("sales")) > before)
    assert sorted(all_targets(vigie), key=str) == [
        ("lead_conversion", "B2C", Decimal(30)),
        ("win_rate", None, Decimal(30)),
    ]
    assert "Set: Win rate" not in answer(ada, "/kpi target")


@pytest.mark.parametrize(
    ("metric", "reading", "expected"),
    [
        ("win_rate", "closed", "Over 28 days · 3 days in a row · at least 12 deals won or lost · judged 1 hour after"),
        ("retention", "literal", "Over 12 months · 3 days in a row · at least 12 customers at the start · judged"),
        ("sales_cycle", "median", "at least 12 deals won · judged"),
        ("revenue_won", "sum", "3 days in a row · judged 1 hour after midnight (UTC)"),
    ],
)
def test_a_rule_says_how_many_of_what_it_takes(metric: str, reading: str, expected: str) -> None:
    values = (None, None, None, "C1", "U1", "en", Decimal(80), Decimal(80), "below", 12, 3)
    assert expected in settings_sentence(rules.Rule("w", "r", metric, reading, *values), language("en"))


def test_targets_are_set_by_those_who_answer_for_them(vigie: Stage) -> None:
    anna, marion = vigie.confirm("anna", "anna"), vigie.confirm("marion", "marion", "manager")
    assert "An administrator of Vigie sets targets" in answer(anna, "/kpi target win rate 10")
    assert "Un administrateur de Vigie fixe les objectifs" in answer(marion, "/kpi objectif win rate 10")
    assert "L'objectif est fixé" in answer(marion, "/kpi objectif win rate 45 équipe Paris")
    assert all_targets(vigie) == [("win_rate", "sample:paris", Decimal(45))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<#C12AB|ventes> lundi", ("C12AB", "lundi")),
        ("win rate &lt; 25 in <#C12AB>", ("C12AB", "win rate < 25")),
        ("dans <#C12AB|x> équipe", ("C12AB", "équipe")),
        ("lundi", (None, "lundi")),
    ],
)
def test_channels_are_cut_with_the_word_before_them(text: str, expected: tuple[str | None, str]) -> None:
    channel, rest = cut_channel(text)
    assert (channel, " ".join(rest.split())) == expected


@pytest.mark.parametrize(
    ("text", "at", "rest"),
    [
        ("lundi 09:00 Paris", time(9), "lundi Paris"),
        ("lundi à 9h", time(9), "lundi"),
        ("9h30", time(9, 30), ""),
        ("monday at 9 am", time(9), "monday"),
        ("5 pm", time(17), ""),
        ("25:00", None, "25:00"),
        ("team 75", None, "team 75"),
    ],
)
def test_hours_are_read_in_both_habits(text: str, at: time | None, rest: str) -> None:
    found, left = cut_time(text)
    assert (found, " ".join(left.split())) == (at, rest)


def test_weekdays_are_read_in_both_languages() -> None:
    assert [cut_weekday(word)[0] for word in ("lundi", "Mondays", "tous les mercredis", "FRI", "équipe")] == [
        1,
        1,
        3,
        5,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "bound", "rest"),
    [
        ("win rate < 25 %", Bound(Decimal(25), "below"), "win rate"),
        ("cycle plus de 60 jours Paris", Bound(Decimal(60), "above"), "cycle Paris"),
        ("cycle supérieur à 12,5 j", Bound(Decimal("12.5"), "above"), "cycle"),
        ("revenue below 1 200 000 €", Bound(Decimal(1_200_000), "below"), "revenue"),
        ("win rate >= 40", Bound(Decimal(40), "above"), "win rate"),
        ("win rate", None, "win rate"),
    ],
)
def test_thresholds_are_read(text: str, bound: Bound | None, rest: str) -> None:
    found, left = cut_bound(text)
    assert (found, " ".join(left.split())) == (bound, rest)


def test_recoveries_and_values_are_read() -> None:
    assert cut_recovery("win rate retour à 30 %")[0] == 30
    assert cut_recovery("win rate recovery 32.5")[0] == Decimal("32.5")
    assert cut_value("win rate 30 for B2B") == (Decimal(30), "win rate  for B2B")
    assert cut_value("win rate B2B") == (None, "win rate B2B")


def test_a_manager_neither_sets_nor_sees_nor_removes_the_targets_of_another_team(vigie: Stage) -> None:
    ada, marion = vigie.as_user("ada"), vigie.confirm("marion", "marion", "manager")
    answer(ada, "/kpi target average deal 6,000 for Chloé")
    vigie.clock.move(timedelta(seconds=1))
    answer(ada, "/kpi target win rate 35 for team Lyon")
    assert "Lyon" in answer(marion, "/kpi objectif taux de transformation 40 équipe Lyon")
    listed = answer(marion, "/kpi objectif liste")
    assert "chloe" not in listed
    assert "Lyon" not in listed
    answer(marion, "/kpi objectif supprimer 1")
    assert all_targets(vigie) == [
        ("average_deal", "sample:chloe", Decimal(6000)),
        ("win_rate", "sample:lyon", Decimal(35)),
    ]
    assert "Average deal, rep Chloé Vente: €6,000.00" in answer(ada, "/kpi target list")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("average deal 6,000", Decimal(6000)),
        ("average deal 1,250,000.50", Decimal("1250000.50")),
        ("average deal €6,000", Decimal(6000)),
        ("panier moyen 6 000,5 €", Decimal("6000.5")),
        ("sales cycle 12,5", Decimal("12.5")),
        ("win rate -5", None),
        ("win rate −5 %", None),
        ("average deal 6.5k", None),
    ],
)
def test_an_amount_is_read_as_it_is_written_in_both_languages(text: str, value: Decimal | None) -> None:
    assert cut_value(text)[0] == value


def test_a_threshold_may_begin_with_its_currency() -> None:
    assert cut_bound("average deal below €3,000")[0] == Bound(Decimal(3000), "below")


@pytest.mark.parametrize(
    "typed", ["target win rate 130", "alert add win rate < 250", "alert add lead conversion < 101"]
)
def test_a_share_above_all_there_is_can_be_neither_aimed_at_nor_watched(vigie: Stage, typed: str) -> None:
    assert "never passes 100%" in answer(vigie.as_user("ada"), f"/kpi {typed}")
    assert (all_rules(vigie), all_targets(vigie)) == ([], [])


def test_a_share_by_revenue_or_flow_may_pass_100_percent(vigie: Stage) -> None:
    assert "The target is set" in answer(vigie.as_user("ada"), "/kpi target win rate flow 120")


def test_a_managers_digest_says_whose_numbers_it_holds(vigie: Stage) -> None:
    marion = vigie.confirm("marion", "marion", "manager")
    said = answer(marion, "/kpi digest aperçu").replace("\u00a0", " ")
    assert "Compté uniquement : Marion Chef, Équipe Paris" in said
    assert "surtout Équipe Paris" not in said
    assert "Counted only" not in answer(vigie.as_user("ada"), "/kpi digest preview")


def test_the_verbs_are_told_with_their_accents(vigie: Stage) -> None:
    marion = vigie.confirm("marion", "marion", "manager")
    assert "ajouter, lister, arrêter, aperçu" in answer(marion, "/kpi digest xyzzy")
    assert "Vouliez-vous dire « arrêter »" in answer(marion, "/kpi digest arréterr").replace("\u202f", " ")
    assert "Vous n'avez pas encore programmé de synthèse." in answer(marion, "/kpi digest LISTER")
