from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.storage.files.folder import Folder


@pytest.fixture
def folder(tmp_path: Path, database: Engine) -> Folder:
    return Folder(tmp_path, database)
