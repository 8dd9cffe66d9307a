"""Digests and alerts as a channel sees them: once each, edited in place, whatever Slack and restarts do."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from threading import Event
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from bot.clock import FixedClock
from bot.jobs import Job, alerts, digests, jobs, posting, postman
from bot.jobs.clock import Ticks
from bot.playground.person import shown
from bot.playground.server import Playground
from bot.settings import Settings
from kpi.charts.chart import MOST_BARS, Chart, Kind, Mark
from storage import outbox, records, rules
from storage.database import reading, writing
from storage.schema import audit, letter, schedule
from storage.schema import rule as schema_rule
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.company import Company
from tests.bot.conftest import Stage, both_databases, serving
from tests.shared_clock import let_pass


class Lyon(Company):
    """The company, with twenty more deals of Chloé's closed in the last four weeks, some of them won."""

    def __init__(self, won: int) -> None:
        super().__init__()
        self._won = won

    def _deals(self) -> Iterator[records.Deal]:
        yield from super()._deals()
        for number in range(20):
            yield records.Deal(
                ext_id=f"more-{number}",
                name=f"More {number}",
                status="won" if number < self._won else "lost",
                customer="c0",
                owner="chloe",
                amount_minor=10_000,
                created=date(2026, 11, 2),
                closed=date(2026, 11, 19),
            )


class Hurried(Event):
    """A shutdown that never comes, and waits that take no time."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def work(stage: Stage) -> None:
    """One tick of everything, as a process that has just started would do."""
    for job in (digests.JOB, alerts.JOB, postman.JOB):
        job.run(stage.context, Hurried())


def sync(stage: Stage, company: Company) -> None:
    stage.clock.move(timedelta(minutes=5))
    load(stage.engine, SINGLE, company, now=stage.clock.now())


def posted(stage: Stage, name: str = "sales") -> list[dict[str, Any]]:
    return [message for message in stage.as_user("ada").messages(name) if not message["ephemeral"]]


def notes(stage: Stage, message: dict[str, Any]) -> list[str]:
    """What the thread of a message in #sales says."""
    return [shown(each) for each in stage.as_user("ada").messages("sales", message["ts"])[1:]]


def work_out(stage: Stage) -> None:
    """Until all that is put for a channel has left: a second for each."""
    work(stage)
    while ("pending", None) in letters(stage):
        let_pass(stage.engine, timedelta(seconds=2))
        postman.JOB.run(stage.context, Hurried())


def letters(stage: Stage) -> list[tuple[str, str | None]]:
    with reading(stage.engine) as connection:
        rows = connection.execute(sa.select(letter.c.state, letter.c.error).order_by(letter.c.created_at, letter.c.id))
        return [(row.state, row.error) for row in rows]


def with_digest(stage: Stage) -> None:
    """A digest set up in words by the admin; the clock is then at its first occurrence."""
    ada = stage.as_user("ada")
    ada.command("/kpi digest add Tuesday 9:00", "sales")
    ada.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    with reading(stage.engine) as connection:
        due = connection.execute(sa.select(schedule.c.next_at)).scalar_one()
    stage.clock.move(due - stage.clock.now())


def with_rule(stage: Stage, **other: Any) -> rules.Rule:
    values: dict[str, Any] = {
        "metric": "win_rate",
        "reading": "closed",
        "dimension": "team",
        "key": "sample:lyon",
        "threshold": Decimal(30),
        "recovery": Decimal(40),
        "direction": "below",
        "language": "en",
    }
    ada = stage.confirm("ada", None, "admin")
    with writing(stage.engine) as connection:
        return rules.add(
            connection,
            workspace_id=SINGLE,
            channel_id=stage.playground.world.find_channel("sales").id,
            owner=ada.id,
            now=stage.clock.now(),
            **(values | other),
        )


