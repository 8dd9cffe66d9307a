"""The laws on some hundred seeds; `make torture` tries a thousand (`tests/laws/torture.py`), after each law
has caught the bugs that are planted for it."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import open_engine
from tests.laws.houses import real
from tests.laws.law import LAWS, Law, crms

HOUSES = crms()
SEEDS = 72
"""In all: spread over the CRMs and both databases."""
CHUNK = 3
"""Seeds of one test: few enough to be shared out among processes."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One database for every seed: each has a workspace of its own."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(request.getfixturevalue("sqlite_template"), Path(folder) / "laws.sqlite3")
            engine = open_engine(f"sqlite:///{path}")

            @sa.event.listens_for(engine, "connect")
            def _fast(raw: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
                raw.cursor().execute("PRAGMA synchronous = OFF")

            yield engine
            engine.dispose()
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    name = f"laws_{uuid.uuid4().hex}"
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE vigie_template"))
    engine = open_engine(base.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.mark.parametrize("first", range(0, SEEDS // (2 * len(HOUSES)), CHUNK))
@pytest.mark.parametrize("house", HOUSES)
def test_after_any_life_vigie_says_what_the_crm_says(there: Engine, house: str, first: int) -> None:
    try_seeds(LAWS["sync"], there, house, range(first, first + CHUNK))


OTHERS = [law for law in LAWS.values() if law.over is crms and law.name != "sync"]


@pytest.mark.parametrize("law", OTHERS, ids=lambda law: law.name)
@pytest.mark.parametrize("house", [house.name for house in real()])
def test_every_other_law_holds_for_every_crm(there: Engine, house: str, law: Law) -> None:
    try_seeds(law, there, house, range(1))


def try_seeds(law: Law, engine: Engine, house: str, seeds: range) -> None:
    for seed in seeds:
        try:
            law.scenario(engine, house, seed)
        except Exception as failure:
            failure.add_note(f"law {law.name}, {house}, {engine.dialect.name}, seed {seed}")
            raise
