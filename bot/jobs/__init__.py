"""One file = one job: something done every few seconds, whose real memory is the database. Each ends with `JOB`."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from threading import Event

from bot.conversation import Context


@dataclass(frozen=True, slots=True)
class Job:
    """`run` does what is due and returns; it looks at the event between two pieces of work and stops early when set."""

    name: str
    every_seconds: float
    run: Callable[[Context, Event], None]


def jobs() -> tuple[Job, ...]:
    """Every `JOB` of this package."""
    rooms = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return tuple(room.JOB for room in rooms if hasattr(room, "JOB"))
