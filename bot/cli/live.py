"""`vigie check --live '#channel'`: what rests on Slack's word alone is tried on the workspace that is connected.

The page of those assumptions is `docs/slack-assumptions.md`. Everything posted says that it is a test, and is deleted.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from sqlalchemy import Engine

from bot.blocks import Block, image, paragraph
from bot.cli.findings import Finding
from bot.clock import Clock, SystemClock
from bot.i18n import Language
from bot.jobs.posting import FILE_TRIES, FILE_WAIT_SECONDS, metadata_of
from bot.outcome import DIGESTED, Outcome, Refused, Sent
from bot.settings import Settings
from bot.slack import Slack, SlackError
from bot.views.delivery import why
from storage import outbox
from storage.database import open_engine, reading, writing
from storage.workspaces import SINGLE

LOOKS = 90
"""How often a message is looked for, before it counts as not shown."""
LOOK_SECONDS = 0.5
KIND = "notice"
TRIED = "tried"
"""Why the letter of a trial is not posted by the postman."""


def try_out(settings: Settings, place: str, words: Language) -> Iterator[Finding]:
    """Try everything that can be tried without a click, in the channel (`#name` or its id), and clean up after."""
    slack = Slack(settings.bot_token, settings.slack_api_url)
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        yield from Trial(slack, engine, SystemClock(), words).run(place)
    finally:
        slack.close()
        engine.dispose()


class Trial:
    """One run in one channel; `pause` waits so many seconds."""

    def __init__(
        self,
        slack: Slack,
        engine: Engine,
        clock: Clock,
        words: Language,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._slack, self._engine, self._clock, self._words, self._pause = slack, engine, clock, words, pause
        self._text = words._("Vigie tries itself out here: this is a test, and it is deleted at once.")
        self._posted: list[tuple[str, str]] = []
        """(channel, ts) of what is to be deleted."""

    def run(self, place: str) -> Iterator[Finding]:
        """Every finding; the channel is as it was afterwards."""
        _ = self._words._
        first = self._post(place, [paragraph(self._text)])
        if not isinstance(first, Sent):
            code = first.code if isinstance(first, Refused) else _("no answer")
            said = _("Slack takes no message for {channel}: {why}", channel=place, why=why(code, self._words))
            yield Finding(False, said)
            return
        channel, ts = str(first.data["channel"]), first.ts
        try:
            yield from self._pictures(channel)
            yield self._history(channel)
            yield self._thread(channel, ts)
            yield self._edit(channel, ts)
            yield self._echo(channel)
            yield self._readers(channel)
        finally:
            left = self._delete()
        if left:
            said = _("{count} test messages could not be deleted: delete them by hand", count=left)
            yield Finding(False, said)
        yield Finding(
            True,
            _(
                "not tried, since it takes a click: private answers with native charts and tables (type /kpi and a "
                "question), and what Slack says of a form it does not take"
            ),
            remark=True,
        )

    def _post(
        self, place: str, blocks: Sequence[Block], metadata: Mapping[str, Any] | None = None, thread: str | None = None
    ) -> Outcome:
        outcome = self._slack.post(place, self._text, blocks, metadata=metadata, thread_ts=thread)
        if isinstance(outcome, Sent):
            self._posted.append((str(outcome.data["channel"]), outcome.ts))
        return outcome

    def _delete(self) -> int:
        """Delete what was posted, the newest first; how much is left."""
        gone = [isinstance(self._slack.delete(*each), Sent) for each in reversed(self._posted)]
        return gone.count(False)

    def _pictures(self, channel: str) -> Iterator[Finding]:
        """A picture uploaded into no channel is shown by a message, and by another one."""
        _ = self._words._
        uploaded = self._slack.upload(_picture(), "vigie.png", title=self._text, alt_text=self._text)
        shown = isinstance(uploaded, Sent) and self._shows(channel, str(uploaded.data["file_id"]))
        said = _("a picture uploaded into no channel is shown by a message")
        if not shown:
            said = _("Slack shows no picture that was uploaded into no channel: digests and alerts go out in words")
        yield Finding(shown, said)
        if isinstance(uploaded, Sent) and shown:
            again = self._shows(channel, str(uploaded.data["file_id"]))
            said = _("the same picture is shown by several messages")
            if not again:
                said = _("a picture is shown by one message only: the other channels get the words")
            yield Finding(again, said)

    def _shows(self, channel: str, file_id: str) -> bool:
        for _ in range(FILE_TRIES):
            outcome = self._post(channel, [image(file_id, self._text)])
            if not (isinstance(outcome, Refused) and outcome.code in DIGESTED):
                return isinstance(outcome, Sent)
            self._pause(FILE_WAIT_SECONDS)
        return False

    def _history(self, channel: str) -> Finding:
        """The channel's history shows a message's metadata, soon enough."""
        mark = outbox.letter_id(SINGLE, f"live:{channel}:{self._clock.now().isoformat()}")
        posted = self._post(channel, [paragraph(self._text)], metadata_of(mark))
        return self._seen("conversations.history", channel, mark, posted, {})

    def _thread(self, channel: str, ts: str) -> Finding:
        """A thread does as well."""
        mark = outbox.letter_id(SINGLE, f"live:{ts}:{self._clock.now().isoformat()}")
        posted = self._post(channel, [paragraph(self._text)], metadata_of(mark), thread=ts)
        return self._seen("conversations.replies", channel, mark, posted, {"ts": ts})

    def _seen(self, method: str, channel: str, mark: str, posted: Outcome, within: Mapping[str, str]) -> Finding:
        _ = self._words._
        looks, error = 0, "" if isinstance(posted, Sent) else _("it was not posted")
        while not error and looks < LOOKS:
            try:
                page = self._slack.ask(method, channel=channel, include_all_metadata=True, limit=50, **within)
            except SlackError as refused:
                error = refused.code
                break
            found = [each.get("metadata") or {} for each in page["messages"]]
            if any(each.get("event_payload", {}).get("id") == mark for each in found):
                said = _(
                    "{method} shows a message's metadata after {seconds} s", method=method, seconds=looks * LOOK_SECONDS
                )
                return Finding(looks * LOOK_SECONDS < outbox.LOOK_AFTER_SECONDS, said)
            looks += 1
            self._pause(LOOK_SECONDS)
        said = _(
            "{method} does not show a message's metadata ({error}): a message whose fate is unclear stays in doubt",
            method=method,
            error=error or _("not found"),
        )
        return Finding(False, said)

    def _edit(self, channel: str, ts: str) -> Finding:
        """A message is edited in place."""
        _ = self._words._
        outcome = self._slack.update(channel, ts, self._text, [paragraph(self._text)])
        if isinstance(outcome, Sent):
            return Finding(True, _("a message is edited in place"))
        return Finding(False, _("Slack does not edit a message: alerts stay as they were posted"))

    def _echo(self, channel: str) -> Finding:
        """A Vigie that runs hears its own message back: a letter that no postman takes becomes sent."""
        _, now = self._words._, self._clock.now()
        with writing(self._engine) as connection:
            letter_id = outbox.put(
                connection,
                workspace_id=SINGLE,
                dedupe=f"live:{channel}:{now.isoformat()}:echo",
                kind=KIND,
                channel_id=channel,
                payload={"text": self._text, "blocks": []},
                now=now,
                state="skipped",
                error=TRIED,
            )
        self._post(channel, [paragraph(self._text)], metadata_of(letter_id))
        for look in range(LOOKS):
            with reading(self._engine) as connection:
                if outbox.is_sent(connection, SINGLE, letter_id):
                    said = _("Slack says a message back to Vigie after {seconds} s", seconds=look * LOOK_SECONDS)
                    return Finding(True, said)
            self._pause(LOOK_SECONDS)
        return Finding(
            False,
            _(
                "the echo of a message is not heard: is “vigie serve” running, with message_metadata_posted and "
                "metadata.message:read of manifest.yml? Without it, what is in doubt is looked for in the channel"
            ),
        )

    def _readers(self, channel: str) -> Finding:
        """A channel's members are listed, the bot among them, and have e-mail addresses."""
        _ = self._words._
        try:
            members, bot = self._slack.members(channel), self._slack.identity()["user_id"]
            people = [self._slack.user(member) for member in members[:10] if member != bot]
        except SlackError as error:
            said = _(
                "Slack does not say who reads a channel ({code}): nobody is counted before sharing", code=error.code
            )
            return Finding(False, said)
        if bot not in members:
            return Finding(False, _("the bot is not listed among the members: one reader too few is counted"))
        if not any(person.email for person in people):
            said = _("no e-mail address is told: nobody is recognised, administrators link people by hand")
            return Finding(False, said)
        return Finding(True, _("a channel's members are listed, with their e-mail addresses"))


def _picture() -> bytes:
    """A small one, of one colour."""
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (320, 80), "#1d3557").save(file, "PNG")
    return file.getvalue()
