"""What a connector yields: canonical records in pages, with the rows that could not be read and why.

A record names others by the ext id their source uses; `make_id` turns that into Vigie's id. Dates may be local days
(`date`) or moments (aware `datetime`): the page engine makes local days of moments in the workspace's time zone.
Amounts are integer minor units.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

When = date | datetime
"""A local day, or an aware moment."""

_LONGEST_EXT_ID = 120


def make_id(source: str, ext_id: str) -> str:
    """Vigie's id of a row: readable, deterministic, at most about 200 characters.

    >>> make_id("files", "1C1I7A6R")
    'files:1C1I7A6R'
    """
    if len(ext_id) > _LONGEST_EXT_ID:
        digest = hashlib.sha256(ext_id.encode()).hexdigest()[:32]
        ext_id = f"{ext_id[: _LONGEST_EXT_ID - 33]}~{digest}"
    return f"{source}:{ext_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far one object of a source has been read; written with the rows that it speaks of.

    Either a listing of everything is under way (`listing`), or changes are read in the order (modified, id). A keyset,
    never an offset: rows that change while they are read move behind the position, never in front of it.
    """

    listing: bool = True
    token: str = ""
    """Of a listing: where it goes on, in the connector's own words; empty = at its beginning."""
    began: datetime | None = None
    """When the walk under way began; None = the walk before it is over, and the next one has not begun."""
    since: datetime | None = None
    """Of changes: rows modified at this moment or later are still to be read."""
    after: str = ""
    """Of changes: of the rows modified exactly at `since`, those up to this ext id have been read."""

    def done(self, behind: timedelta | None = None) -> "Position":
        """The position after the last page of the walk: changes since it began are next.

        `behind` is how far the CRM's clock is behind ours, where that is known: its moments are then earlier than
        `began`. A walk may end in a later run than the one it began in, hence a difference and not a moment.
        """
        return Position(listing=False, since=self.began and self.began - (behind or timedelta(0)))

    def to_json(self) -> str:
        told = {name: getattr(self, name) for name in ("listing", "token", "began", "since", "after")}
        return json.dumps(
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
        )

    @classmethod
    def from_json(cls, text: str) -> "Position":
        """Raises `ValueError` or `TypeError` for a text that `to_json` did not write; `{}` is the beginning."""
        read = json.loads(text)
        moments = {name: datetime.fromisoformat(read[name]) for name in ("began", "since") if read.get(name)}
        return cls(**(read | moments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record carries."""

    object: ClassVar[str]
    ext_id: str
    modified: datetime | None = None
    deleted: bool = False
    """The source keeps the row, but as one that was deleted: no number counts it."""
    merged_into: str | None = None
    """The ext id of the row of the same object that took this one over; such a row is also `deleted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team(Record):
    object = "team"
    name: str
    parent: str | None = None
    manager: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Record):
    object = "person"
    name: str
    email: str | None = None
    region: str | None = None
    team: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Record):
    object = "customer"
    name: str
    segment: str | None = None
    origin: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Record):
    object = "product"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Record):
    object = "pipeline"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Record):
    object = "stage"
    name: str
    pipeline: str | None = None
    position: int = 0
    status: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(Record):
    object = "deal"
    name: str
    status: str
    raw_status: str | None = None
    kind: str | None = None
    customer: str | None = None
    owner: str | None = None
    product: str | None = None
    pipeline: str | None = None
    stage: str | None = None
    lead: str | None = None
    segment: str | None = None
    origin: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    """None = the workspace's currency."""
    created: When | None = None
    closed: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Record):
    object = "lead"
    name: str
    created: When | None = None
    qualified_on: When | None = None
    qualified: bool | None = None
    inbound: bool | None = None
    converted: bool | None = None
    converted_on: When | None = None
    customer: str | None = None
    owner: str | None = None
    segment: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract(Record):
    object = "contract"
    customer: str
    starts_on: date
    ends_on: date | None = None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase(Record):
    object = "purchase"
    customer: str
    purchased: When
    product: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(Record):
    object = "spend"
    kind: str
    starts_on: date
    ends_on: date
    amount_minor: int
    origin: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Record):
    """From `starts_on` on, until the next rate of the pair: 1 unit of `base` is `rate` units of `currency`."""

    object = "rate"
    base: str
    currency: str
    starts_on: date
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A row of which only its id is told: it was deleted, or taken over by another.

    A row that Vigie does not have, or that was modified after `at`, is left alone.
    """

    object: str
    ext_id: str
    at: datetime | None = None
    """When the source deleted it; None = some time before now."""
    merged_into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A deal entered a stage at a moment, as the CRM's own history tells it."""

    deal: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A row that another row names: inserted with its name if absent, else left alone."""

    object: str
    ext_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A row that was set aside (`kept=False`) or loaded with a flag (`kept=True`), and why.

    `reason` is a stable code of `storage.problems`; `details` holds the values its sentence needs.
    """

    object: str
    place: str
    reason: str
    field: str | None = None
    ext_id: str | None = None
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)
    payload: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One transaction's worth: records in the order they must be written, and the position that follows them."""

    object: str
    records: Sequence[Record]
    mentions: Sequence[Mention] = ()
    problems: Sequence[Problem] = ()
    gone: Sequence[Gone] = ()
    passages: Sequence[Passage] = ()
    position: Position = Position()
    """Where the walk goes on after this page."""
    listing: bool = False
    """Part of a listing of every row of the object that the source still has."""
    last: bool = False
    """True on the page after which the object is known to be complete; of a listing, after which what was not listed is
    gone."""
    finishes: str | None = None
    """The place (a file, a sheet) of which this page is the last: lines of the quarantine that name a row of it and
    that this sync did not report again are cleared."""