@both_databases
def test_a_digest_is_posted_once_with_its_picture_and_not_again_after_a_restart(vigie: Stage) -> None:
    with_digest(vigie)
    for _ in range(3):
        work(vigie)
        vigie.clock.move(timedelta(minutes=10))
    (message,) = posted(vigie)
    text = shown(message)
    assert "Sales digest · week 47 (16–22 Nov 2026)" in text
    assert "Win rate 42.9% unchanged · target\u00a030% · n\u00a0=\u00a021" in text
    assert "Revenue won €11.5K" in text
    assert "No data for: " in text
    assert "Leads generated" in text
    assert "Data as of 23 Nov 2026 at 10:30." in text
    image = next(block for block in message["blocks"] if block["type"] == "image")
    assert "Win rate: 42.9%" in image["alt_text"]
    assert letters(vigie) == [("sent", None)]


@pytest.mark.parametrize("had_posted", [True, False])
def test_a_process_that_died_with_a_letter_in_its_hand_is_followed_by_one_that_looks_first(
    playground: Playground, settings: Settings, clock: FixedClock, had_posted: bool
) -> None:
    with serving(playground, settings, clock) as first:
        with_digest(first)
        digests.JOB.run(first.context, Event())
        with writing(first.engine) as connection:
            (held,) = outbox.claim(connection, clock.now(), 1)
        if had_posted:
            metadata = posting.metadata_of(held.id)
            first.context.slack.post(held.channel_id, held.payload["text"], held.payload["blocks"], metadata=metadata)
    clock.move(timedelta(seconds=61))
    with serving(playground, settings, clock) as second:
        for _ in range(3):
            work(second)
        assert len(posted(second)) == 1
        assert letters(second)[0][0] == "sent"


@pytest.mark.parametrize("fault", ["lost_reply", "server_error_after", "lost_request", "server_error"])
def test_an_answer_that_never_came_is_looked_up_and_neither_lost_nor_doubled(vigie: Stage, fault: str) -> None:
    with_digest(vigie)
    vigie.playground.world.metadata_subscriptions = set()  # no echo: the channel's history alone
    vigie.playground.world.faults.add("chat.postMessage", fault)
    work(vigie)
    assert letters(vigie)[0][0] == "unknown"
    for _ in range(3):
        vigie.clock.move(timedelta(minutes=1))
        work(vigie)
    assert len(posted(vigie)) == 1
    assert letters(vigie)[0][0] == "sent"


def test_a_rate_limit_delays_the_letter_and_nothing_else_happens(vigie: Stage) -> None:
    with_digest(vigie)
    vigie.playground.world.faults.add("chat.postMessage", "rate_limited", retry_after=30)
    work(vigie)
    assert (posted(vigie), letters(vigie)) == ([], [("pending", "rate_limited")])
    vigie.clock.move(timedelta(seconds=31))
    work(vigie)
    assert len(posted(vigie)) == 1


@pytest.mark.parametrize("missing", ["the drawing", "the upload"])
def test_without_its_picture_the_digest_still_goes_out(vigie: Stage, missing: str) -> None:
    with_digest(vigie)
    if missing == "the upload":
        vigie.playground.world.faults.add("files.getUploadURLExternal", "error", error="internal_error")
    else:
        digests.JOB.run(vigie.context, Hurried())
        bars = Chart(Kind.BARS, "Too many", marks=(Mark("one", 1.0),) * (MOST_BARS + 1))
        with writing(vigie.engine) as connection:
            chart = json.loads(connection.scalar(sa.select(letter.c.chart)) or "")
            connection.execute(sa.update(letter).values(chart=json.dumps({**chart, "chart": bars.to_json()})))
    work(vigie)
    (message,) = posted(vigie)
    assert "Win rate 42.9%" in shown(message)
    assert not [block for block in message["blocks"] if block["type"] == "image"]


@pytest.mark.parametrize(("refusals", "pictures"), [(2, 1), (50, 0)])
def test_a_picture_that_slack_still_works_on_is_waited_for_but_not_for_ever(
    vigie: Stage, refusals: int, pictures: int
) -> None:
    with_digest(vigie)
    vigie.playground.world.faults.add("files.processing", "unprocessed", times=refusals)
    work(vigie)
    (message,) = posted(vigie)
    assert "Win rate 42.9%" in shown(message)
    assert len([block for block in message["blocks"] if block["type"] == "image"]) == pictures
    assert letters(vigie) == [("sent", None)]


