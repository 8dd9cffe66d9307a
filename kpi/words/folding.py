"""Text as it is compared: no accents, no case, no punctuation; and the words of a question, each with its place.

Every character of a question that could mean something ends up in a token, so that nothing typed is lost on the way.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})

_TOKEN = re.compile(
    r"""
      (?P<email>[^\s@<>()"«»,;]+@[^\s@<>()"«»,;]+\.[^\W\d_]+)
    | (?P<date>
          \d{4}-\d{1,2}-\d{1,2}(?!\w)
        | \d{1,2}[/.]\d{1,2}[/.]\d{4}(?!\w)
        | \d{1,2}/\d{1,2}(?![\w/])
        | \d{4}-\d{1,2}(?![\w-])
        | \d{1,2}/\d{4}(?!\w)
        | \d{4}[-/ ]?[QTqt][1-4](?!\w)
        | [QTqt][1-4][-/ ]?\d{4}(?!\w)
        | \d{4}-?[WwSs]\d{1,2}(?!\w)
        | [WwSs]\d{1,2}[-/ ]\d{4}(?!\w)
      )
    | (?P<quoted>["“”«»])
    | (?P<word>[^\W_]+)
    | (?P<mark>[,;:.!?()\[\]_'’`…\-–—‐‑/])
    | (?P<symbol>\S)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a question: as typed, as compared, and where it stands in the text."""

    text: str
    folded: str
    kind: str
    """`word`, `date`, `email`, `quoted` (a quotation mark), `mark` (punctuation), `symbol`."""
    start: int
    end: int


def fold(text: str) -> str:
    """The text without accents and case; letters written in another way (œ, full width) in the plain one."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(character for character in plain if not unicodedata.combining(character)).casefold()


def tokens(text: str) -> tuple[Token, ...]:
    """The words, dates, marks and symbols of a text, in order; only white space is left out."""
    text = unicodedata.normalize("NFC", text)
    return tuple(
        Token(match.group(), fold(match.group()), match.lastgroup or "symbol", match.start(), match.end())
        for match in _TOKEN.finditer(text)
    )


@lru_cache(maxsize=4096)
def folded_words(text: str) -> tuple[str, ...]:
    """The words of a name or phrase as they are compared: "Jean-Pierre L'Été" is jean, pierre, l, ete.

    Every question is compared with the same phrases and names, so that the last ones are remembered.
    """
    return tuple(token.folded for token in tokens(text) if token.kind not in {"mark", "quoted"})
