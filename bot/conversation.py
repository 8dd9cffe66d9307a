"""What a command, a button or a form is given and gives back: the contract of every room in `bot/commands/`.

A room ends with a constant of an agreed name, collected by `bot.commands`:

    COMMAND = Command(words=("digest",), help=..., run=run)         one `/kpi digest …`
    ACTIONS = (Action(re.compile(r"digest\\.stop"), stop),)          its buttons and selects, by action_id
    FORMS = (Form("digest.add", add),)                               its modals, by callback_id

`run` functions are plain synchronous functions, run in a thread of the answers' pool. They return a `Reply`, or raise
a `Refusal` whose sentence the asker reads; anything else they raise becomes a reference number. Those of commands and
buttons may be run a second time, where the process died meanwhile: what they change is one transaction, and a second
one finds it changed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from bot.clock import Clock
from bot.i18n import Language
from bot.inbox import Inbox
from bot.settings import Settings
from bot.slack import Slack
from storage.replica import Replica, read_for_question

T = TypeVar("T")
Block = dict[str, Any]
"""One Block Kit block, built by `bot.blocks`."""


class Refusal(Exception):  # noqa: N818 - a polite answer, not a fault
    """A reason to say no that the asker can act upon; `str(error)` is the sentence, in the asker's language."""

    def __init__(self, sentence: str, blocks: Sequence[Block] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.blocks = tuple(blocks)
        """Shown in place of the sentence where there is something to click."""


class NotLinked(Refusal):
    """The Slack person is not yet known as a CRM person."""


class NotAllowed(Refusal):
    """The asker may not see or do this; the refusal is written down in the audit table."""


class NotThere(Refusal):
    """What was named does not exist, or no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, where, and how to answer: what commands, clicks and forms have in common."""

    workspace_id: str
    user_id: str
    """Slack user id, from the verified payload only."""
    language: Language
    channel_id: str = ""
    """Empty for Home and forms."""
    trigger_id: str | None = None
    """Opens a modal within 3 seconds; None where it is run again later."""
    response_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Asker):
    """A `/kpi …`: the words after the command's own first word (all of them for a question)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Click(Asker):
    """A button or select that someone used; `value` is foreign text until it is validated."""

    action_id: str
    value: str
    """The button's value, or the chosen option, channel, user, conversation, date or time."""
    message_ts: str | None = None
    """The message that holds the button; None in Home and modals."""
    ephemeral: bool = False
    """The button stands in a private answer."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Slack's `state.values` of the whole message or view."""
    view_id: str | None = None
    view_hash: str | None = None
    private_metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Asker):
    """A form that someone sent."""

    callback_id: str
    values: Mapping[str, Any]
    """Slack's `state.values`: block_id -> action_id -> element state."""
    private_metadata: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said back.

    `text` always says the number and is what a screen reader hears. `blocks` is the richest form; each of `ladder` is
    a plainer one, tried in turn when Slack refuses the one before; the bare text comes last.
    """

    text: str
    blocks: Sequence[Block] = ()
    ladder: Sequence[Sequence[Block]] = ()
    ephemeral: bool = True
    """Only the asker sees it."""
    replace: bool = False
    """Takes the place of the message that was clicked."""


@dataclass(slots=True)
class Bell:
    """Calls whoever listens in this process; where nobody does, what it was rung for waits for the next tick."""

    listener: Callable[[], None] | None = None

    def ring(self) -> None:
        if self.listener is not None:
            self.listener()


@dataclass(frozen=True, slots=True)
class Context:
    """What the composition root hands to every room."""

    engine: Engine
    clock: Clock
    slack: Slack
    settings: Settings
    replica: Replica | None = None
    """Where questions are read, if there is one; digests, alerts, rights and whatever is written go by `engine`."""
    inbox: Inbox | None = None
    """What Slack says; none where nobody listens to it."""
    postman: Bell = field(default_factory=Bell)
    """Rung once a letter that somebody waits for is in the outbox (committed)."""

    def ask(self, work: Callable[[Connection], T]) -> T:
        """What a question reads: from the replica, or from the database itself where there is none or it is down.

        `work` may be done twice, so it does nothing but read.
        """
        return read_for_question(self.engine, self.replica, work)


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[str, ...]
    """The first words that select it, in both languages, folded to lower case without accents."""
    help: Callable[[Language], Sequence[tuple[str, str]]]
    """Lines of `/kpi help`: (what to type after /kpi, what it does)."""
    run: Callable[[Asked, Context], Reply]


@dataclass(frozen=True, slots=True)
class Action:
    pattern: re.Pattern[str]
    """Matches the whole action_id."""
    run: Callable[[Click, Context], Reply | None]
    """None = nothing more to say (a modal was opened, a view updated)."""


@dataclass(frozen=True, slots=True)
class Form:
    callback_id: str
    run: Callable[[Submitted, Context], Mapping[str, str] | None]
    """Called before the acknowledgement, so it must be quick: block_id -> sentence for what is wrong, or None."""
