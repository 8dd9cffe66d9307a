"""Who asks: the Slack person of a verified payload, matched to a CRM person, and what they may therefore see.

Matched by e-mail among full members of this team only, unique on both sides; confirmed once by the person, or set by
an admin. The first admin is the person whose e-mail is the setting VIGIE_ADMIN.
"""

import logging
from dataclasses import dataclass
from datetime import date

from bot.blocks import actions, button, clean, name, paragraph
from bot.conversation import Asked, Asker, Context, NotAllowed, NotLinked, Refusal
from bot.i18n import Language, language
from bot.slack import SlackError, SlackUser
from kpi.scope import Scope, scope_of
from storage import people
from storage.database import reading, writing
from storage.people import Link
from storage.workspaces import Workspace, read_workspace

log = logging.getLogger(__name__)

CONFIRM = "people.confirm"
ASK_ADMIN = "people.ask_admin"
_QUESTION = 1500
"""Longest question carried through the confirmation."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A linked person: what every answer is computed for."""

    workspace: Workspace
    user_id: str
    person_id: str | None
    """None for an admin who sells nothing."""
    role: str
    scope: Scope
    today: date
    """The local day of the workspace."""
    language: Language

    @property
    def admin(self) -> bool:
        return self.role == "admin"


def known(asker: Asker, context: Context) -> Viewer:
    """Who the asker is and what they may see.

    Raises `NotLinked` with a button where nobody has confirmed it yet, `NotAllowed` for guests and strangers.
    """
    user = _member(asker, context)
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, asker.workspace_id)
        link = people.read_link(connection, asker.workspace_id, asker.user_id)
    if (link is None or link.role != "admin") and _is_first_admin(user, context):
        link = _link_admin(asker, user, link, context)
    if link is None:
        raise _unknown(asker, user, context)
    now = context.clock.now()
    today = now.astimezone(workspace.zone).date()
    with reading(context.engine) as connection:
        late_before = now - context.settings.late_after
        scope = scope_of(connection, link, visibility=workspace.visibility, today=today, late_before=late_before)
    return Viewer(workspace, asker.user_id, link.person_id, link.role, scope, today, asker.language)


def must_be_admin(asker: Asker, context: Context) -> Viewer:
    """The viewer, who must be an admin. Raises `NotAllowed`."""
    viewer = known(asker, context)
    if not viewer.admin:
        raise NotAllowed(asker.language._("Only an administrator of Vigie can do that."))
    return viewer


def confirm(asker: Asker, context: Context) -> str:
    """The asker says that they are the CRM person of their e-mail: link them. Gives the person's name."""
    user = _member(asker, context)
    _ = asker.language._
    with writing(context.engine) as connection:
        person = people.match(connection, asker.workspace_id, user.email or "")
        if person is None:
            raise NotLinked(_("Nobody in the CRM has your e-mail address, or two people do."))
        if set(people.slack_users_of(connection, asker.workspace_id, person.id)) - {asker.user_id}:
            sentence = _("Somebody else here is already known as that person of the CRM.")
            raise NotLinked(sentence, [paragraph(sentence), actions([button(_("Ask an administrator"), ASK_ADMIN)])])
        people.link(
            connection,
            workspace_id=asker.workspace_id,
            slack_user_id=asker.user_id,
            person_id=person.id,
            actor=asker.user_id,
            now=context.clock.now(),
        )
    return person.name


def language_of(user_id: str, workspace_id: str, context: Context) -> Language:
    """The language to answer in: the person's choice, else Slack's own setting, else the workspace's. Never raises."""
    try:
        with reading(context.engine) as connection:
            link = people.read_link(connection, workspace_id, user_id)
        if link is not None and link.language:
            return language(link.language)
        return language(context.slack.user(user_id).locale or context.settings.language)
    except Exception as error:
        log.warning("language_unknown reason=%s", type(error).__name__)
        return language(context.settings.language)


def _member(asker: Asker, context: Context) -> SlackUser:
    _ = asker.language._
    try:
        user = context.slack.user(asker.user_id)
    except SlackError as error:
        log.warning("user_unknown code=%s", error.code)
        raise Refusal(_("Slack does not say who you are just now. Please try again in a minute.")) from None
    if not user.member:
        raise NotAllowed(_("Sales figures are only for full members of this workspace, not for guests."))
    return user


def _is_first_admin(user: SlackUser, context: Context) -> bool:
    wanted = context.settings.admin
    return bool(wanted and user.email and wanted.strip().casefold() == user.email.strip().casefold())


def _link_admin(asker: Asker, user: SlackUser, before: Link | None, context: Context) -> Link:
    """Make the person of VIGIE_ADMIN an admin; whom they already are in the CRM, they stay."""
    with writing(context.engine) as connection:
        person_id = before.person_id if before is not None else None
        if person_id is None:
            person = people.match(connection, asker.workspace_id, user.email or "")
            person_id = None if person is None else person.id
        return people.link(
            connection,
            workspace_id=asker.workspace_id,
            slack_user_id=asker.user_id,
            person_id=person_id,
            role="admin",
            actor=asker.user_id,
            now=context.clock.now(),
        )


def _unknown(asker: Asker, user: SlackUser, context: Context) -> NotLinked:
    """The sentence for someone not linked yet: confirm, when the e-mail says who they are; else ask an admin."""
    _ = asker.language._
    with reading(context.engine) as connection:
        person = people.match(connection, asker.workspace_id, user.email or "")
    if person is None:
        sentence = _("I do not know who you are in the CRM: your e-mail address is not there, or is there twice.")
        ask = button(_("Ask an administrator"), ASK_ADMIN, style="primary")
        return NotLinked(sentence, [paragraph(sentence), actions([ask])])
    called = name(person.name, _("(no name)"))
    sentence = _("By your e-mail address, you are {name} in the CRM. Is that right?", name=called)
    question = clean(asker.text, _QUESTION) if isinstance(asker, Asked) else ""
    yes = button(_("Yes, that is me"), CONFIRM, question, style="primary")
    no = button(_("No, ask an administrator"), ASK_ADMIN)
    return NotLinked(sentence, [paragraph(sentence), actions([yes, no])])
