"""Sharing an answer: the question that names the audience, the form that picks a channel, the letter itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.blocks import Bold, Ping, actions, button, clean, context, paragraph, plain, spoken
from bot.conversation import Block, Reply
from bot.i18n import Language
from bot.people import Viewer
from bot.views import sentences
from bot.views.answer import pictured, read_out, told
from bot.views.chart import alt_text, picture
from bot.views.notes import counted_only
from kpi.query import KpiResult
from kpi.reasons import Said

YES = "share.yes"
NO = "share.no"
FORM = "share.to"
BLOCK = "channel"
PICK = "share.pick"


@dataclass(frozen=True, slots=True)
class Shared:
    """A letter for the outbox: `payload` holds text and blocks, `chart` what the postman draws, or None."""

    payload: Mapping[str, Any]
    chart: Mapping[str, Any] | None


def question(headline: str, who_sees: str, channel_id: str, state: str, language: Language) -> Reply:
    """Names the channel and who will read it, and asks."""
    _ = language._
    value = json.dumps({"c": channel_id, "q": state}, separators=(",", ":"))
    yes = button(_("Share it"), YES, value, style="primary")
    no = button(_("Do not share"), NO)
    ask = _("Share this answer?")
    return Reply(
        f"{ask} {headline} {who_sees}",
        [paragraph(Bold(ask), "\n", headline), paragraph(who_sees), actions([yes, no])],
    )


def form(state: str, language: Language) -> Mapping[str, Any]:
    """The modal that picks a channel, with Slack's own picker."""
    _ = language._
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": state,
        "title": plain(_("Share the answer"), 24),
        "submit": plain(_("Continue"), 24),
        "close": plain(_("Cancel"), 24),
        "blocks": [
            {
                "type": "input",
                "block_id": BLOCK,
                "label": plain(_("In which channel?"), 2000),
                "element": {
                    "type": "conversations_select",
                    "action_id": PICK,
                    "placeholder": plain(_("Choose a channel"), 150),
                    "filter": {"include": ["public", "private"]},
                },
            }
        ],
    }


def letter(result: KpiResult, viewer: Viewer, language: Language) -> Shared:
    """The answer as everybody in the channel sees it: in the channel's language, with a picture where one fits."""
    _, fiscal = language._, viewer.workspace.fiscal_start_month
    # "What you may see" would mean somebody else to every reader.
    shown = replace(result, notes=tuple(note for note in result.notes if note.code != Said.NARROWED))
    headline = sentences.headline(shown, language, fiscal)
    details, small = told(shown, language, fiscal)
    small += [
        *counted_only(result, language),
        sentences.as_of(result, viewer.workspace, language),
    ]
    blocks: list[Block] = [paragraph(Bold(headline))]
    if details:
        blocks.append(paragraph("\n".join(details)))
    place = len(blocks)
    first, *others = pictured(result)
    blocks += [block for each in others for block in read_out(each, language, fiscal)]
    blocks.append(context(" ".join(small)))
    blocks.append(paragraph(_("Shared by"), " ", Ping(viewer.user_id)))
    payload = {"text": spoken("\n".join([headline, *details, *small])), "blocks": blocks}
    drawn = picture(first, language, fiscal)
    if drawn is None:
        return Shared(payload, None)
    chart = {
        "at": place,
        "chart": drawn.to_json(),
        "title": clean(drawn.title, 100),
        "alt": alt_text(drawn, language),
    }
    return Shared(payload, chart)
