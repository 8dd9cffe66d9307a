"""Takes up what Slack said and nobody has done: of a process that died, or that had no room for it."""

from threading import Event

from bot.conversation import Context
from bot.jobs import Job


def run(context: Context, stopping: Event) -> None:
    """Hold on to what is under way here, and begin what is free; it is run by the answers' threads."""
    if context.inbox is not None:
        context.inbox.take_up(stopping)


JOB = Job("inbox", 1, run)
