"""Posts the letters of the outbox: claim, draw, post once, settle. What is in doubt is looked for, never posted again.

The claim is committed before anything leaves, and the answer is written down after; a crash anywhere between leaves a
letter whose message is then searched in the channel by the letter's id, which every message carries as metadata.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event
from typing import Any

from bot.conversation import Block, Context
from bot.jobs import Job
from bot.outcome import Later, Outcome, Refused, Sent, Unclear
from bot.slack import SlackError
from kpi.charts.chart import Chart
from storage import outbox
from storage.database import writing
from storage.outbox import Letter

log = logging.getLogger(__name__)

EVENT_TYPE = "vigie_letter"
"""Of the metadata on every letter; the payload is the letter's id alone, since any member can read it."""

THREADS = 16
"""Letters on their way at once."""

MOST_CLAIMED = 2 * THREADS
"""Those, and as many that wait for a thread: no thread is idle while the next ones are claimed."""

LATEST_START_SECONDS = 35
"""A post begins at most so long after its claim: with its own deadline it then ends within the lease."""

FILE_TRIES = 6
"""How often a letter is offered with its picture, while Slack digests the upload, before it goes out without it."""

FILE_WAIT_SECONDS = 2
"""Between two of those."""

MOST_PICTURES = 3
"""Attempts with a picture; a letter that was given back more often goes out in words."""

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far this clock may be ahead of Slack's when a message is searched by its time."""

EDIT_AGAIN_SECONDS = 5
"""After an edit without an answer: the same edit twice is the same message."""

UNREADABLE_RETRY_SECONDS = 600
"""When a channel whose history cannot be read is tried again (the bot may have been given the right meanwhile)."""


def run(context: Context, stopping: Event) -> None:
    """Deliver everything that may leave now, several letters at a time, each in another channel."""
    letters = _claim(context, MOST_CLAIMED)
    if not letters:
        return
    with ThreadPoolExecutor(THREADS, thread_name_prefix="post") as threads:
        under_way: set[Future[None]] = set()
        while letters or under_way:
            claimed = time.monotonic()
            under_way |= {threads.submit(deliver, context, letter, stopping, claimed) for letter in letters}
            done, under_way = wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            for each in done:
                _look_at(each)
            room = MOST_CLAIMED - len(under_way)
            letters = _claim(context, room) if room >= THREADS and not stopping.is_set() else []


def _claim(context: Context, most: int) -> list[Letter]:
    with writing(context.engine) as connection:
        return outbox.claim(connection, context.clock.now(), most)


def _look_at(done: Future[None]) -> None:
    """A letter whose delivery broke off is followed up once its lease is over; the others go on."""
    error = done.exception()
    if isinstance(error, Exception):
        log.error("letter_broken_off", exc_info=error)
    elif error is not None:
        raise error


def deliver(context: Context, letter: Letter, stopping: Event, claimed: float) -> None:
    """Take one claimed letter through its attempt and its settlement; `claimed` is when, by the monotonic clock."""
    outcome = _look(context, letter) if letter.doubtful else _send(context, letter, stopping, claimed)
    with writing(context.engine) as connection:
        if outcome is None:
            outbox.release(connection, letter)
        elif not outbox.settle(connection, letter, outcome):
            log.warning("letter_claim_lost letter=%s", letter.id)
    if outcome is not None:
        level = logging.ERROR if outcome.state == "dead" else logging.INFO
        log.log(level, "letter_%s letter=%s kind=%s error=%s", outcome.state, letter.id, letter.kind, outcome.error)


def _send(context: Context, letter: Letter, stopping: Event, claimed: float) -> outbox.Outcome | None:
    """Post or edit. None = nothing is in the channel and it is too late to begin: give the letter back.

    Only a form that Slack refused is followed by another one, so there is at most one attempt that can succeed.
    """
    if letter.unposted is not None:
        return outbox.skipped(letter.unposted)
    if letter.late:
        return outbox.skipped(outbox.LATE)

    def in_time() -> bool:
        return not stopping.is_set() and time.monotonic() - claimed <= LATEST_START_SECONDS

    forms: list[Sequence[Block]] = [_blocks(letter, None), ()]
    if letter.chart is not None and letter.attempts <= MOST_PICTURES:
        picture = _picture(context, letter, letter.chart)
        if isinstance(picture, Later) and picture.code == "rate_limited":
            return outbox.put_off(picture.seconds, "upload: rate_limited")
        file_id = str(picture.data["file_id"]) if isinstance(picture, Sent) else None
        # Slack refuses a picture that it still works on.
        forms = [*[_blocks(letter, file_id)] * FILE_TRIES, *forms] if file_id is not None else forms
    outcome: Outcome | None = None
    for tried, form in enumerate(forms):
        if tried and len(forms) - tried > 2:
            stopping.wait(FILE_WAIT_SECONDS)
        if not in_time():
            return None
        outcome = _call(context, letter, form)
        if not _is_refused(outcome):
            break
        log.warning("letter_form_refused letter=%s form=%d of %d", letter.id, tried + 1, len(forms))
    return None if outcome is None else _settlement(letter, outcome)


def _call(context: Context, letter: Letter, blocks: Sequence[Block]) -> Outcome:
    text, metadata = letter.payload["text"], metadata_of(letter.id)
    if letter.edits_ts is not None:
        own = metadata_of(letter.edits or "")
        return context.slack.update(letter.channel_id, letter.edits_ts, text, blocks, metadata=own)
    return context.slack.post(letter.channel_id, text, blocks, metadata=metadata, thread_ts=letter.thread_ts)


def metadata_of(letter_id: str) -> Mapping[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"id": letter_id}}


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.code in {"invalid_blocks", "invalid_blocks_format"}


def _settlement(letter: Letter, outcome: Outcome) -> outbox.Outcome:
    match outcome:
        case Sent():
            return outbox.sent(letter.edits_ts or outcome.ts)
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


def _look(context: Context, letter: Letter) -> outbox.Outcome:
    """Is a letter in doubt in its channel? Found: sent. Not found: to be posted. Unreadable: stays in doubt."""
    cursor = ""
    try:
        while True:
            page = context.slack.ask(
                "conversations.history",
                channel=letter.channel_id,
                oldest=f"{(letter.created_at - CLOCKS_DIFFER).timestamp():.6f}",
                include_all_metadata=True,
                limit=200,
                cursor=cursor or None,
            )
            for message in page["messages"]:
                if (message.get("metadata") or {}).get("event_payload", {}).get("id") == letter.id:
                    return outbox.sent(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return outbox.later(0, "it was not in the channel", channel_rest=0)
    except SlackError as error:
        seconds = error.outcome.seconds if isinstance(error.outcome, Later) else UNREADABLE_RETRY_SECONDS
        return outbox.doubtful(seconds, f"history: {error.code}")


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


JOB = Job("postman", 1, run)
