"""How one number was computed: the definition, the values put into the formula, what was left out and why."""

from bot.blocks import Bold, bullets, context, paragraph
from bot.conversation import Block, Reply
from bot.people import Viewer
from bot.views import sentences
from bot.views.help import definition_blocks
from bot.views.notes import left_out_sentences, note_sentences
from bot.views.question import describe
from kpi.catalog import kpi
from kpi.query import KpiResult


def definition_reply(result: KpiResult, viewer: Viewer) -> Reply:
    """The definition of the KPI with this answer's own numbers."""
    language, fiscal = viewer.language, viewer.workspace.fiscal_start_month
    _ = language._
    declared = kpi(result.query.metric)
    headline = sentences.headline(result, language, fiscal)
    blocks: list[Block] = [
        *definition_blocks(declared, declared.reading(result.query.reading), language),
        paragraph(Bold(_("This answer")), "\n", headline),
        context(_("Understood as: {question}", question=describe(result.query, language, fiscal))),
    ]
    left_out = list(left_out_sentences(result, language))
    if left_out:
        blocks += [paragraph(Bold(_("Left out"))), bullets([[sentence] for sentence in left_out])]
    notes = [*note_sentences(result, language), sentences.as_of(result, viewer.workspace, language)]
    blocks.append(context(" ".join(notes)))
    return Reply("\n".join([headline, *left_out, *notes]), blocks)
