"""Every key names the workspace first, so that the tables can be spread over machines by workspace (docs/scale.md)."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from kpi.buckets import tables as derived
from storage.schema import GLOBAL_TABLES, metadata

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
GLOBAL = GLOBAL_TABLES | derived.GLOBAL_TABLES
TABLES = {table.name: table for each in (metadata, derived.metadata) for table in each.sorted_tables}


@pytest.mark.parametrize("table", [table for name, table in TABLES.items() if name not in GLOBAL], ids=str)
def test_every_key_of_a_table_carries_the_workspace_first(table: Table) -> None:
    assert not table.c.workspace_id.nullable
    assert next(iter(table.primary_key.columns)).name == "workspace_id"
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            assert constraint.columns.keys()[0] == "workspace_id", constraint
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.column_keys[0] == "workspace_id", constraint
            assert constraint.elements[0].column.name == "workspace_id", constraint
    for index in table.indexes:
        assert not index.unique or index.columns.keys()[0] == "workspace_id", index


def test_the_database_itself_has_no_other_key_than_the_tables_say(database: Engine) -> None:
    """Nothing that a migration or a database adds by itself."""
    found = sa.inspect(database)
    for name in set(found.get_table_names()) - GLOBAL:
        keys = [found.get_pk_constraint(name)["constrained_columns"]]
        keys += [each["column_names"] for each in found.get_unique_constraints(name)]
        keys += [each["constrained_columns"] for each in found.get_foreign_keys(name)]
        keys += [each["column_names"] for each in found.get_indexes(name) if each["unique"]]
        assert all(key[0] == "workspace_id" for key in keys), name


def test_the_global_tables_are_those_that_are_named() -> None:
    without = {name for name, table in TABLES.items() if "workspace_id" not in table.c}
    assert without | {"alembic_version"} == GLOBAL


def test_the_page_on_scale_distributes_every_table_or_says_why_not() -> None:
    spread = re.findall(r"^SELECT create_distributed_table\('(\w+)', 'workspace_id'", PAGE, re.MULTILINE)
    local = re.findall(r"^SELECT citus_add_local_table_to_metadata\('(\w+)'\)", PAGE, re.MULTILINE)
    told = [*spread, *local]
    assert sorted(told) == sorted(set(told))
    assert set(told) == set(TABLES) - GLOBAL
    assert all(re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE) for name in (*local, *GLOBAL))
