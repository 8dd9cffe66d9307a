"""The second word of a command, in French and English: what it does; an unknown one is refused with the nearest."""

from collections.abc import Mapping

from bot.conversation import Asked, Refusal
from bot.phrases import nearest
from kpi.words.folding import fold


def verb_of(
    asked: Asked, verbs: Mapping[str, tuple[str, ...]], *, empty: str, bare: str | None = None
) -> tuple[str, str]:
    """The verb (a key of `verbs`) and the words after it; `empty` when nothing was said.

    `bare` is the verb meant by words that begin with none. Without it they are refused with the verbs there are.
    """
    first, __, rest = asked.text.strip().partition(" ")
    if not first:
        return empty, ""
    words = {fold(word): verb for verb, spelled in verbs.items() for word in spelled}
    found = words.get(fold(first))
    if found is not None:
        return found, rest.strip()
    if bare is not None:
        return bare, asked.text.strip()
    _ = asked.language._
    typed = {fold(word): word for spelled in verbs.values() for word in spelled}
    meant = nearest(first, tuple(typed))
    if meant is not None:
        raise Refusal(_("I do not know “{word}”. Did you mean “{meant}”?", word=first, meant=typed[meant]))
    shown = ", ".join(_spelled(spelled, asked.language.code) for spelled in verbs.values())
    raise Refusal(_("I do not know “{word}”. There is: {verbs}.", word=first, verbs=shown))


def _spelled(spelled: tuple[str, ...], code: str) -> str:
    """English first, French second, by convention."""
    return spelled[1] if code == "fr" and len(spelled) > 1 else spelled[0]
