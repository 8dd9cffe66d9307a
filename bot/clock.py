"""The one place that knows what time it is. Everything else is handed a clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """This moment, aware, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved: for tests, rehearsals and `--today`."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)

    def move(self, by: timedelta) -> None:
        self.moment += by
