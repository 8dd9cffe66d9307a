"""One letter is posted or edited: with its picture if that can be had, else in words; and what Slack said of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any

from bot.conversation import Block, Context
from bot.outcome import DIGESTED, PLAINER, STOPPING, Later, Outcome, Refused, Sent, Unclear
from bot.slack import SlackError
from kpi.charts.chart import Chart
from storage import outbox
from storage.outbox import Letter

log = logging.getLogger(__name__)

EVENT_TYPE = "vigie_letter"
"""Of the metadata on every letter; the payload is the letter's id alone, since any member can read it."""

FILE_TRIES = 6
"""How often a letter is offered with its picture, while Slack digests the upload, before it goes out without it."""

FILE_WAIT_SECONDS = 2
"""Between two of those."""

MOST_PICTURES = 3
"""Attempts with a picture; a letter that was given back more often goes out in words."""

EDIT_AGAIN_SECONDS = 15
"""After an edit without an answer: the same edit twice is the same message. Longer than a call may take, so that none
that is still on its way arrives after the next edit."""

STOP_SECONDS = 60
"""For so long, nothing of a workspace is tried whose token, or version of Vigie, Slack does not take."""


def send(context: Context, letter: Letter, stopping: Event, in_time: Callable[[], bool]) -> outbox.Outcome | None:
    """Post or edit. None = nothing is in the channel and it is too late to begin: give the letter back.

    Only a form that Slack refused is followed by another one, so there is at most one attempt that can succeed.
    """
    if letter.unposted is not None:
        return outbox.skipped(letter.unposted)
    if letter.late:
        return outbox.skipped(outbox.LATE)
    plain: list[Sequence[Block]] = [_blocks(letter, None), ()]
    pictured: list[Sequence[Block]] = []
    if letter.chart is not None and letter.attempts <= MOST_PICTURES:
        picture = _picture(context, letter, letter.chart)
        if isinstance(picture, Later) and picture.code == "rate_limited":
            return outbox.put_off(picture.seconds, "upload: rate_limited")
        if isinstance(picture, Sent):
            # Slack refuses a picture that it still works on.
            pictured = [_blocks(letter, str(picture.data["file_id"]))] * FILE_TRIES
    while in_time():
        form = pictured.pop() if pictured else plain.pop(0)
        outcome = call(context, letter, form)
        if not (isinstance(outcome, Refused) and outcome.code in PLAINER and plain):
            return settlement(letter, outcome)
        log.warning("letter_form_refused letter=%s code=%s", letter.id, outcome.code)
        if outcome.code not in DIGESTED:
            pictured = []
        if pictured:
            stopping.wait(FILE_WAIT_SECONDS)
    return None


def call(context: Context, letter: Letter, blocks: Sequence[Block]) -> Outcome:
    """One attempt."""
    text = letter.payload["text"]
    try:
        if letter.edits_ts is not None:
            own = metadata_of(letter.edits or "")
            return context.slack.update(place(context, letter), letter.edits_ts, text, blocks, metadata=own)
        channel = letter.channel_id if letter.thread_ts is None else place(context, letter)
    except SlackError as error:
        # Nothing was posted: it was only asked where.
        return error.outcome if isinstance(error.outcome, Later) else Later(EDIT_AGAIN_SECONDS, error.code)
    return context.slack.post(channel, text, blocks, metadata=metadata_of(letter.id), thread_ts=letter.thread_ts)


def place(context: Context, letter: Letter) -> str:
    """Where the letter stands: what is sent to a person stands in the direct message with them.

    Raises `SlackError` where Slack does not say; where it refuses to, the person's own id.
    """
    if letter.channel_id[:1] not in {"U", "W"}:
        return letter.channel_id
    try:
        return context.slack.conversation(letter.channel_id)
    except SlackError as error:
        if isinstance(error.outcome, Refused):
            return letter.channel_id
        raise


def metadata_of(letter_id: str) -> Mapping[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"id": letter_id}}


def settlement(letter: Letter, outcome: Outcome) -> outbox.Outcome:
    """What an attempt's outcome means for the letter."""
    match outcome:
        case Sent() if outcome.ts or letter.edits_ts:
            return outbox.sent(letter.edits_ts or outcome.ts)
        case Sent():
            return outbox.doubtful(outbox.LOOK_AFTER_SECONDS, "no_receipt")
        case Refused() if outcome.code in STOPPING:
            return outbox.stopped(STOP_SECONDS, outcome.code)
        case Refused(code="message_not_found") if letter.edits is not None:
            return outbox.skipped(f"{outbox.UNPOSTED}: message_not_found")
        case Refused():
            return outbox.dead(outcome.code)
        case Later(code="rate_limited"):
            return outbox.put_off(outcome.seconds, outcome.code)
        case Later():
            return outbox.later(outcome.seconds, outcome.code)
        case Unclear() if letter.edits is not None:
            return outbox.later(EDIT_AGAIN_SECONDS, outcome.reason)
        case Unclear():
            return outbox.doubtful(outbox.LOOK_AFTER_SECONDS, outcome.reason)


def _picture(context: Context, letter: Letter, chart: Mapping[str, Any]) -> Outcome | None:
    """Draw and upload, into no channel (an orphan is invisible). Where either fails, the words go out alone."""
    from kpi.charts.pool import NotDrawn, render

    try:
        data = render(Chart.from_json(chart["chart"]))
    except (NotDrawn, ValueError) as error:
        log.warning("letter_chart_failed letter=%s error=%s", letter.id, error)
        return None
    return context.slack.upload(data, "vigie.png", title=chart["title"], alt_text=chart["alt"])


def _blocks(letter: Letter, file_id: str | None) -> list[Block]:
    """The letter's blocks, with the picture at its place."""
    blocks = list(letter.payload["blocks"])
    if file_id is not None and letter.chart is not None:
        image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": letter.chart["alt"]}
        blocks.insert(letter.chart["at"], image)
    return blocks
