"""A rehearsal is the machine itself over the past year: what it says of a day is what the job would have seen."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.keeping import keeper, settle
from kpi.catalog import kpi
from kpi.rehearsal import DAYS, rehearse
from kpi.scope import Scope
from kpi.threshold import Standing, State, Transition, judge
from kpi.watch import look, threshold_of
from storage.database import open_engine, reading
from storage.rules import Rule
from storage.sync import load
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW, Company

TODAY = NOW.date()
ALL = Scope(SINGLE, everything=True)


@pytest.fixture(scope="module")
def company(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path = tmp_path_factory.mktemp("rehearsal") / "vigie.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    clock = FixedClock(NOW)
    load(engine, SINGLE, Company(), now=NOW, on_page=keeper(engine, SINGLE, clock))
    settle(engine, SINGLE, clock)
    return engine


def rule(metric: str, threshold: int, **other: Any) -> Rule:
    values = {
        "workspace_id": SINGLE,
        "id": "new",
        "metric": metric,
        "reading": kpi(metric).judged,
        "dimension": None,
        "key": None,
        "each": None,
        "channel_id": "C1",
        "owner": "U1",
        "language": "en",
        "threshold": Decimal(threshold),
        "recovery": Decimal(threshold),
        "direction": "below",
        "min_sample": 5,
        "hold": 3,
        "time_zone": "Europe/Paris",
    }
    return Rule(**(values | other))


@pytest.mark.parametrize(
    "tried",
    [
        rule("win_rate", 70, each="team", window_days=40),
        rule("deals_created", 35, direction="below"),
        rule("deals_created", 20, against=1, recovery=Decimal(10), hold=1),
        rule("retention", 99, min_sample=1),
    ],
    ids=lambda each: f"{each.metric}-{each.reading}-{each.each or each.against or 'whole'}",
)
def test_it_says_of_the_last_weeks_what_the_job_would_have_seen_day_by_day(company: Engine, tried: Rule) -> None:
    days = [TODAY - timedelta(days=ago) for ago in range(60, -1, -1)]
    with reading(company) as connection:
        rehearsed = rehearse(connection, tried, ALL, TODAY)
        seen = look(connection, tried, ALL, TODAY, days)
    found: list[tuple[str, date, date | None]] = []
    keys = {number.key for each in seen for number in each.numbers}
    for key in sorted(keys):
        standing = Standing(State.OK, NOW)
        for each in seen:
            number = next((number for number in each.numbers if number.key == key), None)
            threshold = None if number is None else threshold_of(tried, each.result, number.before)
            if number is None or threshold is None:
                standing = replace(standing, judged_on=each.day)
                continue
            at = datetime.combine(each.day, datetime.min.time(), UTC)
            standing, told = judge(threshold, standing, number.measured, day=each.day, present=True, as_of=at, now=at)
            if told is Transition.FIRED:
                found.append((key, each.day, None))
            elif told is not None:
                found[-1] = (*found[-1][:2], each.day)
    told_of = [(each.group, each.fired_on, each.recovered_on) for each in rehearsed.episodes]
    # The company's first deals are of September: nothing is known of what lies before.
    first = date(2026, 9, 5) + 28 * timedelta(days=1 + (tried.against or 0))
    assert sorted(each for each in told_of if each[1] >= first) == sorted(each for each in found if each[1] >= first)


def test_it_counts_messages_and_tells_how_far_it_is(company: Engine) -> None:
    told: list[tuple[int, int]] = []
    with reading(company) as connection:
        of_teams = rehearse(connection, rule("win_rate", 90, each="team"), ALL, TODAY)
        rehearse(connection, rule("retention", 80), ALL, TODAY, lambda done, of: told.append((done, of)))
    assert {each.group for each in of_teams.episodes} == {"sample:paris", "sample:lyon"}
    assert {each.name for each in of_teams.episodes} == {"Équipe Paris", "Équipe Lyon"}
    assert of_teams.messages == len({each.fired_on for each in of_teams.episodes}) < len(of_teams.episodes)
    assert of_teams.messages_a_month == (Decimal(30 * of_teams.messages) / DAYS).quantize(Decimal("0.1"))
    assert told[-1] == (DAYS, DAYS)


def test_before_anything_is_known_a_count_is_no_data_and_not_zero(company: Engine) -> None:
    with reading(company) as connection:
        found = rehearse(connection, rule("deals_created", 99, hold=1), ALL, TODAY)
    assert found.episodes
    assert all(each.fired_on >= date(2026, 9, 5) + timedelta(days=28) for each in found.episodes)
