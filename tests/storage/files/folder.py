"""A folder of files written by a test, loaded as a person would load it."""

from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema
from storage.connectors.files.connector import FilesConnector, open_files
from storage.connectors.files.mapping import read_mapping
from storage.connectors.files.understand import Understanding
from storage.database import reading
from storage.quarantine import Line, read_quarantine
from storage.sync import Report, load
from storage.workspaces import SINGLE, ensure_workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = date(2026, 3, 2)


class Folder:
    """Files in a temporary folder, and the database that they are loaded into."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path, self.engine = path / "given", engine
        self.path.mkdir()
        ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")

    def write(self, name: str, text: str, encoding: str = "utf-8") -> None:
        (self.path / name).write_bytes(text.encode(encoding))

    def open(self, mapping: str | None = None) -> FilesConnector:
        declared = None
        if mapping is not None:
            file = self.path.parent / "mapping.toml"
            file.write_text(mapping, encoding="utf-8")
            declared = read_mapping(file)
        return open_files(self.engine, SINGLE, [self.path], today=TODAY, mapping=declared)

    def understand(self, text: str, mapping: str | None = None, name: str = "deals.csv") -> Understanding:
        self.write(name, text)
        return self.open(mapping).tables[0]

    def load(self, mapping: str | None = None, now: datetime = NOW) -> Report:
        return load(self.engine, SINGLE, self.open(mapping), now=now)

    def rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        with reading(self.engine) as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))

    def deals(self) -> dict[str, sa.Row[tuple[object, ...]]]:
        return {row.ext_id: row for row in self.rows(schema.deal)}

    def quarantine(self) -> list[Line]:
        with reading(self.engine) as connection:
            return read_quarantine(connection, SINGLE)
