"""What every source offers to the page engine (`storage.sync`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.records import Page


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two spellings that may be one thing; reported, never merged."""

    object: str
    said: str
    """What the rows say."""
    known: str
    """The known name it resembles."""
    rows: int
    """How many rows say it."""


class Connector(Protocol):
    @property
    def source(self) -> str:
        """The system's name, the first part of every id it makes: `files`, `hubspot`."""

    @property
    def objects(self) -> Sequence[str]:
        """The objects that this connector yields, in the order of its pages."""

    def pages(self) -> Iterator[Page]:
        """Everything there is to load. Reading may take its time: no transaction is open meanwhile."""

    def suggestions(self) -> Sequence[Suggestion]:
        """Spellings that a person may want to merge; complete once `pages` has ended."""
