"""The only caller of Slack's Web API: synchronous, without hidden retry, every outcome one of four.

Measured: the SDK's default retry posts twice when a reply is lost, and its rate-limit one sleeps through a lease. So
the client is built with `retry_handlers=[]`; waiting after a 429 is the outbox's business, and an unclear outcome is
settled by reading the channel, never by posting again.
"""

import contextlib
import hashlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.webhook import WebhookClient

from bot.outcome import Later, Outcome, Refused, Sent, Unclear, judge
from bot.threads import unseated

log = logging.getLogger(__name__)

Block = dict[str, Any]

SOCKET_SECONDS = 8
"""Longest silence of the wire."""
DEADLINE_SECONDS = 12
"""Longest that one call may take in all; what is not answered by then is unclear."""
_USER_SECONDS = 600
"""How long a Slack profile is believed (a person's rights change at most ten minutes late)."""
_UPLOAD_SECONDS = 600
"""How long an uploaded picture is shown again in place of one that is the same."""
_RETRY_SECONDS = 5.0
_HOOKS = {"hooks.slack.com", "hooks.slack-gov.com"}


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One for the process: it takes 30 ms to make, and the SDK would make one for each call."""
    return ssl.create_default_context()


class SlackError(Exception):
    """A question to Slack that got no answer; `outcome` says why."""

    def __init__(self, method: str, outcome: Refused | Later | Unclear) -> None:
        super().__init__(f"{method}: {outcome}")
        self.outcome = outcome

    @property
    def code(self) -> str:
        return self.outcome.reason if isinstance(self.outcome, Unclear) else self.outcome.code


@dataclass(frozen=True, slots=True)
class SlackUser:
    id: str
    team_id: str
    name: str
    """Foreign text."""
    email: str | None
    locale: str | None
    time_zone: str | None
    member: bool
    """A full member of this very team: no guest, bot, deleted account or Slack Connect stranger."""


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    name: str
    """Foreign text; empty for a direct message."""
    direct: bool
    private: bool
    shared: bool
    """People of other organisations are, or are about to be, in it."""
    joined: bool
    """The bot is in it."""
    archived: bool
    members: int | None
    guests: int = 0
    """Guests and strangers among them, where somebody has looked."""


class Slack:
    """One workspace's Web API, by its bot token. Safe to use from many threads."""

    def __init__(self, token: str, base_url: str = "https://slack.com/api/", *, deadline: float = DEADLINE_SECONDS):
        self.client = WebClient(token=token, base_url=base_url, timeout=SOCKET_SECONDS, ssl=_tls(), retry_handlers=[])
        self._deadline = deadline
        self._api_host = urlsplit(base_url)
        self._calls = ThreadPoolExecutor(max_workers=24, thread_name_prefix="slack-call")
        self._users: dict[str, tuple[float, SlackUser]] = {}
        self._lock = threading.Lock()
        self._uploads: dict[bytes, tuple[float, Future[Outcome]]] = {}
        self._identity: Mapping[str, Any] | None = None
        self._directs: dict[str, str] = {}

    def close(self) -> None:
        self._calls.shutdown(wait=False, cancel_futures=True)

    def call(self, method: str, **arguments: Any) -> Outcome:
        """One Web API call, once; `None` arguments are left out."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return self._within(method, lambda: self._classified(lambda: self.client.api_call(method, json=given)))

    def ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """What a read answers. Raises `SlackError` for every outcome but `Sent`."""
        given = {name: value for name, value in arguments.items() if value is not None}
        # Reads take form parameters: some of Slack's older methods do not understand JSON.
        outcome = self._within(method, lambda: self._classified(lambda: self.client.api_call(method, params=given)))
        if isinstance(outcome, Sent):
            return outcome.data
        raise SlackError(method, outcome)

    def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        metadata: Mapping[str, Any] | None = None,
        thread_ts: str | None = None,
    ) -> Outcome:
        """Post a message; `metadata` must hold no figures (any member can read it)."""
        return self.call(
            "chat.postMessage",
            channel=channel,
            text=text,
            blocks=list(blocks) or None,
            metadata=metadata,
            thread_ts=thread_ts,
            **_STILL,
        )

    def update(
        self,
        channel: str,
        ts: str,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Edit the bot's own message in place."""
        return self.call(
            "chat.update", channel=channel, ts=ts, text=text, blocks=list(blocks), metadata=metadata, parse="none"
        )

    def delete(self, channel: str, ts: str) -> Outcome:
        """Take the bot's own message away; one that is gone already is refused with `message_not_found`."""
        return self.call("chat.delete", channel=channel, ts=ts)

    def ephemeral(self, channel: str, user: str, text: str, blocks: Sequence[Block] = ()) -> Outcome:
        """Show a message to one person only; the bot must be in the channel."""
        return self.call(
            "chat.postEphemeral", channel=channel, user=user, text=text, blocks=list(blocks) or None, parse="none"
        )

    def respond(
        self,
        response_url: str,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        ephemeral: bool = True,
        replace: bool = False,
        delete: bool = False,
    ) -> Outcome:
        """Answer through a response_url (30 minutes, 5 posts). Refuses any host that is not Slack's."""
        if not self._is_hook(response_url):
            return Refused("foreign_response_url")
        hook = WebhookClient(response_url, timeout=SOCKET_SECONDS, ssl=_tls(), retry_handlers=[])
        body: dict[str, Any] = {"replace_original": replace}
        if delete:
            body["delete_original"] = True
        else:
            body |= {
                "text": text,
                "blocks": list(blocks) or None,
                "response_type": "ephemeral" if ephemeral else "in_channel",
            } | _STILL

        def send() -> Any:
            answer = hook.send_dict(body)
            return answer.status_code, answer.headers, answer.body

        return self._within("response_url", lambda: self._classified(send))

    def upload(self, data: bytes, filename: str, *, title: str, alt_text: str) -> Outcome:
        """Upload a picture in Slack's three steps, into no channel: an image block shows it by its id.

        `Sent.data["file_id"]` is that id. The same picture with the same words is uploaded once in ten minutes, however
        many messages show it: Slack grants a hundred uploads a minute.
        """
        key = hashlib.sha256("\n".join([filename, title, alt_text, ""]).encode() + data).digest()
        begun = time.monotonic()
        with self._lock:
            self._uploads = {old: each for old, each in self._uploads.items() if begun - each[0] < _UPLOAD_SECONDS}
            known = self._uploads.get(key)
            _, mine = self._uploads.setdefault(key, (begun, Future()))
        if known is not None:
            with contextlib.suppress(TimeoutError):
                return known[1].result(self._deadline)
            return Unclear("deadline")
        outcome: Outcome = Unclear("upload_failed")
        try:
            outcome = self._upload(data, filename, title, alt_text)
        finally:
            if not isinstance(outcome, Sent):
                with self._lock:
                    self._uploads.pop(key, None)
            mine.set_result(outcome)
        return outcome

    def _upload(self, data: bytes, filename: str, title: str, alt_text: str) -> Outcome:
        def send() -> Any:
            answer = self.client.files_upload_v2(
                content=data, filename=filename, title=title, alt_txt=alt_text[:1000], request_file_info=False
            )
            return {"ok": True, "file_id": answer["files"][0]["id"]}

        return self._within("files.upload", lambda: self._classified(send))

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> Outcome:
        """Open a modal; refused at once where what was clicked is run again later, and there is no trigger any more."""
        if not trigger_id:
            return Refused("expired_trigger_id")
        return self.call("views.open", trigger_id=trigger_id, view=view)

    def publish_home(self, user: str, view: Mapping[str, Any]) -> Outcome:
        return self.call("views.publish", user_id=user, view=view)

    def identity(self) -> Mapping[str, Any]:
        """`auth.test`, asked once: team_id, team, user_id, bot_id. Raises `SlackError`."""
        if self._identity is None:
            self._identity = self.ask("auth.test")
        return self._identity

    def scopes(self) -> frozenset[str]:
        """What the token may do, as Slack says beside `auth.test`. Raises `SlackError`."""
        return frozenset(
            scope.strip() for scope in self._beside().get("x-oauth-scopes", "").split(",") if scope.strip()
        )

    def time(self) -> datetime:
        """What Slack's clock shows, to the second. Raises `SlackError`, also where Slack does not say."""
        try:
            return parsedate_to_datetime(self._beside()["date"])
        except (KeyError, ValueError):
            raise SlackError("auth.test", Unclear("no_date")) from None

    def _beside(self) -> Mapping[str, str]:
        """The headers of `auth.test`, by lower-case names."""
        try:
            headers = self.client.api_call("auth.test").headers
        except (SlackApiError, OSError) as error:
            raise SlackError("auth.test", Unclear(type(error).__name__)) from None
        return {name.lower(): value for name, value in headers.items()}

    def user(self, user_id: str) -> SlackUser:
        """A profile, believed for ten minutes. Raises `SlackError`."""
        with self._lock:
            known = self._users.get(user_id)
        if known is not None and time.monotonic() - known[0] < _USER_SECONDS:
            return known[1]
        user = _slack_user(self.ask("users.info", user=user_id, include_locale=True)["user"], self.identity())
        with self._lock:
            self._users[user_id] = (time.monotonic(), user)
        return user

    def forget_user(self, user_id: str) -> None:
        """Drop a profile: Slack says that it changed."""
        with self._lock:
            self._users.pop(user_id, None)

    def channel(self, channel_id: str) -> Channel:
        """A channel and how many people are in it. Raises `SlackError` (`channel_not_found` = not invited)."""
        data = self.ask("conversations.info", channel=channel_id, include_num_members=True)["channel"]
        return Channel(
            id=data["id"],
            name=data.get("name", ""),
            direct=bool(data.get("is_im") or data.get("is_mpim")),
            private=bool(data.get("is_private")),
            shared=any(data.get(flag) for flag in ("is_ext_shared", "is_pending_ext_shared", "is_shared")),
            joined=bool(data.get("is_member") or data.get("is_im") or data.get("is_mpim")),
            archived=bool(data.get("is_archived")),
            members=data.get("num_members"),
        )

    def conversation(self, place: str) -> str:
        """The id by which a place can be read and edited in: a channel's own; of a person, that of the direct message
        with them. Raises `SlackError`."""
        if place[:1] not in {"U", "W"}:
            return place
        if place not in self._directs:
            self._directs[place] = str(self.ask("conversations.open", users=place)["channel"]["id"])
        return self._directs[place]

    def members(self, channel_id: str) -> list[str]:
        """Every user id in a channel, by pages. Raises `SlackError`."""
        found: list[str] = []
        cursor = ""
        while True:
            page = self.ask("conversations.members", channel=channel_id, limit=200, cursor=cursor or None)
            found += page["members"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    def _within(self, method: str, work: Callable[[], Outcome]) -> Outcome:
        """`work`, for at most the deadline: socket time-outs bound each silence, not the whole."""
        under_way = self._calls.submit(work)
        try:
            with unseated():
                outcome = under_way.result(timeout=self._deadline)
        except TimeoutError:
            # What waits for a thread all this time, and is taken back, never leaves.
            outcome = Later(_RETRY_SECONDS, "busy") if under_way.cancel() else Unclear("deadline")
        if not isinstance(outcome, Sent):
            log.warning("slack_call_failed method=%s outcome=%r", method, outcome)
        return outcome

    def _classified(self, send: Callable[[], Any]) -> Outcome:
        try:
            answer = send()
        except SlackApiError as error:
            return judge(error.response.status_code, error.response.headers, error.response.data)
        except SlackRequestError:
            return Later(_RETRY_SECONDS, "upload_failed")
        except HTTPError as error:
            # Of an upload's bytes: of every other call, the SDK reads what the answer says.
            return judge(error.code, dict(error.headers), "")
        except URLError as error:
            # Refused, unresolved or not who it should be: nothing was said. Everything else may have arrived.
            unmet = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
            if isinstance(error.reason, unmet):
                return Later(_RETRY_SECONDS, "unreachable")
            return Unclear(type(error.reason).__name__)
        except Exception as error:
            return Unclear(type(error).__name__)
        if isinstance(answer, tuple):
            return judge(*answer)
        return Sent(answer if isinstance(answer, dict) else answer.data)

    def _is_hook(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname in _HOOKS and parts.port in {None, 443}:
            return True
        return (parts.scheme, parts.netloc) == (self._api_host.scheme, self._api_host.netloc)


_STILL = {"parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
"""Foreign text never becomes a link, a mention or a preview."""


def _slack_user(data: Mapping[str, Any], identity: Mapping[str, Any]) -> SlackUser:
    outside = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user")
    profile = data.get("profile") or {}
    return SlackUser(
        id=data["id"],
        team_id=data.get("team_id", ""),
        name=profile.get("display_name") or data.get("real_name") or data.get("name", ""),
        email=profile.get("email"),
        locale=data.get("locale"),
        time_zone=data.get("tz"),
        member=not any(data.get(flag) for flag in outside) and data.get("team_id") == identity.get("team_id"),
    )
