"""What Koban's rows become: three ways to write a date, no currency, no creation date that can be relied on.

Koban publishes the structure of deals, accounts and processes (github.com/Koban-CRM/coding-templates). That leads and
deals bear `Guid`, `DCreated` and `DUpdated` as accounts do is assumed; what is not told is left empty.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from storage.connectors import koban_commerce as commerce
from storage.connectors.koban_commerce import Made
from storage.connectors.koban_values import Base, Value, when
from storage.connectors.reading import Row, UnreadableError, minor, oddity, problem
from storage.problems import Reason
from storage.records import Customer, Deal, Gone, Lead, Mention, Pipeline, Stage

_RESULTS = {None: "open", "": "open", "WON": "won", "LOST": "lost", "SLEEP": "dormant"}


class _Who(Row):
    Guid: str | None = None
    FullName: str | None = None


class _Process(Row):
    Guid: str | None = None
    Extcode: str | None = None
    Label: str | None
    Steps: list[Value] | None

    @property
    def code(self) -> str:
        code = self.Guid or self.Extcode
        if not code:
            raise UnreadableError(Reason.ID_MISSING, "Guid")
        return code


class _Third(Base):
    Label: str | None
    FirstName: str | None = None


class _Lead(Base):
    Company: str | None = None
    Name: str | None = None
    FirstName: str | None = None
    EMail: str | None = None
    Origin: Value | None = None
    AssignedTo: _Who | None = None


class _Deal(Base):
    Label: str | None
    Result: str | None
    Amountprev: str | None
    Status: Value | None
    Process: Value | None
    Third: Value | None
    AssignedTo: _Who | None
    DResult: str | None = None
    Products: Sequence[commerce.Line] | None = None


class Rows:
    """Makes records of rows; `stages` is what a person decided of steps in which deals rest without a result."""

    def __init__(self, currency: str, stages: Mapping[str, str], zone: ZoneInfo) -> None:
        self._currency, self._stages = currency, stages
        self.forms: Mapping[str, tuple[type[Any], Callable[[Any], Made]]] = {
            "pipeline": (_Process, self._pipeline),
            "stage": (_Process, self._steps),
            "customer": (_Third, self._customer),
            "lead": (_Lead, self._lead),
            "deal": (_Deal, self._deal),
            "product": (commerce.ProductRow, commerce.product),
            "contract": (commerce.ContractRow, lambda row: commerce.contract(row, zone)),
            "purchase": (commerce.InvoiceRow, lambda row: commerce.invoice(row, currency, zone)),
        }
        """By object: the fields that Vigie rests on, and what is made of them."""

    def _pipeline(self, row: _Process) -> Made:
        return [Pipeline(ext_id=row.code, name=row.Label or row.code)]

    def _steps(self, row: _Process) -> Made:
        steps = [(position, step, _step(row.code, step)) for position, step in enumerate(row.Steps or ())]
        return [
            Stage(
                ext_id=ext_id,
                name=step.name,
                pipeline=row.code,
                position=position,
                status=self._stages.get(ext_id, "open"),
            )
            for position, step, ext_id in steps
            if ext_id is not None
        ]

    def _customer(self, row: _Third) -> Made:
        if row.Obsolete:
            return [Gone(object="customer", ext_id=row.Guid, at=row.modified)]
        name = " ".join(part for part in (row.FirstName, row.Label) if part)
        return [Customer(ext_id=row.Guid, modified=row.modified, name=name or row.Guid)]

    def _lead(self, row: _Lead) -> Made:
        if row.Obsolete:
            return [Gone(object="lead", ext_id=row.Guid, at=row.modified)]
        person = " ".join(part for part in (row.FirstName, row.Name) if part)
        lead = Lead(
            ext_id=row.Guid,
            modified=row.modified,
            name=row.Company or person or row.EMail or row.Guid,
            created=row.created,
            owner=_guid(row.AssignedTo),
            origin=(row.Origin.name or None) if row.Origin else None,
        )
        return [*_people(row.AssignedTo), lead]

    def _deal(self, row: _Deal) -> Made:
        """The closing day is the result's own date, else the day of the last change."""
        if row.Obsolete:
            return [Gone(object="deal", ext_id=row.Guid, at=row.modified)]
        if row.Result not in _RESULTS:
            raise UnreadableError(Reason.STATUS_UNKNOWN, "Result", row.Result)
        process = row.Process.code if row.Process else None
        stage = _step(process, row.Status)
        status = _RESULTS[row.Result]
        if status == "open":
            status = self._stages.get(stage or "", "open")
        deal = Deal(
            ext_id=row.Guid,
            modified=row.modified,
            name=row.Label or row.Guid,
            status=status,
            raw_status=row.Result,
            customer=row.Third.Guid if row.Third else None,
            owner=_guid(row.AssignedTo),
            product=commerce.product_of(row.Products),
            pipeline=process,
            stage=stage,
            amount_minor=minor(row.Amountprev, self._currency, "Amountprev"),
            currency=self._currency,
            created=row.created,
            closed=None if status == "open" else when(row.DResult, "DResult") or row.modified,
        )
        named = [("pipeline", process, row.Process), ("stage", stage, row.Status)]
        named.append(("customer", deal.customer, row.Third))
        mentions = [
            Mention(object=object_, ext_id=ext_id, name=value.name)
            for object_, ext_id, value in named
            if ext_id and value
        ]
        odd = oddity(row.Amountprev, self._currency)
        flags = [problem(row, "deal", odd, "Amountprev", row.Amountprev, "Guid", kept=True)] if odd else []
        return [*mentions, *_people(row.AssignedTo), deal, *flags]


def _step(process: str | None, step: Value | None) -> str | None:
    """A step has an id of its own, or a code that other processes may use too."""
    if step is None or step.code is None:
        return None
    return step.Guid or f"{process}:{step.code}"


def _guid(who: _Who | None) -> str | None:
    return (who.Guid or None) if who else None


def _people(who: _Who | None) -> list[Mention]:
    """Users are listed nowhere: they are known by the name that the first row gives them."""
    return [Mention(object="person", ext_id=who.Guid, name=who.FullName or who.Guid)] if who and who.Guid else []
