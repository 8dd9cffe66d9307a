"""A law: what holds after any scenario, and bugs that it must catch when they are planted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine

from tests.laws.houses import House
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

Scenario = Callable[[Engine, House, int], None]
"""Raises `AssertionError` with what is wrong."""


@dataclass(frozen=True)
class Law:
    name: str
    scenario: Scenario
    plants: tuple[Callable[[], AbstractContextManager[None]], ...]
    """Bugs by name, each planted while its context lasts."""
    one_in: int = 1
    """Of so many lives one is tried: where each is asked for seconds what it says."""


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
        Law("as-known", as_known_law, (history_forgets_amounts,), one_in=5),
        Law("plans", plans_law, (what_is_due_is_forgotten, old_tallies_stay_added), one_in=5),
    )
}