def test_a_channel_that_is_gone_makes_a_dead_letter_with_its_reason(vigie: Stage) -> None:
    with_digest(vigie)
    vigie.playground.world.faults.add("chat.postMessage", "error", error="is_archived")
    work(vigie)
    assert sorted(letters(vigie)) == [("dead", "is_archived"), ("sent", None)], "and a letter about it"


@both_databases
def test_a_late_digest_says_so_and_one_of_another_day_is_skipped_and_told(vigie: Stage) -> None:
    with_digest(vigie)
    vigie.clock.move(timedelta(hours=3))
    work(vigie)
    # It may be one that was posted and forgotten: it is looked for first.
    assert posted(vigie) == []
    vigie.clock.move(timedelta(minutes=1))
    work(vigie)
    assert "Late: this digest was due on 24 Nov 2026 at 09:00." in shown(posted(vigie)[0])
    vigie.clock.move(timedelta(days=16))
    work(vigie)
    assert len(posted(vigie)) == 1
    assert letters(vigie)[:3] == [("sent", None), ("skipped", "late"), ("skipped", "late")]
    (told,) = vigie.as_user("ada").messages()
    assert "every Tuesday at 09:00 (Europe/Paris)" in shown(told)
    assert "2 of its dates, from 1 December 2026 to 8 December 2026, were not posted" in shown(told)


def test_digests_and_alerts_tell_the_hour_of_the_clocks_in_their_channel(vigie: Stage) -> None:
    ada = vigie.as_user("ada")
    ada.command("/kpi digest add Tuesday 9:00 Europe/London", "sales")
    ada.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    vigie.clock.move(timedelta(days=1))
    digests.JOB.run(vigie.context, Event())
    with_rule(vigie)
    for _ in range(4):
        sync(vigie, Lyon(won=0))
        work(vigie)
    alert, digest = posted(vigie)  # the rule looks back over its last days at once
    assert "Data as of 23 Nov 2026 at 09:30." in shown(digest)
    assert "data as of 24 Nov 2026 at 09:" in shown(alert)


