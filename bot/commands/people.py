"""Linking Slack people to CRM people: the confirmation, the call for an admin, and `/kpi link` for admins."""

import re
from collections.abc import Sequence

from bot.blocks import Bold, Ping, name, paragraph, spoken
from bot.commands.ask import answer
from bot.conversation import Action, Asked, Click, Command, Context, NotThere, Refusal, Reply
from bot.i18n import Language, language
from bot.people import ASK_ADMIN, CONFIRM, confirm, must_be_admin
from storage import outbox, people
from storage.database import writing

_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|\b([UW][A-Z0-9]{6,})\b")
_EMAIL = re.compile(r"[^\s<>|:]+@[^\s<>|]+")
ROLES = ("rep", "manager", "admin")


def on_confirm(click: Click, context: Context) -> Reply:
    """The person says who they are; the question they came with is answered at once."""
    called = confirm(click, context)
    if not click.value:
        _ = click.language._
        sentence = _("Thank you, {name}. Ask away: /kpi help says how.", name=name(called, ""))
        return Reply(sentence, [paragraph(sentence)], replace=True)
    return answer(click, click.value, context)


def on_ask_admin(click: Click, context: Context) -> Reply:
    """Tell the admins, once a day and person, that somebody wants to be linked."""
    _ = click.language._
    now = context.clock.now()
    with writing(context.engine) as connection:
        admins = people.admins(connection, click.workspace_id)
        for admin in admins:
            theirs = language(admin.language or context.settings.language)
            # The id can be copied as it stands; only the e-mail address of the CRM is still to be typed.
            typed = theirs._("/kpi link {person} e-mail", person=click.user_id)
            text = theirs._("Somebody asks to be linked to a person of the CRM: type {command}", command=typed)
            block = paragraph(
                Ping(click.user_id), " ", theirs._("asks to be linked to a person of the CRM. Type:"), " ", Bold(typed)
            )
            outbox.put(
                connection,
                workspace_id=click.workspace_id,
                dedupe=f"link:{click.user_id}:{admin.slack_user_id}:{now.date()}",
                kind="link",
                channel_id=admin.slack_user_id,
                payload={"text": spoken(text), "blocks": [block]},
                now=now,
            )
    context.postman.ring()
    if not admins:
        raise NotThere(_("Vigie has no administrator yet: whoever runs it sets VIGIE_ADMIN to an e-mail address."))
    sentence = _("The administrators have been told. They will link you, and then you can ask.")
    return Reply(sentence, [paragraph(sentence)], replace=True)


def run(asked: Asked, context: Context) -> Reply:
    """`/kpi link @person their.email [rep|manager|admin]`."""
    _ = asked.language._
    must_be_admin(asked, context)
    who, email = _USER.search(asked.text), _EMAIL.search(_USER.sub(" ", asked.text))
    role = next((word for word in asked.text.lower().split() if word in ROLES), None)
    if who is None or (email is None and role != "admin"):
        raise Refusal(_("Type: /kpi link @person their.email@example.com, then rep, manager or admin if you like."))
    user_id = who.group(1) or who.group(2)
    if not context.slack.user(user_id).member:
        raise Refusal(_("Guests, bots and people of other organisations cannot be linked."))
    with writing(context.engine) as connection:
        person = None if email is None else people.match(connection, asked.workspace_id, email.group())
        if email is not None and person is None:
            raise NotThere(_("Nobody in the CRM has the address {email}, or two people do.", email=email.group()))
        people.link(
            connection,
            workspace_id=asked.workspace_id,
            slack_user_id=user_id,
            person_id=None if person is None else person.id,
            role=role,
            actor=asked.user_id,
            now=context.clock.now(),
        )
    called = _("nobody") if person is None else name(person.name, _("(no name)"))
    sentence = _("Done. In the CRM this person is: {name}.", name=called)
    return Reply(sentence, [paragraph(Ping(user_id), _(": "), sentence)])


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return ((_("link @person e-mail"), _("say who a Slack person is in the CRM (administrators)")),)


COMMAND = Command(words=("link", "lier", "relier"), help=_lines, run=run)
ACTIONS = (
    Action(re.compile(re.escape(CONFIRM)), on_confirm),
    Action(re.compile(re.escape(ASK_ADMIN)), on_ask_admin),
)
