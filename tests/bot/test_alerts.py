"""An alert taken in hand: acknowledged, assigned, snoozed, explained and judged by those who read it."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.playground.person import User, shown
from storage import rules
from storage.database import reading, writing
from storage.schema import audit, episode
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage, both_databases
from tests.bot.test_loop import Lyon, notes, posted, sync, with_rule, work, work_out
from tests.bot.test_setting_up import answer


def fired(stage: Stage, **rule: Any) -> dict[str, Any]:
    """The message of an alert that has just fired."""
    with_rule(stage, **rule)
    sync(stage, Lyon(won=0))
    work(stage)
    (message,) = posted(stage)
    return message


def now(stage: Stage) -> dict[str, Any]:
    work_out(stage)
    (message,) = posted(stage)
    return message


def click(stage: Stage, user: User, message: dict[str, Any], action_id: str, value: str | None = None) -> str:
    """What is said in private to whoever clicks."""
    before = {each["ts"] for each in user.messages("sales")}
    if value is None:
        user.click(message, action_id)
    else:
        user.choose(message, action_id, value)
    said = user.wait_for("sales", lambda each: each["ephemeral"] and each["ts"] not in before)
    return shown(said)


def menu(message: dict[str, Any]) -> str:
    """The id of the menu that assigns: it says to whom it was assigned when it was shown."""
    for block in message["blocks"]:
        for element in block.get("elements", []):
            if element["type"] == "users_select":
                return str(element["action_id"])
    raise LookupError("no menu")


def done(stage: Stage) -> list[str]:
    with reading(stage.engine) as connection:
        rows = connection.execute(sa.select(audit.c.action).order_by(audit.c.at, audit.c.id)).scalars()
        return [action for action in rows if action.startswith("alert.")]


@both_databases
def test_an_alert_is_acknowledged_once_and_the_second_is_told_who_was_first(vigie: Stage) -> None:
    message = fired(vigie)
    anna, bruno = vigie.confirm("anna", "anna"), vigie.confirm("bruno", "bruno")
    assert "no reminder follows" in click(vigie, anna, message, "alert.ack")
    assert "has acknowledged it already." in click(vigie, bruno, message, "alert.ack")
    assert anna.id in str(bruno.messages("sales")[-1]["blocks"])
    # The same click again, as after a kill before its answer: it finds done what it did.
    assert "no reminder follows" in click(vigie, anna, message, "alert.ack")
    edited = now(vigie)
    assert edited["ts"] == message["ts"]
    assert "Acknowledged by" in shown(edited)
    assert "alert.ack" not in str(edited["blocks"])
    (note,) = notes(vigie, edited)
    assert "no more reminders" in note
    assert done(vigie).count("alert.acknowledged") == 1


def test_an_alert_is_assigned_and_the_choice_made_on_what_was_there_before_is_told_so(vigie: Stage) -> None:
    message = fired(vigie)
    anna, bruno = vigie.confirm("anna", "anna"), vigie.confirm("bruno", "bruno")
    click(vigie, anna, message, menu(message), bruno.id)
    assert "already. Choose again" in click(vigie, bruno, message, menu(message), anna.id)
    edited = now(vigie)
    assert bruno.id in str(edited["blocks"])
    assert "has assigned it to" in notes(vigie, edited)[0]
    click(vigie, bruno, edited, menu(edited), anna.id)
    assert f"<@{anna.id}>" in now(vigie)["text"]
    gus = vigie.as_user("gus")
    assert "full members" in click(vigie, anna, now(vigie), menu(now(vigie)), gus.id)
    assert done(vigie).count("alert.assigned") == 2


def test_a_snooze_shows_its_end_before_and_after_and_only_the_first_of_two_counts(vigie: Stage) -> None:
    message = fired(vigie)
    anna, bruno = vigie.confirm("anna", "anna"), vigie.confirm("bruno", "bruno")
    assert "1 day: until 24 Nov 2026 at 09:" in click(vigie, anna, message, "alert.snooze")
    asked = anna.messages("sales")[-1]
    click(vigie, bruno, message, "alert.snooze")
    later = bruno.messages("sales")[-1]
    anna.click(asked, "alert.until.3")
    anna.wait_for("sales", lambda each: "It sleeps until 26 Nov 2026 at 09:" in shown(each))
    bruno.click(later, "alert.until.1")
    bruno.wait_for("sales", lambda each: "Somebody was faster: it sleeps until 26 Nov" in shown(each))
    edited = now(vigie)
    assert "Snoozed until 26 Nov 2026 at 09:" in shown(edited)
    assert "Snoozed by" in notes(vigie, edited)[0]
    click(vigie, anna, edited, "alert.snooze")
    again = anna.messages("sales")[-1]
    picker = find_picker(again)
    anna.choose(again, picker, "2026-12-01")
    anna.wait_for("sales", lambda each: "It sleeps until 1 Dec 2026 at 09:00" in shown(each))
    click(vigie, anna, edited, "alert.snooze")
    anna.choose(anna.messages("sales")[-1], find_picker(anna.messages("sales")[-1]), "2026-11-01")
    anna.wait_for("sales", lambda each: "in the next 92 days" in shown(each))
    assert done(vigie).count("alert.snoozed") == 2


def find_picker(message: dict[str, Any]) -> str:
    (picker,) = (
        str(element["action_id"])
        for block in message["blocks"]
        for element in block.get("elements", [])
        if element["type"] == "datepicker"
    )
    return picker


def test_why_says_how_it_was_judged_and_figures_only_to_those_who_may_see_them(vigie: Stage) -> None:
    message = fired(vigie)
    said = click(vigie, vigie.as_user("ada"), message, "alert.why")
    assert "Win rate (by closing date), team Équipe Lyon: alert below 30%, over at 40% or more." in said
    assert "Window: 28 days, once for each local day (UTC), on data complete 1 hour after midnight." in said
    assert "3 days in a row must be bad" in said
    assert "at least 12 deals won or lost" in said
    assert "the whole 97% interval lies below 30%" in said
    assert "10.3% (3 of 29" in said
    anna = vigie.confirm("anna", "anna")
    hidden = click(vigie, anna, message, "alert.why")
    assert "1 number behind it is not yours to see." in hidden
    assert "10.3%" not in hidden


def test_two_numbers_in_one_message_have_their_deals_asked_for_one_by_one(vigie: Stage) -> None:
    message = fired(
        vigie, dimension=None, key=None, each="rep", threshold=Decimal(99), recovery=Decimal(99), min_sample=1
    )
    text = shown(message)
    assert "are concerned." in text
    ada, anna = vigie.as_user("ada"), vigie.confirm("anna", "anna")
    assert "Whose deals?" in click(vigie, ada, message, "alert.deals")
    said = click(vigie, ada, ada.messages("sales")[-1], "alert.deals_of.0")
    assert "Behind this number" in said
    offered = click(vigie, anna, message, "alert.deals")
    assert "Bruno" in offered  # of her own team
    assert "Chloé" not in offered


@both_databases
def test_a_vote_counts_once_may_change_and_is_shown_in_the_list(vigie: Stage) -> None:
    message = fired(vigie)
    ada, anna = vigie.as_user("ada"), vigie.confirm("anna", "anna")
    assert "useful 1, noise 0" in click(vigie, ada, message, "alert.useful")
    assert "You had said so already." in click(vigie, ada, message, "alert.useful")
    assert "useful 1, noise 1" in click(vigie, anna, message, "alert.noise")
    assert "useful 0, noise 2" in click(vigie, ada, message, "alert.noise")
    said = answer(ada, "/kpi alert list")
    assert "This rule so far: useful 0, noise 2." in said
    assert "Firing since 23 Nov 2026" in said
    assert done(vigie).count("alert.vote") == 3


def test_a_rule_is_paused_and_goes_on_from_where_it_stood(vigie: Stage) -> None:
    fired(vigie)
    ada, anna = vigie.as_user("ada"), vigie.confirm("anna", "anna")
    assert "no such rule" in answer(anna, "/kpi alert pause 1")
    assert "neither fires nor recovers" in answer(ada, "/kpi alerte suspendre 1")
    assert "Paused since 23 Nov 2026" in (said := answer(ada, "/kpi alert list"))
    assert "before that firing" in said
    ada.click(ada.messages("sales")[-1], "alert.resume")
    ada.wait_for("sales", lambda each: "goes on from where it stood" in shown(each))
    with reading(vigie.engine) as connection:
        (rule,) = rules.running(connection, SINGLE)
    assert rule.paused_at is None
    assert sorted(done(vigie)) == ["alert.fired", "alert.pause", "alert.resume"]


def test_a_click_on_a_message_that_nobody_knows_any_more_is_told_so(vigie: Stage) -> None:
    message = fired(vigie)
    with writing(vigie.engine) as connection:
        connection.execute(sa.delete(episode))
    assert "no longer known" in click(vigie, vigie.as_user("ada"), message, "alert.ack")
