"""A law: what holds after any scenario, and bugs that it must catch when they are planted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine
from tests.laws.plants import (
    deletes_before_the_listing_is_whole,
    history_of_what_did_not_change,
    look_back_removed,
    merges_forgotten,
    position_ahead_of_its_page,
)

from tests.laws.houses import House
from tests.laws.synced import replay_law, sync_law

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
            (look_back_removed, position_ahead_of_its_page, deletes_before_the_listing_is_whole, merges_forgotten),
        ),
        Law("replay", replay_law, (history_of_what_did_not_change,)),
    )
}
