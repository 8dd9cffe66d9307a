"""What every row needs on its way to a record: its id, its name, whom it names, its amount."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from babel.numbers import get_currency_precision

from storage.connectors.files.amounts import Amount
from storage.connectors.files.cells import Bad
from storage.connectors.files.drafts import Draft
from storage.connectors.files.names import Names
from storage.connectors.files.statuses import Status
from storage.connectors.files.understand import Understanding
from storage.problems import Reason


@dataclass(slots=True)
class Builder:
    """Builds the records of one table."""

    one: Understanding
    names: Names
    statuses: dict[str, Status]
    today: date
    occurrences: Counter[str] = field(default_factory=Counter)
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    """Words of the kind column that say none of the kinds: left out, and reported once."""
    planned: int = 0
    """Closing dates of open deals: plans, not used."""

    def ext_id(self, draft: Draft) -> str:
        found = draft.text("id")
        if found is None and draft.object in ("person", "customer", "product"):
            found = _full_name(draft) or draft.text("email")
        if found is not None:
            return found
        if self.one.column("id") is not None:
            draft.flag_kept(Reason.ID_MISSING, "id")
        return draft.content_id(self.occurrences, without=_EDITED.get(draft.object, ()))

    def name(self, draft: Draft, ext_id: str) -> str:
        name = _full_name(draft)
        if name is None and self.one.column("name") is not None:
            draft.flag_kept(Reason.NAME_MISSING, "name", id=ext_id)
        return name or ext_id

    def reference(self, draft: Draft, name: str, object_: str) -> str | None:
        said = draft.text(name)
        if said is None or draft.aside:
            return None
        found = self.names.resolve(object_, said)
        if isinstance(found, Bad):
            draft.flag_kept(found.reason, name, said=said)
            return None
        ext_id, mention = found
        if mention is not None:
            draft.mentions.append(mention)
        return ext_id

    def needed(self, draft: Draft, *names: str) -> None:
        for name in names:
            if name not in draft.values and not any(problem.field == name for problem in draft.problems):
                draft.set_aside(Reason.VALUE_MISSING, name, column=self.header(name))

    def header(self, name: str) -> str:
        column = self.one.column(name)
        return column.match.header if column else name

    def amount(self, draft: Draft, *, may_be_negative: bool = False) -> tuple[int | None, str]:
        amount, told = draft.amount(), draft.text("currency")
        if amount is None:
            return None, told or self.one.currency
        if amount.rounded:
            draft.flag_kept(Reason.AMOUNT_ROUNDED, "amount")
        if amount.minor < 0 and not may_be_negative:
            draft.flag_kept(Reason.AMOUNT_NEGATIVE, "amount")
        if told is not None and told != amount.currency:
            return _in_currency(amount, told), told
        return amount.minor, amount.currency


_EDITED = {"spend": ("amount",), "rate": ("rate", "modified")}
"""An edited amount of spend is the same spend, a corrected rate the same rate."""


def _full_name(draft: Draft) -> str | None:
    """First and last name where they stand in two columns."""
    return " ".join(filter(None, (draft.text("first_name"), draft.text("name")))) or None


def moment(draft: Draft, name: str) -> datetime | None:
    """A moment of modification; a bare day is its first instant."""
    when = draft.when(name)
    if when is None or isinstance(when, datetime):
        return when
    return datetime(when.year, when.month, when.day, tzinfo=draft.zone)


def _in_currency(amount: Amount, currency: str) -> int:
    """The same figures in a currency that may have other decimals."""
    shift = get_currency_precision(currency) - get_currency_precision(amount.currency)
    return int(Decimal(amount.minor).scaleb(shift))
