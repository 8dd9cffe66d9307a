"""A law: what holds after any scenario, and bugs that it must catch when they are planted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine

from tests.laws.houses import House
from tests.laws.planned import plans_law
from tests.laws.plants import (
    content_looks_new_each_time,
    customers_hang_on_nothing,
    guard_removed,
    history_forgets_amounts,
    listing_forgets_what_it_told_before_a_kill,
    look_back_removed,
    merges_forgotten,
    old_tallies_stay_added,
    position_ahead_of_its_page,
    twenty_percent_rule_removed,
)
from tests.laws.synced import as_known_law, replay_law, sync_law

Scenario = Callable[[Engine, House, int], None]
"""Raises `AssertionError` with what is wrong."""


@dataclass(frozen=True)
class Law:
    name: str
    scenario: Scenario
    plants: tuple[Callable[[], AbstractContextManager[None]], ...]
    """Bugs by name, each planted while its context lasts."""


LAWS = {
    law.name: law
    for law in (
        Law(
            "sync",
            sync_law,
            (
                look_back_removed,
                guard_removed,
                position_ahead_of_its_page,
                twenty_percent_rule_removed,
                listing_forgets_what_it_told_before_a_kill,
                merges_forgotten,
            ),
        ),
        Law("replay", replay_law, (content_looks_new_each_time,)),
        Law("as-known", as_known_law, (history_forgets_amounts,)),
        Law("plans", plans_law, (customers_hang_on_nothing, old_tallies_stay_added)),
    )
}
