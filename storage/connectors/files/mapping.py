"""The mapping file: what a person declares about their files, in TOML. It comes before anything recognised.

currency = "EUR"            # of every amount that names none
date_order = "dmy"          # or "mdy": how 03/04/2017 is read
decimal = ","               # or "."

[statuses]                  # words of the status or stage column
"En signature chez le notaire" = "open"

[aliases.product]           # one thing, two spellings
"GTXPro" = "GTX Pro"

[files."pipeline*.csv"]     # one table: a file's name, or "book.xlsx [Sheet]"; * stands for anything
object = "deal"             # or "none": not data
[files."pipeline*.csv".columns]
closed = "Date de signature"
id = "Référence"
"""

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from rapidfuzz import process

from storage.connectors.files.dates import Order
from storage.connectors.files.fields import OBJECTS
from storage.connectors.files.headers import fold
from storage.connectors.files.statuses import Status

CurrencyCode = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class MappingProblemError(Exception):
    """A mapping file that cannot be used; `reason` is a stable code, `details` what its sentence needs."""

    def __init__(self, reason: str, **details: str) -> None:
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableMapping(_Strict):
    """What is declared of one file or sheet."""

    object: (
        Literal["person", "product", "customer", "lead", "deal", "contract", "purchase", "spend", "rate", "none"] | None
    ) = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    """The row of the headers, as a spreadsheet numbers it."""
    columns: dict[str, str] = {}
    """Field to header; `""` = the field has no column."""
    constants: dict[str, str] = {}
    """Field to the text that every row is taken to say."""
    date_order: Order | None = None
    decimal: Literal[".", ","] | None = None
    currency: CurrencyCode | None = None
    created_from_lead: bool = False
    """A deal without a creation date of its own was created when its lead was."""


class Aliases(_Strict):
    product: dict[str, str] = {}
    person: dict[str, str] = {}
    customer: dict[str, str] = {}
    lead: dict[str, str] = {}
    pipeline: dict[str, str] = {}


class Mapping(_Strict):
    currency: CurrencyCode | None = None
    date_order: Order | None = None
    decimal: Literal[".", ","] | None = None
    statuses: dict[str, Status] = {}
    aliases: Aliases = Aliases()
    files: dict[str, TableMapping] = {}

    def table(self, place: str) -> TableMapping:
        """What is declared of the table at `place`; the first pattern that fits, with the file-wide defaults."""
        found = next((table for name, table in self.files.items() if _fits(place, name)), TableMapping())
        return found.model_copy(
            update={
                "date_order": found.date_order or self.date_order,
                "decimal": found.decimal or self.decimal,
                "currency": found.currency or self.currency,
            }
        )

    def declared_statuses(self) -> dict[str, Status]:
        return {fold(word): status for word, status in self.statuses.items()}

    def unused(self, places: Sequence[str]) -> list[str]:
        """Names of tables that no file of this call bears: a misspelling, most often."""
        return [name for name in self.files if not any(_fits(place, name) for place in places)]


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file. Raises `MappingProblemError`."""
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as failure:
        raise MappingProblemError("mapping_absent", path=str(path)) from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise MappingProblemError("mapping_not_toml", path=path.name, cause=str(failure)) from failure
    try:
        mapping = Mapping.model_validate(declared)
    except ValidationError as failure:
        raise _first_problem(failure, path) from failure
    for name, table in mapping.files.items():
        _check_fields(path, name, table)
    return mapping


def _check_fields(path: Path, name: str, table: TableMapping) -> None:
    fields = {field.name for object_, all_ in OBJECTS.items() if table.object in (None, object_) for field in all_}
    for field in (*table.columns, *table.constants):
        if field not in fields:
            raise _unknown(path, f"files.{name}", field, fields)


def _first_problem(failure: ValidationError, path: Path) -> MappingProblemError:
    error = failure.errors()[0]
    where = ".".join(str(part) for part in error["loc"][:-1])
    key = str(error["loc"][-1])
    if error["type"] == "extra_forbidden":
        model: type[BaseModel] = Mapping
        if where.startswith("files."):
            model = TableMapping
        elif where.startswith("aliases"):
            model = Aliases
        return _unknown(path, where, key, set(model.model_fields))
    known = error.get("ctx", {}).get("expected") or _EXAMPLES.get(key, "")
    return MappingProblemError(
        "mapping_value",
        path=path.name,
        key=".".join(filter(None, (where, key))),
        said=str(error["input"]),
        known=str(known),
    )


_EXAMPLES = {"currency": "EUR, USD, GBP…", "header_row": "1, 2, 3…", "created_from_lead": "true, false"}
"""What a value may be, where its kind does not say it."""


def _unknown(path: Path, where: str, key: str, known: set[str]) -> MappingProblemError:
    nearest = process.extractOne(key, sorted(known))
    return MappingProblemError(
        "mapping_key",
        path=path.name,
        where=where,
        key=key,
        nearest=nearest[0] if nearest and nearest[1] >= 50 else "",
        known=", ".join(sorted(known)),
    )


def _fits(place: str, name: str) -> bool:
    # A sheet's place holds brackets, which are signs of a pattern for fnmatch.
    return place == name or fnmatchcase(place, name.replace("[", "[[]"))
