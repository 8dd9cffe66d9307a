"""The real companies of the test data, loaded as a person would: by the files connector, with a mapping file each."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage.connectors.files.connector import open_files
from storage.connectors.files.mapping import read_mapping
from storage.sync import Report, load
from storage.workspaces import SINGLE, ensure_workspace

MAPPINGS = Path(__file__).parent / "mappings"
NOW = datetime(2018, 12, 31, 12, tzinfo=UTC)
"""After the last row of every set."""

SETTINGS = {
    "maven_crm": {"time_zone": "America/New_York", "currency": "USD", "language": "en"},
    "olist_funnel": {"time_zone": "America/Sao_Paulo", "currency": "BRL", "language": "en"},
    "cdnow": {"time_zone": "America/New_York", "currency": "USD", "language": "en"},
}


def real_data() -> Path:
    """The folder of the real data sets, or a skipped test."""
    folder = os.environ.get("VIGIE_REAL_DATA")
    if not folder:
        pytest.skip("the real data sets are not at hand (VIGIE_REAL_DATA)")
    return Path(folder)


def load_real(engine: Engine, name: str, workspace_id: str = SINGLE) -> Report:
    """Create the workspace and load `maven_crm`, `olist_funnel` or `cdnow` into it."""
    ensure_workspace(engine, workspace_id, now=NOW, **SETTINGS[name])
    mapping = read_mapping(MAPPINGS / f"{name}.toml")
    connector = open_files(engine, workspace_id, [real_data() / name], today=NOW.date(), mapping=mapping)
    return load(engine, workspace_id, connector, now=NOW)
