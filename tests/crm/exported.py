"""The files that somebody exports from a CRM: the same life, told as CSV."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from tests.crm.truth import local_day
from tests.crm.world import Crm, Thing

HEADERS: dict[str, Sequence[str]] = {
    "person": ("User ID", "Full name", "Email"),
    "customer": ("Customer ID", "Customer"),
    "product": ("Product ID", "Product"),
    "contract": ("Contract ID", "Customer ID", "Start date", "End date"),
    "lead": ("Lead ID", "Lead name", "Created", "Owner ID", "Customer ID", "Lead source", "Converted"),
    "deal": (
        "Deal ID",
        "Deal name",
        "Status",
        "Customer ID",
        "Owner ID",
        "Lead ID",
        "Product ID",
        "Amount",
        "Currency",
        "Create date",
        "Close date",
    ),
}


class ExportedCrm(Crm):
    """A CRM of which only its exports are seen."""

    source: ClassVar[str] = "files"
    verbs: ClassVar[frozenset[str]] = frozenset({"leads", "delete", "currencies", "contracts", "products"})

    def __init__(self, folder: Path | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.folder = folder

    def options(self) -> dict[str, Any]:
        """The folder holds everything, always."""
        return {"place": str(self.folder), "whole": True}

    def export(self, folder: Path) -> None:
        """Every table as it is now, over what was there."""
        folder.mkdir(exist_ok=True)
        for name, headers in HEADERS.items():
            rows = [self._cells(thing) for thing in self.visible(name) if thing.deleted is None]
            _write(folder / f"{name}s.csv", headers, rows)

    def _cells(self, thing: Thing) -> Iterable[object]:
        if thing.object == "person":
            return thing.id, thing["name"], thing["email"]
        if thing.object in {"customer", "product"}:
            return thing.id, thing["name"]
        if thing.object == "contract":
            return thing.id, thing["customer"], thing["starts"], thing["ends"]
        if thing.object == "lead":
            converted = "yes" if thing["converted"] else "no"
            return (
                thing.id,
                thing["name"],
                _day(thing.created),
                thing["owner"],
                thing["customer"],
                thing["origin"],
                converted,
            )
        return (
            thing.id,
            thing["name"],
            self.get("stage", thing["stage"])["status"],
            thing["customer"],
            thing["owner"],
            thing["lead"],
            max(thing["products"], key=lambda line: line[1], default=(None, 0))[0],
            _plain(thing["amount"]),
            thing["currency"],
            _day(thing.created),
            _day(thing["closed"]),
        )


def _write(path: Path, headers: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        written = csv.writer(file)
        written.writerow(headers)
        written.writerows(["" if cell is None else cell for cell in row] for row in rows)


def _day(when: datetime | None) -> str | None:
    day = local_day(when)
    return None if day is None else day.isoformat()


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
