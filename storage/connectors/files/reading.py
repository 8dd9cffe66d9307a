"""Files as rows of cells: CSV of any delimiter and encoding, Excel with its numbers and dates as they are."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from io import StringIO
from itertools import islice
from pathlib import Path

import charset_normalizer
from python_calamine import CalamineError, CalamineWorkbook

Cell = str | int | float | bool | date | datetime | time | timedelta

CSV_ENDINGS = (".csv", ".tsv", ".txt")
EXCEL_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 60
_ENCODINGS = ["cp1252", "mac_roman", "cp850", "utf_16_le", "utf_16_be"]
"""What Western spreadsheets write when it is not UTF-8."""


class FileProblemError(Exception):
    """A file that cannot be read at all; `reason` is a stable code, `details` what its sentence needs."""

    def __init__(self, reason: str, **details: str) -> None:
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file, or one sheet of a workbook, as read."""

    place: str
    """How a person calls it: `deals.csv`, `sales.xlsx [Deals]`."""
    file: str
    name: str | None
    """The sheet's name in a workbook; None for a text file."""
    rows: Sequence[Sequence[Cell]]
    encoding: str | None = None
    delimiter: str | None = None


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The table files behind these paths, directories searched (not their hidden files), in a stable order.

    Raises `FileProblemError` for a path that does not exist, one of another kind, or a directory without any table.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file() and _is_table(file)]
            if not inside:
                raise FileProblemError("directory_empty", path=str(path))
            found += inside
        elif not path.exists():
            raise FileProblemError("file_absent", path=str(path))
        elif not _is_table(path):
            raise FileProblemError("file_kind", path=str(path), known=", ".join((*CSV_ENDINGS, *EXCEL_ENDINGS)))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def read_files(files: Sequence[Path]) -> list[Sheet]:
    """Every sheet of every file. Raises `FileProblemError`."""
    names = Counter(file.name for file in files)
    sheets: list[Sheet] = []
    for file in files:
        label = file.name if names[file.name] == 1 else f"{file.parent.name}/{file.name}"
        sheets += _read_excel(file, label) if file.suffix.lower() in EXCEL_ENDINGS else [_read_csv(file, label)]
    taken: Counter[str] = Counter()
    for index, sheet in enumerate(sheets):
        taken[sheet.place] += 1
        if taken[sheet.place] > 1:
            # Two folders of the same name: the place must still tell them apart.
            sheets[index] = replace(sheet, place=f"{sheet.place} ({taken[sheet.place]})")
    return sheets


def _is_table(file: Path) -> bool:
    return file.suffix.lower() in (*CSV_ENDINGS, *EXCEL_ENDINGS) and not file.name.startswith((".", "~$"))


def _read_excel(file: Path, label: str) -> list[Sheet]:
    try:
        workbook = CalamineWorkbook.from_path(file)
        return [
            Sheet(f"{label} [{name}]", label, name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in workbook.sheet_names
        ]
    except (CalamineError, OSError) as failure:
        raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure


def _read_csv(file: Path, label: str) -> Sheet:
    try:
        raw = file.read_bytes()
    except OSError as failure:
        raise FileProblemError("file_unreadable", path=label, cause=failure.strerror or "") from failure
    text, encoding = _decode(raw, label)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel's own first line; an empty row stands for it, so that row numbers stay those of the file.
        delimiter, text = first.strip()[4], "\n" + rest
    else:
        delimiter = _delimiter(text)
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as failure:
        raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure
    return Sheet(label, label, None, rows, encoding, delimiter)


def _decode(raw: bytes, label: str) -> tuple[str, str]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as failure:
                raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure
    try:
        text = raw.decode("utf-8")
        if "\0" not in text:
            return text, "utf-8"
    except UnicodeDecodeError:
        pass
    best = charset_normalizer.from_bytes(raw, cp_isolation=_ENCODINGS).best()
    if best is None or "\0" in str(best):
        raise FileProblemError("file_not_text", path=label)
    return str(best), best.encoding


def _delimiter(text: str) -> str:
    """The delimiter by which most of the first lines have the same number of cells, and more than one."""
    sample = list(islice(StringIO(text, newline=""), _SAMPLE_LINES))
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            continue
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1] * (item[0] - 1), item[0]))
        score = rows * (1 + min(width, 40) / 100) * (rows / sum(widths.values()))
        if score > best_score:
            best, best_score = delimiter, score
    return best
