"""Answers as people get them: typed in Slack, clicked, in both languages, by both transports."""

from collections.abc import Callable, Iterator
from datetime import date
from threading import Event
from typing import Any

import pytest

from bot.clock import FixedClock
from bot.jobs import postman
from bot.playground.person import User, shown
from bot.playground.server import Playground
from bot.settings import Settings
from kpi.catalog import CATALOG
from storage import records
from storage.connectors.base import Walk
from storage.records import Page, Position
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.company import Company
from tests.bot.conftest import Stage, both_databases, serving

Json = dict[str, Any]


def ask(user: User, text: str, channel: str | None = "sales") -> Json:
    """Type a command and wait for what it says."""
    return after(user, lambda: user.command(text, channel), channel)


def after(user: User, act: Callable[[], object], channel: str | None = "sales") -> Json:
    """Do something and wait for the next message that comes of it."""
    seen = {(message["ts"], str(message.get("edited"))) for message in user.messages(channel)}

    def fits(message: Json) -> bool:
        return message.get("user") != user.id and (message["ts"], str(message.get("edited"))) not in seen

    act()
    return user.wait_for(channel, fits)


def kinds(message: Json) -> list[str]:
    return [block["type"] for block in message["blocks"]]


def labels(message: Json) -> list[str]:
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    return [element["text"]["text"] for row in rows for element in row["elements"]]


