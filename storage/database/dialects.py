"""The two dialects as statements are spelled in, before any connection is there."""

from functools import lru_cache

from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect


@lru_cache(maxsize=2)
def dialect_of(database: str) -> Dialect:
    if database == "postgresql":
        return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    return sqlite.dialect(paramstyle="qmark")
