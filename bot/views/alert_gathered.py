"""What is said of alerts that are too many for a channel, and of those that nobody watches any more."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import Block, Bold, context, paragraph, spoken
from bot.i18n import Language
from bot.views.chart import N_
from bot.views.digest import Written

CLOSED = {
    "rule_stopped": N_("Closed: the rule was stopped."),
    "group_gone": N_("Closed: what it watched is no longer in the CRM."),
}
"""Why an episode ended that did not recover."""


def gathered(open_: int, ended: int, language: Language) -> Mapping[str, Any]:
    """The one message for all alerts that were too many for its channel within an hour."""
    _, n = language._, language.n
    if open_:
        first = n(
            "{count} more alert is open, too many for one channel to be told one by one.",
            "{count} more alerts are open, too many for one channel to be told one by one.",
            open_,
        )
    else:
        first = n("The alert that was one too many is over.", "The {count} alerts that were too many are over.", ended)
    lines = [first]
    if open_ and ended:
        lines.append(n("{count} is over.", "{count} are over.", ended))
    lines.append(_("“/kpi alert list” shows where each rule stands."))
    text = "\n".join(lines[1:])
    return {"text": spoken("\n".join(lines)), "blocks": [paragraph(Bold(first)), paragraph(text)]}


def closed(written: Written, reason: str, language: Language) -> Written:
    """The message of an alert that nobody watches any more: as it was, without its buttons, and why."""
    sentence = language._(CLOSED[reason])
    kept: list[Block] = [block for block in written.payload["blocks"] if block["type"] != "actions"]
    payload = {"text": f"{written.payload['text']}\n{spoken(sentence)}", "blocks": [*kept, context(sentence)]}
    return Written(payload, written.chart)


def closed_note(reason: str, language: Language) -> Mapping[str, Any]:
    sentence = language._(CLOSED[reason])
    return {"text": spoken(sentence), "blocks": [paragraph(sentence)]}
