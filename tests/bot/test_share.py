"""Sharing an answer: who would see it is said first, and it is posted once."""

import json
from threading import Event

import sqlalchemy as sa

from bot.commands.share import on_yes
from bot.conversation import Click
from bot.i18n import language
from bot.jobs import postman
from bot.playground.person import shown
from storage import schema
from storage.database import reading
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage, both_databases
from tests.bot.test_answers import Json, after, ask, kinds


def deliver(stage: Stage) -> None:
    postman.run(stage.context, Event())


def in_channel(stage: Stage, name: str = "sales") -> list[Json]:
    """What somebody else sees there."""
    return stage.as_user("bruno").messages(name)


@both_databases
def test_sharing_names_the_channel_and_its_readers_and_asks_first(vigie: Stage) -> None:
    marion = vigie.confirm("marion", "marion")
    answer = ask(marion, "/kpi taux de transformation octobre 2026 par commercial")
    asked = after(marion, lambda: marion.click(answer, "answer.share"))
    said = shown(asked)
    assert "6 personnes de #sales verront ce qui y est publié." in said
    deliver(vigie)
    assert in_channel(vigie) == []

    called = Event()
    vigie.context.postman.listener = called.set
    marion.click(asked, "share.yes")
    marion.wait_for("sales", lambda message: "Partagé dans #sales" in shown(message))
    assert called.is_set()
    deliver(vigie)
    [letter] = in_channel(vigie)
    assert "(6 of 15)" in shown(letter)
    assert "image" in kinds(letter)
    assert not letter["ephemeral"]


def test_a_double_click_shares_once(vigie: Stage) -> None:
    """Two clicks of the same button, both on their way before either is done."""
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    asked = after(ada, lambda: ada.click(answer, "answer.share"))
    button = asked["blocks"][-1]["elements"][0]
    click = Click(
        workspace_id=SINGLE,
        user_id=ada.id,
        language=language("en"),
        channel_id=asked["channel"],
        action_id=button["action_id"],
        value=button["value"],
        message_ts=asked["ts"],
    )
    assert "Shared in #sales" in on_yes(click, vigie.context).text
    assert "Shared in #sales" in on_yes(click, vigie.context).text
    deliver(vigie)
    assert len(in_channel(vigie)) == 1


def test_every_disclosure_is_in_the_audit_without_figures(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    asked = after(ada, lambda: ada.click(answer, "answer.share"))
    ada.click(asked, "share.yes")
    ada.wait_for("sales", lambda message: "Shared in" in shown(message))
    with reading(vigie.engine) as connection:
        [row] = connection.execute(sa.select(schema.audit).where(schema.audit.c.action == "share")).all()
    assert row.actor == ada.id
    assert json.loads(row.details) == {"channel": asked["channel"], "metric": "revenue_won", "reading": "sum"}


def test_who_says_no_shares_nothing(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    asked = after(ada, lambda: ada.click(answer, "answer.share"))
    ada.click(asked, "share.no")
    ada.wait_for("sales", lambda message: "Nothing was shared" in shown(message))
    deliver(vigie)
    assert in_channel(vigie) == []


def test_a_shared_answer_holds_the_sharers_numbers_and_says_whose_they_are(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    answer = ask(anna, "/kpi revenue October 2026")
    asked = after(anna, lambda: anna.click(answer, "answer.share"))
    anna.click(asked, "share.yes")
    anna.wait_for("sales", lambda message: "Shared in" in shown(message))
    deliver(vigie)
    said = shown(in_channel(vigie)[0])
    assert "€10,000.00" in said
    assert "Counted only: Anna Vente, Équipe Paris." in said
    assert "you may see" not in said


def test_a_channel_without_the_bot_is_noticed_and_a_button_lets_it_in(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026", "quiet")
    told = after(ada, lambda: ada.click(answer, "answer.share"), "quiet")
    assert "I am not in #quiet yet" in shown(told)
    ada.click(told, "channel.join")
    ada.wait_for("quiet", lambda message: "I am in #quiet now" in shown(message))
    asked = after(ada, lambda: ada.click(answer, "answer.share"), "quiet")
    assert "6 people in #quiet will see it." in shown(asked)


def test_from_a_direct_message_the_channel_is_picked_in_a_form(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026", None)
    ada.click(answer, "answer.share")
    form = ada.wait_for_view()
    partners = vigie.playground.world.find_channel("partners").id
    assert ada.submit(form, {"channel": partners}) == {}
    asked = ada.wait_for(None, lambda message: "#partners" in shown(message))
    assert "People of other organisations are among them." in shown(asked)
    ada.click(asked, "share.yes")
    ada.wait_for(None, lambda message: "Shared in #partners" in shown(message))
    deliver(vigie)
    assert "€11,500.00" in shown(in_channel(vigie, "partners")[0])


def test_the_form_says_beside_the_field_when_the_bot_is_missing(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026", None)
    ada.click(answer, "answer.share")
    form = ada.wait_for_view()
    errors = ada.submit(form, {"channel": vigie.playground.world.find_channel("quiet").id})
    assert "not in #quiet" in errors["channel"]


def test_a_forged_confirmation_shares_nothing(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer = ask(ada, "/kpi revenue October 2026")
    for forged in ("x", "[]", '{"c":"C1"}', '{"c":"C000000009","q":"{}"}', '{"c":"C000000009","q":7}'):
        asked = after(ada, lambda: ada.click(answer, "answer.share"))
        with vigie.playground.world.lock:
            message = vigie.playground.world.find_message(asked["channel"], asked["ts"])
            assert message is not None
            for element in message.blocks[-1]["elements"]:
                element["value"] = forged
        told = after(ada, lambda: ada.click(asked, "share.yes"))  # noqa: B023 - clicked at once
        assert "please ask again" in shown(told), forged
    deliver(vigie)
    assert in_channel(vigie) == []
