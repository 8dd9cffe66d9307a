"""One database for all seeds of a room."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import open_engine


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
