"""Bugs to plant: each is what somebody might really write, and lasts as long as its context."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from storage.connectors.base import Walk


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    there = owner.__dict__[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, there)


@contextmanager
def look_back_removed() -> Iterator[None]:
    """Changes are read from where the last run began: what showed late is never read."""
    nothing = property(lambda _walk: timedelta(0), lambda _walk, _value: None)
    with patched(Walk, "look_back", nothing):
        yield
