"""Cells as text, yes/no and currency; and what a cell that cannot be read becomes."""

from dataclasses import dataclass
from datetime import date, datetime

from storage.connectors.files.reading import Cell
from storage.problems import Reason

_EMPTY = {"", "-", "--", "—", "–", "n/a", "na", "null", "none", "#n/a", "(vide)", "(blank)", "(none)", "sans", "néant"}
_FAILED = {
    "#div/0!",
    "#ref!",
    "#value!",
    "#valeur!",
    "#name?",
    "#nom?",
    "#num!",
    "#nombre!",
    "#null!",
    "#nul!",
    "#n/a",
    "#n/d",
    "#calc!",
    "#spill!",
    "#getting_data",
}
"""What a spreadsheet shows where a formula failed."""
_YES = {"oui", "yes", "true", "vrai", "1", "x", "y", "o", "✓", "actif", "active", "activé", "converti", "converted"}
_NO = {"non", "no", "false", "faux", "0", "n", "inactif", "inactive", "désactivé", "deactivated"}


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell that could not be read: the stable reason, and what it says."""

    reason: Reason
    said: str


def is_empty(text: str) -> bool:
    """Whether a cell of a date, amount or yes/no column means "nothing here"."""
    return text.strip().casefold() in _EMPTY


def is_failed(text: str) -> bool:
    """Whether a cell shows that its formula failed."""
    return text.strip().casefold() in _FAILED


def as_text(cell: Cell) -> str | None:
    """The cell as one line of text: `12.0` typed by Excel is `12`, a day is `2017-03-01`.

    None for a blank cell, and for a formula that failed.
    """
    if isinstance(cell, str):
        # split() knows every space, no-break ones too; NUL cannot be stored.
        said = " ".join(cell.replace("\0", "").split())
        return said if said and not (said[0] == "#" and is_failed(said)) else None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def as_flag(cell: Cell) -> bool | Bad | None:
    said = as_text(cell)
    if said is None or is_empty(said):
        return None
    word = said.casefold()
    if word in _YES:
        return True
    return False if word in _NO else Bad(Reason.FLAG_UNREADABLE, said)
