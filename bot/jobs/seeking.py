"""Is a letter in doubt in its channel? Its message is looked for by the letter's id, which it carries as metadata."""

import time
from datetime import timedelta

from bot.conversation import Context
from bot.jobs.posting import place
from bot.outcome import Later, Unclear
from bot.slack import SlackError
from storage import outbox, pace
from storage.outbox import Letter

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far this clock may be ahead of Slack's when a message is searched by its time."""

LONGEST_SECONDS = 35
"""A look that takes longer is given up: with one more call it then ends within the lease."""

UNREADABLE_RETRY_SECONDS = 600
"""When a channel that cannot be read is tried again (the bot may have been given the right meanwhile)."""

PAGE = 200


def look(context: Context, letter: Letter) -> outbox.Outcome:
    """Found: sent. Not found: to be posted. Unreadable: it stays in doubt."""
    if letter.unposted is not None:
        return outbox.skipped(letter.unposted)
    method, within = "conversations.history", {}
    if letter.thread_ts is not None:
        # History does not show what was said in a thread.
        method, within = "conversations.replies", {"ts": letter.thread_ts}
    oldest = min(letter.created_at, letter.due_at) - CLOCKS_DIFFER
    begun, cursor = time.monotonic(), ""
    try:
        while time.monotonic() - begun <= LONGEST_SECONDS:
            page = context.slack.ask(
                method,
                channel=place(context, letter),
                **within,
                oldest=f"{oldest.timestamp():.6f}",
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor or None,
            )
            for message in page["messages"]:
                if (message.get("metadata") or {}).get("event_payload", {}).get("id") == letter.id:
                    return outbox.sent(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return outbox.later(0, "it was not in the channel", channel_rest=0)
    except SlackError as error:
        if error.code == "thread_not_found":
            return outbox.dead(error.code)
        if isinstance(error.outcome, Later):
            # What Slack grants, it grants a workspace: the other looks wait as well.
            return outbox.doubtful(error.outcome.seconds, f"history: {error.code}", pace.LOOK)
        # Who did not answer may answer next time; who refuses goes on refusing until a person has changed something.
        again = outbox.LOOK_AFTER_SECONDS if isinstance(error.outcome, Unclear) else UNREADABLE_RETRY_SECONDS
        return outbox.doubtful(again, f"history: {error.code}")
    return outbox.doubtful(UNREADABLE_RETRY_SECONDS, "history: too_long")
