"""Delivers the letters of the outbox: claim, post once, settle. What is in doubt is looked for, never posted again.

The claim is committed before anything leaves, and the answer is written down after; a crash anywhere between leaves a
letter whose message is then searched in the channel by the letter's id, which every message carries as metadata.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from bot.conversation import Context
from bot.jobs import Job, undelivered
from bot.jobs.posting import place, send
from bot.jobs.seeking import look
from bot.outcome import Sent
from bot.slack import SlackError
from storage import outbox
from storage.database import writing
from storage.outbox import Letter

log = logging.getLogger(__name__)

THREADS = 16
"""Letters on their way at once."""

MOST_CLAIMED = 2 * THREADS
"""Those, and as many that wait for a thread: no thread is idle while the next ones are claimed."""

ROUND_SECONDS = 30
"""For so long, a round takes up more letters; whoever hangs is then missed (`bot.jobs.clock`)."""

LATEST_START_SECONDS = 25
"""A post begins at most so long after its claim: by the end of the lease it has then arrived, and is shown."""


def run(context: Context, stopping: Event) -> None:
    """Deliver everything that may leave now, several letters at a time, each in another channel."""
    letters = _claim(context, MOST_CLAIMED)
    if not letters:
        return
    with ThreadPoolExecutor(THREADS, thread_name_prefix="post") as threads:
        under_way: set[Future[None]] = set()
        begun = time.monotonic()
        while letters or under_way:
            claimed = time.monotonic()
            under_way |= {threads.submit(deliver, context, letter, stopping, claimed) for letter in letters}
            done, under_way = wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            for each in done:
                _look_at(each)
            room = MOST_CLAIMED - len(under_way)
            on = time.monotonic() - begun <= ROUND_SECONDS and room >= THREADS and not stopping.is_set()
            letters = _claim(context, room) if on else []


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

    def in_time() -> bool:
        return not stopping.is_set() and time.monotonic() - claimed <= LATEST_START_SECONDS

    if letter.doubtful:
        outcome = look(context, letter) if in_time() else None
    else:
        outcome = send(context, letter, stopping, in_time)
    told = [] if outcome is None else undelivered.readers(context, letter, outcome)
    settled, doubled = True, None
    with writing(context.engine) as connection:
        if outcome is None:
            outbox.release(connection, letter)
        else:
            settled = outbox.settle(connection, letter, outcome)
            if settled:
                undelivered.tell(connection, context, letter, outcome, told)
            elif letter.edits is not None:
                outbox.edit_again(connection, letter)
            elif outcome.ts is not None:
                # Meanwhile it was another's, or its echo was first: what stands in the channel counts all the same.
                doubled = outbox.heard(connection, letter.workspace_id, letter.id, letter.channel_id, outcome.ts)
    if doubled is not None:
        _delete(context, letter, doubled)
    if outcome is not None:
        level = logging.ERROR if outcome.state == "dead" else logging.INFO
        log.log(level, "letter_%s letter=%s kind=%s error=%s", outcome.state, letter.id, letter.kind, outcome.error)


def _delete(context: Context, letter: Letter, ts: str) -> None:
    """Take the second message of a letter away; where that fails, its echo asks for it again."""
    try:
        outcome = context.slack.delete(place(context, letter), ts)
    except SlackError as error:
        log.error("letter_doubled letter=%s error=%s", letter.id, error.code)
        return
    log.warning("letter_doubled letter=%s deleted=%s", letter.id, isinstance(outcome, Sent))


JOB = Job("postman", 1, run)
