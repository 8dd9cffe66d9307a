"""What the small Slack holds: people, channels, messages, files, views. Plain records; every `ts` is Slack's."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Person:
    """A user of the workspace, a bot's included."""

    id: str
    name: str
    real_name: str
    email: str
    tz: str
    locale: str
    team_id: str
    role: str = "rep"
    is_bot: bool = False
    deleted: bool = False
    color: str = "3f7cac"

    @property
    def guest(self) -> bool:
        return self.role == "guest"


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    members: list[str]
    is_im: bool = False
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    topic: str = ""
    created: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said before an edit."""

    text: str
    blocks: list[Json]
    at: str


@dataclass(slots=True)
class Message:
    ts: str
    channel: str
    text: str
    blocks: list[Json]
    user: str
    from_app: bool = False
    username: str = ""
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: Json | None = None
    files: list[str] = field(default_factory=list)
    only_for: str | None = None
    """The one person who sees an ephemeral message; None for everybody in the channel."""
    by_response_url: bool = False
    edited: str | None = None
    deleted: bool = False
    history: list[Version] = field(default_factory=list)
    """The earlier contents, oldest first."""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    inputs: Json = field(default_factory=dict)
    """`state.values`: what people last chose in the message's elements."""
    subtype: str | None = None


@dataclass(slots=True)
class StoredFile:
    id: str
    name: str
    title: str
    alt_text: str
    length: int
    ticket: str
    created: int
    content: bytes | None = None
    completed: bool = False
    channels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class View:
    """A modal or a Home tab as the app last sent it, with Slack's own fields beside it."""

    id: str
    user: str
    body: Json
    """type, title, submit, close, blocks, private_metadata, callback_id, …: what the app gave."""
    hash: str
    root: str
    previous: str | None = None
    inputs: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ResponseUrl:
    """A response_url: bound to one person and one channel, 30 minutes, 5 posts."""

    token: str
    user: str
    channel: str
    expires: float
    origin: str | None
    """The ts of the message whose element was used; None for a slash command, which has no original."""
    thread_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class Trigger:
    id: str
    user: str
    expires: float
    view: str | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One Web API call (or post to a response_url) that the app made."""

    method: str
    args: Json
    """Without the token."""
    answer: Json | None
    """None where the call was lost before it did anything."""
    fault: str | None = None
    unknown: tuple[str, ...] = ()
    """Arguments that the method does not know: Slack passes over them in silence, a test need not."""

    @property
    def error(self) -> str | None:
        return self.answer.get("error") if self.answer else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One envelope that was sent to the app, and what came back."""

    kind: str
    """`slash_commands`, `interactive`, `events_api` or `url_verification`."""
    payload: Json
    attempt: int
    outcome: str
    """`ok`, `timeout`, `failed` or `no_app`."""
    body: Json
    milliseconds: float
