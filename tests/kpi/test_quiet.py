from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from kpi.quiet import is_off, leaves_at
from tests.kpi.test_rehearsal import rule

PARIS = ZoneInfo("Europe/Paris")
ANY = rule("win_rate", 25)
NIGHT = replace(ANY, quiet_from=time(19), quiet_to=time(8, 30))
FRANCE = replace(NIGHT, holidays="FR")


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("told", "now", "leaves"),
    [
        (ANY, "2026-11-21T03:00", "2026-11-21T03:00"),
        (NIGHT, "2026-11-23T12:00", "2026-11-23T12:00"),
        (NIGHT, "2026-11-23T19:00", "2026-11-24T08:30"),
        (NIGHT, "2026-11-24T01:10", "2026-11-24T08:30"),
        (NIGHT, "2026-11-24T08:30", "2026-11-24T08:30"),
        (NIGHT, "2026-11-21T12:00", "2026-11-21T12:00"),  # a Saturday is a day like any other …
        (FRANCE, "2026-11-21T12:00", "2026-11-23T08:30"),  # … but in France
        (FRANCE, "2026-11-20T20:00", "2026-11-23T08:30"),
        (FRANCE, "2026-07-13T20:00", "2026-07-15T08:30"),  # the 14th of July
        (replace(ANY, holidays="FR"), "2026-07-14T10:00", "2026-07-15T08:00"),
        (replace(ANY, quiet_from=time(12), quiet_to=time(14)), "2026-11-23T13:00", "2026-11-23T14:00"),
        (replace(FRANCE, quiet_from=time(6), quiet_to=time(9)), "2026-07-14T10:00", "2026-07-15T09:00"),
        (replace(ANY, quiet_from=time(9), quiet_to=time(9)), "2026-11-23T09:00", "2026-11-23T09:00"),
        (NIGHT, "2026-10-24T23:00", "2026-10-25T08:30"),  # the night that is an hour longer
        (NIGHT, "2026-03-28T23:00", "2026-03-29T08:30"),  # and the one that is shorter
    ],
)
def test_a_message_leaves_at_the_end_of_the_quiet_time(told: object, now: str, leaves: str) -> None:
    assert leaves_at(told, paris(now)) == paris(leaves)  # type: ignore[arg-type]


def test_in_the_doubled_hour_nothing_is_held_for_ever() -> None:
    told = replace(ANY, quiet_from=time(1), quiet_to=time(2, 30))
    first, second = paris("2026-10-25T02:10"), paris("2026-10-25T02:10").replace(fold=1)
    assert leaves_at(told, first) == paris("2026-10-25T02:30").astimezone(UTC)
    assert leaves_at(told, second) == second.astimezone(UTC)


def test_a_country_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        is_off("ZZ", paris("2026-11-23T12:00").date())
