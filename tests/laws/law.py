"""A law: what holds after any scenario, and bugs that it must catch when they are planted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine

from tests.laws.alerting import PLANTS as ALERT_PLANTS
from tests.laws.alerting import SEEDS as ALERT_SEEDS
from tests.laws.alerting import alerts_law
from tests.laws.chaos import chaos_law
from tests.laws.crashed import crash_law, pairs
from tests.laws.dated import (
    dst_law,
    it_comes_whenever_the_clocks_show_its_hour,
    the_next_one_is_so_many_hours_later,
    the_second_of_a_doubled_hour_counts,
    zones,
)
from tests.laws.delivered import delivery_law, over
from tests.laws.designs import DESIGNS
from tests.laws.houses import House, real, toys
from tests.laws.planned import plans_law
from tests.laws.plants import (
    content_looks_new_each_time,
    guard_removed,
    history_forgets_amounts,
    listing_forgets_what_it_told_before_a_kill,
    look_back_removed,
    merges_forgotten,
    old_tallies_stay_added,
    position_ahead_of_its_page,
    twenty_percent_rule_removed,
    what_is_due_is_forgotten,
)
from tests.laws.synced import as_known_law, replay_law, sync_law

KINDS = ("sqlite", "postgresql")

Scenario = Callable[[Engine, str, int], int | None]
"""Given a database, one of those that the law is `over`, and a seed. Raises `AssertionError` with what is wrong; may
say how many different scenarios it was (none said: one)."""


def crms() -> tuple[str, ...]:
    return tuple(house.name for house in (*real(), *toys()))


@dataclass(frozen=True)
class Law:
    name: str
    scenario: Scenario
    plants: tuple[Callable[[], AbstractContextManager[None]], ...] = ()
    """Bugs by name, each planted while its context lasts."""
    one_in: int = 1
    """Of so many lives one is tried: where each is asked for seconds what it says."""
    times: int = 1
    """As many scenarios for each that is asked for: where they are cheap."""
    most: int | None = None
    """There are no more seeds than this."""
    over: Callable[[], tuple[str, ...]] = crms
    """By name, what its scenarios are spread over."""
    kinds: tuple[str, ...] = KINDS
    """The databases."""

    def runs(self, asked: int) -> int:
        """How many scenarios where so many are asked for."""
        wanted = max(1, asked * self.times // self.one_in)
        return wanted if self.most is None else min(wanted, self.most)


def with_crm(scenario: Callable[[Engine, House, int], None]) -> Scenario:
    """A scenario of a CRM, which is given by its name."""

    def run(engine: Engine, name: str, seed: int) -> None:
        scenario(engine, next(house for house in (*real(), *toys()) if house.name == name), seed)

    return run


LAWS = {
    law.name: law
    for law in (
        Law(
            "sync",
            with_crm(sync_law),
            (
                look_back_removed,
                guard_removed,
                position_ahead_of_its_page,
                twenty_percent_rule_removed,
                listing_forgets_what_it_told_before_a_kill,
                merges_forgotten,
            ),
        ),
        Law("replay", with_crm(replay_law), (content_looks_new_each_time,)),
        Law("as-known", with_crm(as_known_law), (history_forgets_amounts,), one_in=5),
        Law("plans", with_crm(plans_law), (what_is_due_is_forgotten, old_tallies_stay_added), one_in=5),
        Law("alerts", alerts_law, ALERT_PLANTS, most=ALERT_SEEDS, over=lambda: ("teams",)),
        # On PostgreSQL and over HTTP it takes longer, and goes another way at few places only.
        Law("delivery", delivery_law, DESIGNS, times=10, over=over, kinds=(*["sqlite"] * 9, "postgresql")),
        Law("chaos", chaos_law, most=1, over=lambda: ("processes",), kinds=("postgresql",)),
        # All of them, however few are asked for.
        Law("crash", crash_law, times=1000, most=len(KINDS) * len(pairs()), over=pairs),
        Law(
            "dst",
            dst_law,
            (
                the_second_of_a_doubled_hour_counts,
                the_next_one_is_so_many_hours_later,
                it_comes_whenever_the_clocks_show_its_hour,
            ),
            times=10,
            most=len(zones()),
            over=zones,
            kinds=("sqlite",),
        ),
    )
}
