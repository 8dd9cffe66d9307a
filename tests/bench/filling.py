"""A sync that lasts, in a process of its own: `python -m tests.bench.filling DATABASE_URL`; run by `acking`."""

import sys
from datetime import UTC, datetime

from storage import sync
from storage.database import open_engine
from storage.workspaces import SINGLE
from tests.bench.generated import Generated

DEALS = 2_000_000
"""More than are written before it is ended."""

if __name__ == "__main__":
    sync.load(open_engine(sys.argv[1]), SINGLE, Generated(DEALS), now=datetime.now(UTC))
