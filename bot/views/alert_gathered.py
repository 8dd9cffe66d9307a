"""What is said of alerts that are too many for a channel."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import Bold, paragraph, spoken
from bot.i18n import Language


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
