"""The one place that knows which database it is: how it is opened, transactions, and what is spelled differently.

No dialect branch stands anywhere else.
"""

from storage.database.engine import open_engine
from storage.database.facts import Facts, facts
from storage.database.filling import fill, spell_filling
from storage.database.functions import day_plus, days_between, local_day, moment, moment_after, not_sought_by
from storage.database.inserts import Insert, insert, insert_of, put
from storage.database.selects import Part, Tongue, among, listed, parameter, run, spell, together, tongue
from storage.database.straight import Straight
from storage.database.transactions import (
    alone,
    analyze,
    counting,
    home_schema,
    is_one_writer,
    private_schema,
    reading,
    refresh_statistics,
    writing,
)

__all__ = [
    "Facts",
    "Insert",
    "Part",
    "Straight",
    "Tongue",
    "alone",
    "among",
    "analyze",
    "counting",
    "day_plus",
    "days_between",
    "facts",
    "fill",
    "home_schema",
    "insert",
    "insert_of",
    "is_one_writer",
    "listed",
    "local_day",
    "moment",
    "moment_after",
    "not_sought_by",
    "open_engine",
    "parameter",
    "private_schema",
    "put",
    "reading",
    "refresh_statistics",
    "run",
    "spell",
    "spell_filling",
    "together",
    "tongue",
    "writing",
]
