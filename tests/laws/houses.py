"""The CRMs on which the laws are tried: two without a wire, and every fake that speaks a real protocol."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from storage.connectors.base import Connector, Declaration, declarations
from tests.crm.lives import opened
from tests.crm.toy import DumbCrm, Toy, ToyCrm
from tests.crm.world import Crm


@dataclass(frozen=True)
class House:
    """One CRM: its fake, and how Vigie opens it."""

    make: Callable[[], Crm]
    open: Callable[[Crm], Connector]
    declaration: Declaration | None = None

    @property
    def name(self) -> str:
        return self.make().source


def toys() -> tuple[House, ...]:
    """They try the engine alone."""

    def open_toy(crm: Crm) -> Connector:
        assert isinstance(crm, ToyCrm)
        return Toy(crm)

    return House(ToyCrm, open_toy), House(DumbCrm, open_toy)


def real() -> tuple[House, ...]:
    """Every connector that has a fake in `tests/crm/<source>.py`."""
    there = {each.source: each for each in declarations()}
    found = []
    for module in pkgutil.iter_modules(import_module("tests.crm").__path__):
        if module.name in there:
            room = import_module(f"tests.crm.{module.name}")
            made = [
                each
                for each in vars(room).values()
                if isinstance(each, type) and issubclass(each, Crm) and getattr(each, "source", None) == module.name
            ]
            declared = there[module.name]
            found.append(House(made[-1], partial(opened, declared), declared))
    return tuple(found)
