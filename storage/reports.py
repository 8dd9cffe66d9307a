"""What one sync did, counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from storage.connectors.base import Suggestion
from storage.troubles import Trouble


@dataclass(slots=True)
class Counts:
    """Rows of one object, or of all."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    """Rows left alone because a newer version is already there."""
    deleted: int = 0
    """Rows that lived until now: told as deleted, or not listed any more."""
    quarantined: int = 0
    kept: int = 0
    """Rows loaded and flagged."""

    def add(self, other: "Counts") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class Report:
    """What one sync did. `took` is in seconds."""

    run_id: str
    full: bool = False
    outcome: str = "ok"
    """`ok`, or `partial`: stopped, out of budget, or an object waits."""
    total: Counts = field(default_factory=Counts)
    objects: dict[str, Counts] = field(default_factory=dict)
    cleared: int = 0
    """Lines of the quarantine whose row is well now."""
    suggestions: tuple[Suggestion, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    """Every object of the source that waits, also since an earlier run."""
    absent: tuple[str, ...] = ()
    """Objects that could be read from this CRM, but that the account does not have or the credentials may not read."""
    resume_at: datetime | None = None
    """When the CRM's budget is new."""
    requests: int = 0
    months: Sequence["Month"] = ()
    """Of a full run: months of creation whose deals do not add up to what the CRM listed."""
    took: float = 0.0

    def count(self, object_: str, counts: Counts) -> None:
        self.total.add(counts)
        self.objects.setdefault(object_, Counts()).add(counts)


@dataclass(frozen=True, slots=True)
class Month:
    """Deals created in a month, in one currency: what Vigie holds and what the CRM listed, in minor units."""

    month: str | None
    """`YYYY-MM`; None = deals without a creation day of their own."""
    currency: str
    here_minor: int
    there_minor: int
