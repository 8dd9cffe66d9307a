"""What a rule would have done: the very same machine, run over the past year day by day, before anybody is woken."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from kpi.query import Measured
from kpi.scope import Scope
from storage.rules import Rule

DAYS = 365
"""How far a rehearsal goes back."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One episode as it would have been. `group` is the key of the group, "" for a rule that watches one number."""

    group: str
    name: str | None
    """What the group is called; None for a rule that watches one number."""
    fired_on: date
    recovered_on: date | None
    """None: it would still be open."""
    fired: Measured


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`days` were judged, oldest first; `episodes` in the order in which they would have been told."""

    days: int
    episodes: tuple[Rehearsed, ...]
    messages: int
    """New messages in the channel: groups that fire on the same day share one."""

    @property
    def messages_a_month(self) -> Decimal:
        """New messages in 30 days, to one decimal."""
        return (Decimal(30 * self.messages) / max(self.days, 1)).quantize(Decimal("0.1"))


def rehearse(
    connection: Connection,
    rule: Rule,
    scope: Scope,
    today: date,
    progress: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """When a rule (saved or not) would have fired in the 365 days that end with `today`, on what is known now.

    `progress` is told (days judged, days in all). Raises `RefusedError` where its question may not be asked.
    """
    raise NotImplementedError