@both_databases
def test_a_question_is_answered_privately_with_its_comparison_and_sample(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi win rate closed October 2026")
    assert answer["ephemeral"]
    said = shown(answer)
    assert "Win rate (by closing date), October 2026: 42.9% (9 of 21)" in said
    assert "vs September 2026 (42.9%, 9 of 21)" in said
    assert "95% interval" in said
    assert "Data as of 23 Nov 2026" in said
    assert vigie.as_user("anna").messages("sales") == []


def test_the_same_question_in_french_is_answered_in_french(vigie: Stage) -> None:
    marion = vigie.confirm("marion", "marion")
    answer = ask(marion, "/kpi panier moyen octobre 2026")
    said = shown(answer)
    assert "Panier moyen, octobre 2026\u00a0: 1\u202f666,67\u00a0€" in said
    assert labels(answer)[0] == "Tendance"


def test_few_deals_are_shown_and_marked(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    said = shown(ask(anna, "/kpi my win rate closed October 2026"))
    assert "50.0% (2 of 4)" in said
    assert "Few deals" in said


def test_groups_come_as_slacks_own_chart_with_the_number_still_in_the_text(vigie: Stage) -> None:
    answer = ask(vigie.as_user("ada"), "/kpi revenue October 2026 by rep")
    assert "data_visualization" in kinds(answer)
    assert "€11,500.00" in answer["text"]


def test_by_signed_http_the_answer_is_the_same(http_vigie: Stage) -> None:
    answer = ask(http_vigie.as_user("ada"), "/kpi revenue October 2026")
    assert "Revenue won, October 2026: €11,500.00" in shown(answer)


def test_what_is_not_understood_is_named_with_the_nearest_words(vigie: Stage) -> None:
    said = shown(ask(vigie.as_user("ada"), "/kpi wnn rate October 2026"))
    assert "wnn rate" in said
    assert "win rate" in said


def test_the_name_of_a_team_and_its_region_means_the_team_and_the_answer_says_so(vigie: Stage) -> None:
    said = shown(ask(vigie.as_user("ada"), "/kpi win rate October 2026 for Paris"))
    assert "Win rate (by creation date), October 2026, team Équipe Paris: " in said


def test_each_meaning_of_an_ambiguous_word_is_a_click_away(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi conversion rate October 2026")
    assert "may mean several things" in shown(answer)
    assert labels(answer) == ["Win rate October 2026", "Lead conversion October 2026"]
    clicked = after(ada, lambda: ada.click(answer, "answer.meant.0"))
    assert "Win rate (by creation date), October 2026: " in shown(clicked)


def test_words_that_resemble_nothing_are_answered_with_the_way_to_the_help(vigie: Stage) -> None:
    assert "“/kpi help” says all that I know." in shown(ask(vigie.as_user("ada"), "/kpi blabla"))
    chloe = vigie.confirm("chloe", "chloe")
    assert "« /kpi aide » dit tout ce que je connais." in shown(ask(chloe, "/kpi météo")).replace("\u202f", " ")


def test_the_nearest_word_is_a_click_away(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    told = ask(ada, "/kpi revenu October 2026 by teem")
    assert labels(told)[0] == "revenu October 2026 by team"
    answer = after(ada, lambda: ada.click(told, "answer.meant.0"))
    assert "€11,500.00" in shown(answer)


def test_an_unforeseen_error_gives_a_reference_that_is_in_the_log(
    vigie: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("bot.commands.ask.compute", broken)
    said = shown(ask(vigie.as_user("ada"), "/kpi revenue"))
    reference = said.rpartition(" ")[2]
    assert f"unexpected_error reference={reference}" in caplog.text
    assert "secret detail" not in said


def test_a_command_is_acknowledged_well_before_slack_gives_up(vigie: Stage) -> None:
    assert vigie.as_user("ada").command("/kpi help", "sales") < 3000


# Buttons


def test_the_trend_is_a_click_away(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    trend = after(ada, lambda: ada.click(answer, "answer.trend"))
    assert "data_visualization" in kinds(trend)
    assert "Oct 2026" in shown(trend)


def test_groups_and_the_period_before_are_a_click_away(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    by_rep = after(ada, lambda: ada.click(answer, "answer.group.rep"))
    assert "Bruno Vente" in shown(by_rep)
    before = after(ada, lambda: ada.click(answer, "answer.previous"))
    assert "Revenue won, September 2026" in shown(before)


def test_the_deals_behind_the_number_are_listed_page_by_page(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi deals created October 2026")
    first = after(ada, lambda: ada.click(answer, "answer.deals"))
    assert "1 to 25 of 27" in shown(first)
    assert "data_table" in kinds(first)
    second = after(ada, lambda: ada.click(first, "answer.deals.25"))
    assert "26 to 27 of 27" in shown(second)


class WithLeads(Company):
    """The company, with three leads of October, one of them not qualified."""

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        leads = [
            records.Lead(
                ext_id=f"lead-{at}",
                name=f"Lead {at}",
                owner="anna",
                created=date(2026, 10, 5),
                qualified=at > 0,
                inbound=True,
                converted=at == 1,
            )
            for at in range(3)
        ]
        yield self._page("lead", leads)


def test_the_leads_behind_a_number_say_which_are_left_out_and_have_no_empty_columns(vigie: Stage) -> None:
    load(vigie.engine, SINGLE, WithLeads(), now=vigie.clock.now())
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi lead conversion October 2026")
    assert "The leads" in labels(answer)
    listed = after(ada, lambda: ada.click(answer, "answer.deals"))
    assert "1 to 3 of 3, 1 of them left out: they come last" in shown(listed)
    [table] = [block for block in listed["blocks"] if block["type"] == "data_table"]
    head = [cell["text"] for cell in table["rows"][0]]
    assert head[:4] == ["Lead", "Rep", "Status", "Created"]


def test_how_it_is_computed_says_the_definition_and_this_answers_numbers(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi win rate October 2026")
    said = shown(after(ada, lambda: ada.click(answer, "answer.how")))
    assert "Of the deals created in the period, the share won as of now." in said
    assert "deals won ÷ deals created" in said
    assert "33.3% (9 of 27)" in said


def test_a_button_gives_the_clickers_own_numbers(vigie: Stage) -> None:
    """A value copied out of an admin's answer shows a rep no more than the rep may see."""
    ada, anna = vigie.as_user("ada"), vigie.confirm("anna", "anna")
    theirs = ask(ada, "/kpi revenue October 2026")
    value = next(
        element["value"] for element in theirs["blocks"][-1]["elements"] if element["action_id"] == "answer.deals"
    )
    mine = ask(anna, "/kpi revenue September 2026")
    with vigie.playground.world.lock:
        message = vigie.playground.world.find_message(mine["channel"], mine["ts"])
        assert message is not None
        for element in message.blocks[-1]["elements"]:
            element["value"] = value
    said = shown(after(anna, lambda: anna.click(mine, "answer.deals")))
    assert "October 2026" in said
    assert "Chloé" not in said


def test_a_forged_button_value_is_refused_with_a_sentence(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    with vigie.playground.world.lock:
        message = vigie.playground.world.find_message(answer["channel"], answer["ts"])
        assert message is not None
        for element in message.blocks[-1]["elements"]:
            element["value"] = '{"m":"salary","r":"x","a":"2026-10-01","b":"2026-11-01"}'
    assert "please ask again" in shown(after(ada, lambda: ada.click(answer, "answer.deals")))


# The ladder


def test_a_question_by_week_and_by_team_shows_both(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi win rate closed from 2026-09-01 to 2026-10-31 monthly by team")
    weeks, teams = (block for block in answer["blocks"] if block["type"] == "data_visualization")
    assert weeks["chart"]["axis_config"]["categories"] == ["Sept 2026", "Oct 2026"]
    assert teams["chart"]["axis_config"]["categories"] == ["Équipe Paris", "Équipe Lyon"]
    assert "not shown" not in shown(answer)

    vigie.playground.world.faults.add("response_url", "error", 1, error="invalid_blocks")
    plain = ask(ada, "/kpi win rate closed from 2026-09-01 to 2026-10-31 monthly by team")
    assert "table" in kinds(plain)
    assert "Équipe Lyon: 33.3%" in shown(plain)


def test_when_slack_refuses_the_chart_a_table_comes(vigie: Stage) -> None:
    vigie.playground.world.faults.add("response_url", "error", 1, error="invalid_blocks")
    answer = ask(vigie.as_user("ada"), "/kpi revenue October 2026 by rep")
    assert "data_visualization" not in kinds(answer)
    assert "table" in kinds(answer)
    assert "€11,500.00" in shown(answer)


def test_when_slack_refuses_every_block_the_number_comes_as_text(vigie: Stage) -> None:
    vigie.playground.world.faults.add("response_url", "error", 2, error="invalid_blocks")
    answer = ask(vigie.as_user("ada"), "/kpi revenue October 2026 by rep")
    assert not answer["blocks"]
    assert "Revenue won, October 2026: €11,500.00" in answer["text"]


def test_a_lost_answer_is_given_again(vigie: Stage) -> None:
    vigie.playground.world.faults.add("response_url", "lost_request", 1)
    assert "€11,500.00" in shown(ask(vigie.as_user("ada"), "/kpi revenue October 2026"))


# Who asks


def test_the_first_question_asks_who_one_is_and_is_then_answered(vigie: Stage) -> None:
    anna = vigie.as_user("anna")
    asked = ask(anna, "/kpi revenue October 2026")
    assert "you are Anna Vente in the CRM" in shown(asked)
    assert "€" not in shown(asked)
    answer = after(anna, lambda: anna.click(asked, "people.confirm"))
    assert "Revenue won, October 2026: €10,000.00" in shown(answer)
    assert "Anna Vente, Équipe Paris" in shown(answer)
    assert "€10,000.00" in shown(ask(anna, "/kpi revenue October 2026"))


def test_the_person_of_the_setting_is_admin_whatever_they_were_before(vigie: Stage) -> None:
    ada = vigie.confirm("ada", "chloe", role="rep")
    assert "€11,500.00" in shown(ask(ada, "/kpi revenue October 2026"))


def test_nobody_becomes_a_person_that_somebody_else_already_is(vigie: Stage) -> None:
    vigie.confirm("nobody", "anna")
    anna = vigie.as_user("anna")
    asked = ask(anna, "/kpi revenue October 2026")
    said = shown(after(anna, lambda: anna.click(asked, "people.confirm")))
    assert "already known as that person" in said
    assert "€" not in said


def test_who_is_not_in_the_crm_can_ask_an_admin(vigie: Stage) -> None:
    ask(vigie.as_user("ada"), "/kpi status")
    nobody = vigie.as_user("nobody")
    asked = ask(nobody, "/kpi revenue")
    assert "I do not know who you are" in shown(asked)
    told = after(nobody, lambda: nobody.click(asked, "people.ask_admin"))
    assert "administrators have been told" in shown(told)
    postman.run(vigie.context, Event())
    [message] = vigie.as_user("ada").messages()
    assert f"/kpi link {nobody.id} e-mail" in shown(message)


def test_a_guest_gets_no_figures(vigie: Stage) -> None:
    said = shown(ask(vigie.as_user("gus"), "/kpi revenue October 2026", "visitors"))
    assert "€" not in said
    assert "guests" in said


def test_a_rep_sees_the_team_and_no_other(vigie: Stage) -> None:
    anna, chloe = vigie.confirm("anna", "anna"), vigie.confirm("chloe", "chloe")
    assert "€10,000.00" in shown(ask(anna, "/kpi revenue October 2026"))
    assert "1\u202f500,00\u00a0€" in shown(ask(chloe, "/kpi chiffre d'affaires octobre 2026"))
    assert "Chloé" not in shown(ask(anna, "/kpi revenue October 2026 by rep"))


def test_an_admin_links_somebody_and_only_an_admin(vigie: Stage) -> None:
    ada, nobody = vigie.as_user("ada"), vigie.as_user("nobody")
    refused = ask(vigie.confirm("anna", "anna"), f"/kpi link @{nobody.person.name} bruno@example.com")
    assert "Only an administrator" in shown(refused)
    done = ask(ada, f"/kpi link @{nobody.person.name} bruno@example.com")
    assert "Bruno Vente" in shown(done)
    assert "€10,000.00" in shown(ask(nobody, "/kpi revenue October 2026"))


# Help, status, Home


def test_help_lists_every_kpi_of_the_catalog(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    for text in ("/kpi help", "/kpi aide", "/kpi", "/kpi ?", "/kpi HELP"):
        said = shown(ask(ada, text))
        assert all(kpi.name in said for kpi in CATALOG), text
        assert "/kpi status" in said, text


def test_help_about_one_kpi_says_how_it_is_computed(vigie: Stage) -> None:
    said = shown(ask(vigie.as_user("ada"), "/kpi help taux de transformation"))
    assert "Win rate" in said
    assert "it may pass 100 %" in said


def test_status_says_how_fresh_and_complete_the_data_is(vigie: Stage) -> None:
    said = shown(ask(vigie.as_user("ada"), "/kpi status"))
    assert "Data as of 23 Nov 2026" in said
    assert "Deals: 81" in said
    assert "No row is in quarantine." in said


def test_a_message_to_vigie_is_answered_with_where_to_ask(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    assert "/kpi help" in shown(after(ada, lambda: ada.say("hello"), None))


def test_a_mention_is_answered_to_that_person_only(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    ada.say("@vigie hello", "sales")
    said = ada.wait_for("sales", lambda message: message["ephemeral"])
    assert "/kpi help" in shown(said)


def test_people_talking_with_each_other_are_left_alone(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    ada.say("good morning", "sales")
    ada.say("@vigie hello", "sales")
    ada.wait_for("sales", lambda message: message["ephemeral"])
    assert len([message for message in ada.messages("sales") if message["ephemeral"]]) == 1


def test_the_home_tab_shows_my_month(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    anna.open_home()
    said = shown({"text": "", **anna.wait_for_home()})
    assert "€2,000.00" in said
    assert "Win rate" in said


# Stopping


def test_what_was_accepted_is_answered_before_vigie_stops(
    playground: Playground, settings: Settings, clock: FixedClock
) -> None:
    stage = serving(playground, settings, clock)
    with stage as running:
        ada = running.as_user("ada")
        ada.command("/kpi revenue October 2026", "sales")
    assert "€11,500.00" in shown(ada.wait_for("sales", timeout=1))


def test_a_kpi_of_the_whole_company_is_refused_by_its_name(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    said = shown(ask(anna, "/kpi cac last quarter"))
    assert "Customer acquisition cost is counted for the whole company only" in said


def test_a_cohort_that_is_still_open_has_not_reached_its_target_yet(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    ask(ada, "/kpi target win rate cohort 90")
    assert "Target: 90.0%, not reached yet." in shown(ask(ada, "/kpi win rate November 2026"))


def test_a_mentioned_colleague_is_the_rep_they_are_in_the_crm(vigie: Stage) -> None:
    marion, bruno = vigie.confirm("marion", "marion"), vigie.confirm("bruno", "bruno")
    said = shown(ask(marion, f"/kpi panier moyen octobre 2026 @{bruno.person.name}"))
    assert "commercial Bruno Vente" in said


@pytest.mark.parametrize("mentioned", ["chloe", "nobody"])
def test_a_mention_of_another_teams_rep_or_of_nobody_is_refused(vigie: Stage, mentioned: str) -> None:
    vigie.confirm("chloe", "chloe")
    anna = vigie.confirm("anna", "anna")
    said = shown(ask(anna, f"/kpi revenue October 2026 @{mentioned}"))
    assert "The person you mention is no rep whose figures you may see." in said


@pytest.mark.parametrize(("typed", "meant"), [("stauts", "/kpi status"), ("alrte ajouter", "/kpi alert")])
def test_a_misspelt_command_is_recognised(vigie: Stage, typed: str, meant: str) -> None:
    assert f"Did you mean “{meant}" in shown(ask(vigie.as_user("ada"), f"/kpi {typed}"))
