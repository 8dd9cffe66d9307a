"""Sentences that name Slack people: by their ids, in blocks and in a message's own text alike."""

import re
from collections.abc import Sequence

from bot.blocks import Ping, Run, spoken
from bot.i18n import Language

_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_PLACE = re.compile("\u2063([a-z]+)\u2063")
"""Where a person is named, while the sentence is put together: invisible separators, which no catalog holds."""


def naming(sentence: str, language: Language, people: dict[str, str], **values: object) -> list[Run]:
    """The message id `sentence` in the reader's language, as runs; `people` are the user ids of its `{places}`."""
    places = {place: f"\u2063{place}\u2063" for place in people}
    parts = _PLACE.split(language._(sentence, **places, **values))
    return [Ping(people[part]) if at % 2 else part for at, part in enumerate(parts) if part]


def aloud(runs: Sequence[Run]) -> str:
    """Runs as part of a message's own text, where Slack shows `<@U…>` as the person's name."""
    said = ""
    for run in runs:
        if isinstance(run, Ping):
            said += f"<@{run.id}>" if _USER.fullmatch(run.id) else ""
            continue
        text = run if isinstance(run, str) else run.text
        inner = text.strip(" \n")
        before, __, after = text.partition(inner) if inner else (text, "", "")
        said += before + spoken(inner) + after
    return said


def unnamed(runs: Sequence[Run], language: Language) -> str:
    """Runs as the text of a private answer, which may name nobody: an answer's text is never formatted."""
    somebody = language._("somebody")
    said = (somebody if isinstance(run, Ping) else run if isinstance(run, str) else run.text for run in runs)
    text = "".join(said)
    return text[:1].upper() + text[1:]