def test_a_digest_needs_the_rights_that_its_owner_has_when_it_is_posted(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    anna.command("/kpi digest add Tuesday 9h", "sales")
    anna.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    vigie.clock.move(timedelta(days=1))
    work(vigie)
    vigie.clock.move(timedelta(minutes=1))  # it is late: it is looked for before it is posted
    work(vigie)
    assert "n\u00a0=\u00a012" in shown(posted(vigie)[0])  # Paris: her own team, and no more


@both_databases
def test_an_alert_fires_once_and_recovers_in_place(vigie: Stage) -> None:
    rule = with_rule(vigie)
    for _ in range(4):
        sync(vigie, Lyon(won=0))
        work(vigie)
        work(vigie)
    (message,) = posted(vigie)
    text = shown(message)
    assert "Alert: Win rate, team Équipe Lyon below 30%" in text
    assert "10.3% (3 of 29, 95% interval 3.6% to 26.4%)." in text
    assert "Look first at the source web" in text
    for day in range(4):
        vigie.clock.move(timedelta(days=1))
        sync(vigie, Lyon(won=16))
        work_out(vigie)
        assert ("Recovered" in shown(posted(vigie)[0])) == (day >= 2)
    (edited,) = posted(vigie)
    assert edited["ts"] == message["ts"]
    assert "Recovered: Win rate, team Équipe Lyon" in shown(edited)
    assert "It had fired on 23 Nov 2026" in shown(edited)
    (note,) = notes(vigie, edited)
    assert "Back at 40% or more." in note
    with reading(vigie.engine) as connection:
        (episode,) = rules.episodes(connection, SINGLE)
        actions = connection.execute(sa.select(audit.c.action).where(audit.c.actor == rule.owner)).scalars().all()
    assert (episode.state, episode.number, episode.rule_id) == ("ok", 1, rule.id)
    assert {"alert.fired", "alert.recovered"} <= set(actions)


def test_a_late_edit_ends_an_alert_on_the_same_day_and_says_so(vigie: Stage) -> None:
    with_rule(vigie)
    sync(vigie, Lyon(won=0))
    work(vigie)
    sync(vigie, Lyon(won=16))
    work_out(vigie)
    (message,) = posted(vigie)
    assert "The data was corrected" in shown(message)
    assert "The data was corrected" in notes(vigie, message)[0]
    sync(vigie, Lyon(won=0))
    work(vigie)
    assert len(posted(vigie)) == 1, "a day that is over never fires"


def test_without_a_new_day_nothing_is_judged_again(vigie: Stage) -> None:
    with_rule(vigie, threshold=Decimal(1), recovery=Decimal(1))
    sync(vigie, Lyon(won=0))
    work(vigie)
    with writing(vigie.engine) as connection:
        connection.execute(sa.update(schema_rule).values(threshold=Decimal(30), recovery=Decimal(40)))
    for _ in range(5):
        sync(vigie, Lyon(won=0))
        work(vigie)
    with reading(vigie.engine) as connection:
        (episode,) = rules.episodes(connection, SINGLE)
    assert (episode.state, episode.streak) == ("ok", 0)
    assert posted(vigie) == []


def test_a_rule_for_each_team_tells_only_of_the_one_that_is_bad(vigie: Stage) -> None:
    with_rule(vigie, dimension=None, key=None, each="team")
    for _ in range(3):
        sync(vigie, Lyon(won=0))
        work(vigie)
    (message,) = posted(vigie)
    assert "team Équipe Lyon" in shown(message)


def test_a_recovery_whose_alert_was_never_posted_is_skipped(vigie: Stage) -> None:
    with_rule(vigie, hold=1)
    vigie.playground.world.faults.add("chat.postMessage", "error", error="not_in_channel")
    sync(vigie, Lyon(won=0))
    work(vigie)
    sync(vigie, Lyon(won=20))
    work(vigie)
    with reading(vigie.engine) as connection:
        about = sa.select(letter.c.state).where(letter.c.kind == "alert").order_by(letter.c.state)
        states = connection.execute(about).scalars().all()
    assert (states[0], set(states[1:])) <= ("dead", {"pending", "skipped"})
    assert posted(vigie) == []


def test_the_buttons_of_an_alert_answer_with_the_rights_of_who_clicks(vigie: Stage) -> None:
    with_rule(vigie, hold=1)
    sync(vigie, Lyon(won=0))
    work(vigie)
    (message,) = posted(vigie)
    ada = vigie.as_user("ada")
    ada.click(message, "alert.why")
    assert "3 of 29" in shown(ada.wait_for("sales", lambda each: each["ephemeral"]))


def test_stopping_releases_what_is_claimed_and_begins_nothing(vigie: Stage) -> None:
    with_digest(vigie)
    digests.JOB.run(vigie.context, Event())
    begun = Event()

    def last_words(context: Any, stopping: Event) -> None:
        begun.set()
        assert stopping.wait(10)
        with writing(context.engine) as connection:
            (held,) = outbox.claim(connection, context.clock.now(), 1)
        postman.deliver(context, held, stopping, monotonic())

    ticks = Ticks(vigie.context, [Job("postman", 1, last_words)])
    ticks.start()
    assert begun.wait(10)
    ticks.stop()
    assert letters(vigie) == [("pending", None)]
    assert posted(vigie) == []


def test_a_job_that_ticks_once_an_hour_ticks_at_once_when_it_is_told_to(vigie: Stage) -> None:
    first, second = Event(), Event()

    def tick(context: Any, stopping: Event) -> None:
        (second if first.is_set() else first).set()

    ticks = Ticks(vigie.context, [Job("postman", 3600, tick)])
    ticks.at_once("postman")
    ticks.start()
    assert first.wait(10)
    for _ in range(200):
        # What comes while the job still runs is left out.
        ticks.at_once("postman")
        if second.wait(0.05):
            break
    ticks.stop()
    assert second.is_set()
    ticks.at_once("postman")


def test_every_job_is_collected() -> None:
    assert {job.name for job in jobs()} >= {"digests", "alerts", "postman"}
