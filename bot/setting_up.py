"""What setting up a digest and setting up a rule share: the verbs, the channel with its readers, whose rows one sees
and stops, and the audit row of each change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from bot.blocks import actions, button, paragraph
from bot.channels import audience, ready
from bot.conversation import Asker, Context, NotAllowed, Refusal, Reply
from bot.people import Viewer
from bot.slack import Channel
from storage import audit

ADD = ("add", "ajouter", "ajoute", "new", "nouveau", "nouvelle")
LIST = ("list", "lister", "liste")
STOP = ("stop", "arrêter", "arrête", "stopper", "supprimer", "remove", "delete")
PAUSE = ("pause", "suspendre", "suspends", "suspend")
RESUME = ("resume", "reprendre", "reprends")


class Owned(Protocol):
    """A schedule or a rule."""

    @property
    def id(self) -> str: ...

    @property
    def owner(self) -> str: ...

    @property
    def channel_id(self) -> str: ...


Row = TypeVar("Row", bound=Owned)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel that can be posted in, and who reads it, in sentences."""

    channel: Channel
    seen_by: str

    @property
    def strangers(self) -> bool:
        """Guests or people of other organisations would read the figures: that is asked first."""
        return bool(self.channel.shared or self.channel.guests)


def place(asker: Asker, channel_id: str | None, context: Context) -> Place:
    """The named channel, else the one where it was asked. Raises as `bot.channels.ready` does."""
    channel = ready(asker, channel_id or asker.channel_id, context)
    return Place(channel, audience(channel, asker.language))


def asked_first(where: Place, action_id: str, text: str, asker: Asker) -> Reply:
    """Who would read it, and a button that carries the words on: nothing is set up yet."""
    sure = button(asker.language._("Post it there all the same"), action_id, text, style="danger")
    return Reply(where.seen_by, [paragraph(where.seen_by), actions([sure])])


def visible(rows: Sequence[Row], viewer: Viewer) -> list[Row]:
    """One's own; an admin's list holds everybody's."""
    return [row for row in rows if viewer.admin or row.owner == viewer.user_id]


def numbered(rows: Sequence[Row], rest: str, wrong: str) -> list[Row]:
    """The row of a number of the list, or all of them where none is said. Raises `Refusal(wrong)` for other words."""
    if rest.isdecimal():
        return list(rows[int(rest) - 1 : int(rest)]) if int(rest) else []
    if rest:
        raise Refusal(wrong)
    return list(rows)


def must_own(row: Owned, viewer: Viewer, sentence: str) -> None:
    """Raises `NotAllowed(sentence)` for whoever is neither the owner nor an admin."""
    if row.owner != viewer.user_id and not viewer.admin:
        raise NotAllowed(sentence)


def note(connection: Connection, asker: Asker, action: str, now: datetime, **details: str | int | None) -> None:
    """One audit row of a change, in the change's own transaction; ids only."""
    audit.note(
        connection,
        workspace_id=asker.workspace_id,
        actor=asker.user_id,
        action=action,
        details=details,
        now=now,
    )
