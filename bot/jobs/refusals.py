"""Sources that were refused while there was no administrator: whoever becomes one is told then.

The letter is the one of the refusal itself (`bot.jobs.turn`), so nobody gets it twice.
"""

from datetime import timedelta
from threading import Event

from bot.conversation import Context
from bot.i18n import language
from bot.jobs import Job
from bot.jobs.notices import post
from bot.views.sources import failure_sentence
from storage import people, sources
from storage.database import reading, writing
from storage.workspaces import read_workspace

NEW = timedelta(days=1)
"""Who has been an administrator for longer was told."""


def run(context: Context, _stopping: Event) -> None:
    now = context.clock.now()
    with reading(context.engine) as connection:
        waiting = [
            (refused, admin, language(admin.language or read_workspace(connection, refused.workspace_id).language))
            for refused in sources.refused(connection)
            for admin in people.admins(
                connection, refused.workspace_id, confirmed_after=max(refused.state_since, now - NEW)
            )
        ]
    if not waiting:
        return
    with writing(context.engine) as connection:
        for refused, admin, words in waiting:
            # As the refusal itself is told.
            dedupe = f"RefusedError:{refused.source}:{refused.state_since.isoformat()}:{admin.slack_user_id}"
            said = failure_sentence("RefusedError", refused.source, words)
            post(connection, refused.workspace_id, dedupe, admin.slack_user_id, said, now)


JOB = Job("refusals", 60, run)
