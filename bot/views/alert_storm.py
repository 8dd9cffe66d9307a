"""One message that stands for several alerts of a channel: those that came at once, or that were too many."""

from collections.abc import Sequence

from bot.blocks import Block, Bold, actions, bullets, button, header, paragraph, spoken
from bot.i18n import Language
from bot.views.alert import ACKNOWLEDGE, NOISE, SNOOZE, USEFUL, WHY
from bot.views.alert_lines import MOST_GROUPS, Alert, Case, case_line, headline
from bot.views.digest import Written


def write_storm(
    alerts: Sequence[tuple[Alert, Sequence[Case]]],
    language: Language,
    *,
    letter_id: str | None = None,
    acknowledged: bool = False,
) -> Written:
    """Every alert with its numbers, those still open first, at most ten lines; the others are counted."""
    _, n = language._, language.n
    pairs = [(alert, case) for alert, cases in alerts for case in cases]
    still = sum(not case.over for _alert, case in pairs)
    title = n("{count} more alert in this channel", "{count} more alerts in this channel", len(pairs))
    first = n("{count} is open.", "{count} are open.", still) if still else _("All of them are over.")
    ordered = sorted(pairs, key=lambda pair: pair[1].over)
    listed = [_line(alert, case, language) for alert, case in ordered[:MOST_GROUPS]]
    if len(ordered) > MOST_GROUPS:
        listed.append(_("+{count} more", count=len(ordered) - MOST_GROUPS))
    where = _("All of them: /kpi alert list")
    blocks: list[Block] = [
        header(title),
        paragraph(Bold(first)),
        bullets([[line] for line in listed]),
        paragraph(where),
    ]
    if letter_id is not None:
        hand = [button(_("Acknowledge"), ACKNOWLEDGE, letter_id, style="primary")] if not acknowledged else []
        hand = [*hand, button(_("Snooze…"), SNOOZE, letter_id)] if still else []
        seen = [button(_("Why"), WHY, letter_id), button(_("Useful"), USEFUL, letter_id)]
        blocks.append(actions([*hand, *seen, button(_("Noise"), NOISE, letter_id)]))
    return Written({"text": spoken("\n".join([title, first, *listed, where])), "blocks": blocks}, None)


def _line(alert: Alert, case: Case, language: Language) -> str:
    if case.over:
        return case_line(alert, case, language)
    return language._("{name}: {value}", name=headline(alert, language), value=case_line(alert, case, language))
