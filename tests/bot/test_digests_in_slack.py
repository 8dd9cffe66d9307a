"""Setting up digests as people do: which KPIs, to whom, how often; moved, paused, tested; corrected in their thread."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.jobs import digests, postman, restated
from bot.playground.person import User, shown
from storage import schedules
from storage.database import reading
from storage.schema import letter
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage
from tests.bot.test_digest_job import Edited
from tests.bot.test_loop import Hurried
from tests.bot.test_setting_up import answer


def all_schedules(stage: Stage) -> list[schedules.Schedule]:
    with reading(stage.engine) as connection:
        return schedules.running(connection, SINGLE)


def work(stage: Stage) -> None:
    for job in (digests.JOB, restated.JOB, postman.JOB):
        job.run(stage.context, Hurried())


def direct(user: User) -> list[dict[str, Any]]:
    return [message for message in user.messages() if not message["ephemeral"]]


def test_a_daily_digest_of_chosen_kpis_is_moved_paused_and_goes_on(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    said = answer(ada, "/kpi digest add #sales daily 08:30 win rate, average deal and pipeline if it changed")
    assert "Every day at 08:30 (Europe/Paris), Win rate, Average deal, Open pipeline, only when a figure has" in said
    assert "next on 24 November 2026" in said
    (row,) = all_schedules(vigie)
    assert row.kpis == '[["win_rate", "closed"], ["average_deal", "mean"], ["open_pipeline", "sum"]]'
    assert "already" in answer(
        ada, "/kpi digest add daily 8:30 win rate, average deal, pipeline if it changed", "sales"
    )
    assert "every day at 07:00 (Europe/London)" in answer(ada, "/kpi digest move 7:00 Europe/London")
    assert "Say the day, the hour or the time zone" in answer(ada, "/kpi digest move 1 tomorrow")
    assert "paused" in answer(ada, "/kpi digest pause 1")
    assert "; paused" in answer(ada, "/kpi digest list")
    vigie.clock.move(timedelta(days=3))
    assert "The digest goes on: next on 27 November 2026." in answer(ada, "/kpi digest resume 1")
    work(vigie)
    assert all_schedules(vigie)[0].next_on.isoformat() == "2026-11-27"


def test_digests_of_a_person_and_of_every_manager_come_by_direct_message(vigie: Stage) -> None:
    ada, marion = vigie.as_user("ada"), vigie.confirm("marion", "marion")
    refused = answer(marion, "/kpi digest ajouter à chaque responsable").replace("\u202f", " ")
    assert "Seul un administrateur de Vigie peut envoyer une synthèse à chaque responsable." in refused
    said = answer(marion, "/kpi digest ajouter mensuel le 24 à 9h en message privé").replace("\u202f", " ")
    assert "Le 24 de chaque mois à 09:00 (Europe/Paris), pour vous, en message privé ; la prochaine le 24 nov" in said
    said = answer(ada, "/kpi digest add to each manager Tuesday 9:00 team Lyon")
    assert "Each manager gets their own team's figures" in said
    said = answer(ada, "/kpi digest add to each manager Tuesday 9:00")
    assert "to each manager by direct message, their own team's" in said
    vigie.clock.move(timedelta(days=1))
    for _ in range(3):
        work(vigie)
        vigie.clock.move(timedelta(minutes=1))
    texts = [shown(each) for each in direct(marion)]
    assert sorted(text.split(" · ")[1].partition(" ")[0] for text in texts) == ["octobre", "semaine"]
    assert all("Chloé" not in text for text in texts)


def test_a_test_is_posted_to_oneself_as_its_readers_would_get_it(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer(ada, "/kpi digest add #sales Monday 9:00 win rate team Lyon in French")
    assert "A test is on its way to you" in answer(ada, "/kpi digest test 1")
    work(vigie)
    (message,) = direct(ada)
    assert "Taux de transformation" in shown(message)
    assert "équipe Équipe Lyon" in shown(message)
    assert [block for block in message["blocks"] if block["type"] == "image"]
    assert "Win rate" in answer(ada, "/kpi digest preview 1")
    assert all_schedules(vigie)[0].next_on.isoformat() == "2026-11-30"


def test_a_correction_stands_in_the_digests_thread_and_is_edited_in_place(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    answer(ada, "/kpi digest add #sales Tuesday 9:00 revenue")
    vigie.clock.move(timedelta(days=1))
    work(vigie)
    for status, told in (("lost", "now €9,500.00"), ("won", "hold again")):
        vigie.clock.move(timedelta(minutes=10))
        edited = Edited(**{"2026-11-bruno-0": {"status": status}})
        load(vigie.engine, SINGLE, edited, now=vigie.clock.now())
        for _ in range(3):
            work(vigie)
            vigie.clock.move(timedelta(minutes=1))
        digest = next(each for each in ada.messages("sales") if "Sales digest" in shown(each))
        (note,) = [each for each in ada.messages("sales", thread_ts=digest["ts"]) if each["ts"] != digest["ts"]]
        assert told in shown(note)
    with reading(vigie.engine) as connection:
        states = connection.execute(sa.select(letter.c.state)).scalars().all()
    assert set(states) == {"sent"}
