"""Time that passes for Vigie and for its database alike: leases go by the database's own clock."""

from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from storage.database import moment_after, writing
from storage.schema import inbox, lease, letter


@dataclass
class SharedClock(FixedClock):
    """A clock that stands still; when it is moved, the databases that go by it are as much later."""

    databases: list[Engine] = field(default_factory=list)

    def move(self, by: timedelta) -> None:
        super().move(by)
        for engine in self.databases:
            let_pass(engine, by)


def let_pass(engine: Engine, by: timedelta) -> None:
    """As if so much time had passed by the database's clock: whatever ends then ends so much sooner."""
    back = -by.total_seconds()
    with writing(engine) as connection:
        connection.execute(sa.update(lease).values(until=moment_after(lease.c.until, back)))
        held = letter.c.lease_until
        connection.execute(sa.update(letter).where(held.is_not(None)).values(lease_until=moment_after(held, back)))
        kept = {"received_at": inbox.c.received_at, "lease_until": inbox.c.lease_until}
        connection.execute(sa.update(inbox).values({name: moment_after(moment, back) for name, moment in kept.items()}))
