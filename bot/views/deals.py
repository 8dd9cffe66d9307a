"""The rows behind a number, as a table that can be sorted: what was counted first, then what was left out and why."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from bot.blocks import Block, Bold, actions, button, context, data_table, name, paragraph, table
from bot.conversation import Reply
from bot.i18n import Language
from bot.people import Viewer
from bot.views import sentences
from bot.views.notes import left_out_sentence
from bot.views.state import encode
from kpi.behind import Behind, Row
from kpi.format import count, major, money
from kpi.labels import day
from kpi.query import KpiResult, LeftOut

AMOUNT = 4
"""The place of the amounts among the columns."""
PAGE = 25
"""Rows on one page: with long names they still fit into the 10,000 characters of a table."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a marked text
    """Marks a text for the catalogs."""
    return message


STATUS: Mapping[str, Mapping[str, str]] = {
    "deal": {"open": N_("open"), "won": N_("won"), "lost": N_("lost"), "dormant": N_("dormant")},
    "lead": {"open": N_("not converted"), "converted": N_("converted")},
    "customer": {
        "kept": N_("kept"),
        "lost": N_("left"),
        "new": N_("new"),
        "won_back": N_("came back"),
        "gone": N_("new, already left"),
    },
}
KIND = {"deal": N_("Deal"), "lead": N_("Lead"), "customer": N_("Customer")}


def deals_reply(found: Behind, offset: int, result: KpiResult, viewer: Viewer) -> Reply:
    """One page of the rows behind an answer; the next one is a click away."""
    language = viewer.language
    _ = language._
    headline = sentences.headline(result, language, viewer.workspace.fiscal_start_month)
    if not found.rows:
        sentence = _("There is nothing behind this number.")
        return Reply(f"{headline}\n{sentence}", [paragraph(Bold(headline)), paragraph(sentence)])
    places = {"first": count(offset + 1, language.locale), "last": count(offset + len(found.rows), language.locale)}
    shown = _("{first} to {last} of {total}", **places, total=count(found.total, language.locale))
    left_out = sum(each.count for each in result.left_out)
    if left_out:
        shown = _(
            "{range}, {count} of them left out: they come last", range=shown, count=count(left_out, language.locale)
        )
    head = [_(KIND[found.rows[0].kind]), _("Customer"), _("Rep"), _("Status"), _("Amount"), _("Created"), _("Closed")]
    cells = [_cells(row, result.currency, language) for row in found.rows]
    # A lead has no amount and seldom a customer: a column that would be empty is left away.
    kept = [at for at in range(len(head)) if any(line[at] for line in cells)]
    sortable = [[cells[line][at] if at != AMOUNT else _number(row, result.currency, cells[line][at]) for at in kept]
                for line, row in enumerate(found.rows)]  # fmt: skip
    head, cells = [head[at] for at in kept], [[line[at] for at in kept] for line in cells]
    top: list[Block] = [paragraph(Bold(_("Behind this number")), "\n", headline)]
    end: list[Block] = [context(shown)]
    state = encode(result.query)
    if state is not None and offset + len(found.rows) < found.total:
        end.append(actions([button(_("Next page"), f"answer.deals.{offset + PAGE}", state)]))
    richest = [*top, data_table(headline, head, sortable), *end]
    plain = [*top, table(head, cells, numeric=tuple(place for place, at in enumerate(kept) if at == AMOUNT)), *end]
    text = [headline, shown, *(" · ".join(cell for cell in line if cell) for line in cells[:10])]
    return Reply("\n".join(text), richest, [plain])


def _cells(row: Row, currency: str, language: Language) -> list[str]:
    absent = language._("(none)")
    status = language._(STATUS[row.kind].get(row.status, row.status))
    if row.reason is not None:
        status = f"{status} · {left_out_sentence(LeftOut(row.reason, 1), language)}"
    return [
        name(row.name, absent),
        name(row.customer, ""),
        name(row.owner, absent),
        status,
        _amount(row, currency, language) or "",
        _day(row.created_on, language),
        _day(row.closed_on, language),
    ]


def _amount(row: Row, currency: str, language: Language) -> str | None:
    """The deal's own amount, and what it is worth in the workspace's currency where that is another."""
    if row.amount_minor is None:
        return None
    own = money(Fraction(row.amount_minor), row.currency, language.locale)
    if row.currency == currency or row.value_minor is None:
        return own
    worth = money(Fraction(row.value_minor), currency, language.locale)
    return language._("{amount} ({converted})", amount=own, converted=worth)


def _number(row: Row, currency: str, shown: str) -> str | tuple[float, str]:
    """What the amounts are sorted by: their worth in one currency."""
    return shown if row.value_minor is None else (float(major(Fraction(row.value_minor), currency)), shown)


def _day(on: date | None, language: Language) -> str:
    return "" if on is None else day(on, language.locale, short=True)
