"""What every source offers to the page engine (`storage.sync`): walks over its objects, and rows read again by id.

A connector knows its CRM's protocol and nothing of the database. It is opened with its options, a client that keeps to
the CRM's limits, and what a person decided about its stages; it makes canonical records. Each CRM is one file that ends
with `CONNECTOR`.
"""

import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from storage.connectors.http import Client, Limits
from storage.records import Page, Position


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One object of a source and how it is read."""

    object: str
    """Names the position; its pages may bring records of other objects before those of its own."""
    key: str = ""
    """The source's own field by which changes are read; empty where each walk is a listing of everything."""
    look_back: timedelta = timedelta(0)
    """Changes are read again from so long before the last one known: sources show some of them late."""
    tells_deletes: bool = False
    """Reading changes also tells what was deleted; else only a complete listing does."""
    tells_merges: bool = False
    first_seen: bool = False
    """The source has no creation date: a row first seen after the first complete reading was created on that day."""
    wanted: bool = True
    """False where a person has left the object out: nothing is asked, and what is known of it goes."""


class Connector(Protocol):
    @property
    def source(self) -> str:
        """The system's name, the first part of every id it makes: `files`, `hubspot`."""

    @property
    def walks(self) -> Sequence[Walk]:
        """In the order in which rows must be known: people and stages before deals."""

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        """The pages of one walk from a position on; the last one has `last`.

        Where `position.listing`, everything is listed, in pages marked `listing`, going on at `position.token`. Else
        what changed since `position.since` (the engine has already taken the look-back off). Each page's position
        carries `began` on; the last page's is `position.done(client.behind)`. Reading may take its time: no transaction
        is open meanwhile.

        Raises what `storage.connectors.http` raises, `DriftError` and `AbsentError`; the engine stops this walk or this
        source.
        """

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """These rows as they are now, those that are no more as `gone`: what a webhook's hint leads to."""

    @property
    def spent(self) -> int:
        """Requests sent to the source so far, retries included."""

    def suggestions(self) -> Sequence[Suggestion]:
        """Spellings that a person may want to merge; complete once every walk has ended."""


class AbsentError(Exception):
    """This account does not have the object, or these credentials may not read it. Nothing is wrong where it never
    had; what was read before is kept, and waits."""

    def __init__(self, object_: str, name: str) -> None:
        """`name` is what the CRM calls the object."""
        super().__init__(f"{object_}: {name}")
        self.object, self.name = object_, name


class DriftError(Exception):
    """The source no longer tells a field that Vigie rests on, or tells it in another form: this object waits."""

    def __init__(self, object_: str, field_: str) -> None:
        super().__init__(f"{object_}.{field_}")
        self.object, self.field = object_, field_


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the credentials belong to, as the CRM says: shown when connecting."""

    name: str
    currency: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """A webhook says that a row may have changed. Only the id is believed; the row is read again."""

    event_id: str
    """The same event delivered twice has the same id."""
    object: str
    ext_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """What came in at `/hooks/<source>/<rest of path>`, word for word."""

    method: str
    url: str = field(repr=False)
    """As the CRM called it: the public address, path and query included. It may end with a secret."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)


class NotGenuineError(Exception):
    """The knock does not prove that the CRM sent it, or is too old; the text says which, for the log."""


Known = Mapping[str, Sequence[tuple[Any, ...]]]
"""By object: ext id and name, then the e-mail of a person, the day of creation of a lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a connector is opened with."""

    options: BaseModel
    """An instance of the declaration's `options`."""
    client: Client
    currency: str
    """ISO code of the workspace's currency, where the source names none."""
    now: datetime
    """When the run began, aware: the position after a listing rests on it."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Of the workspace, where the source tells times without one."""
    known: Callable[[], Known] = dict
    """What earlier syncs of the source have told; asked by sources whose rows name each other by name."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Ext id of a stage to `open`, `won`, `lost` or `dormant`, where a person has decided; it beats the CRM's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One CRM, as its file ends: `CONNECTOR = Declaration(…)`."""

    source: str
    title: str
    """The name that people know it by: `HubSpot`."""
    options: type[BaseModel]
    """Fields with `description` (what to paste and where it is found); secrets are `SecretStr`."""
    walks: Sequence[Walk]
    limits: Callable[[Any], Limits]
    """How the CRM wants to be asked, from the options: address, headers, pace, what its rate headers say."""
    open: Callable[[Opening], Connector]
    check: Callable[[Opening], Account]
    """One cheap question that needs the credentials. Raises what `storage.connectors.http` raises."""
    hints: Callable[[Knock, Any, datetime], Sequence[Hint]] | None = None
    """What a knock says, with the options and the moment. None where the CRM has no webhooks.

    Raises `NotGenuineError`; `ValueError` for what is genuine but unreadable."""


def declarations() -> tuple[Declaration, ...]:
    """Every `CONNECTOR` of this package, by source."""
    package = import_module("storage.connectors")
    rooms = (import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__))
    return tuple(sorted((room.CONNECTOR for room in rooms if hasattr(room, "CONNECTOR")), key=lambda each: each.source))
