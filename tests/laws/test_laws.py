"""The laws on some seeds; `make torture` tries a thousand (`tests/laws/torture.py`), after each law
has caught the bugs that are planted for it."""

from itertools import cycle

import pytest
from sqlalchemy import Engine

from tests.laws.houses import real
from tests.laws.law import LAWS, Law, crms

HOUSES = crms()
SEEDS = 24
"""In all: spread over the CRMs and both databases."""
CHUNK = 2
"""Seeds of one test: few enough to be shared out among processes."""


@pytest.mark.parametrize("first", range(0, SEEDS // (2 * len(HOUSES)), CHUNK))
@pytest.mark.parametrize("house", HOUSES)
def test_after_any_life_vigie_says_what_the_crm_says(there: Engine, house: str, first: int) -> None:
    try_seeds(LAWS["sync"], there, house, range(first, first + CHUNK))


OTHERS = [law for law in LAWS.values() if law.over is crms and law.name != "sync"]
PLACES = list(zip(cycle(["sqlite", "postgresql"]), [house.name for house in real()], strict=False))
"""Each CRM once, on one of the databases in turn: a life costs seconds."""


@pytest.mark.parametrize("law", OTHERS, ids=lambda law: law.name)
@pytest.mark.parametrize(("there", "house"), PLACES, indirect=["there"])
def test_every_other_law_holds_for_every_crm(there: Engine, house: str, law: Law) -> None:
    try_seeds(law, there, house, range(1))


def try_seeds(law: Law, engine: Engine, house: str, seeds: range) -> None:
    for seed in seeds:
        try:
            law.scenario(engine, house, seed)
        except Exception as failure:
            failure.add_note(f"law {law.name}, {house}, {engine.dialect.name}, seed {seed}")
            raise
