"""What a person may ask for, or leave out, where a CRM tells more than leads and deals.

Contracts are read unless they are left out. Purchases and spend are read only where they are asked for: purchases count
in the place of a customer's won deals, and spend that is loaded from a file as well would count twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field

from storage.connectors.base import Walk

_OPTIONS = {"contract": "contracts", "purchase": "purchases", "spend": "spend"}


def contracts() -> Any:
    """The field of that name."""
    return Field(
        default=True,
        description="Read contracts: a customer who has one is active while it runs, whatever they buy (yes or no)",
    )


def purchases() -> Any:
    return Field(
        default=False,
        description="Read invoices or orders: for retention and lifetime value they count in the place of the won "
        "deals of the customers who have some (yes or no)",
    )


def spend() -> Any:
    return Field(
        default=False,
        description="Read what campaigns cost, as marketing spend; no where it is loaded from a file (yes or no)",
    )


def wanted(walks: Sequence[Walk], options: BaseModel) -> tuple[Walk, ...]:
    """These walks, with what the options say of each."""
    said: Mapping[str, Any] = dict(options)
    return tuple(replace(walk, wanted=bool(said.get(_OPTIONS.get(walk.object, ""), True))) for walk in walks)
