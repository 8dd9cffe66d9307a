"""The names of a workspace, as far as the asker may see them, on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from kpi.scope import Scope
from kpi.vocabulary import Vocabulary, read_vocabulary
from storage import schema
from storage.database import reading, writing

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.fixture
def company(database: Engine) -> Engine:
    """Two teams of one rep each, one customer each; and another workspace with names of its own."""
    with writing(database) as connection:
        for workspace in ("w", "other"):
            mine = workspace == "w"

            def add(table: str, key: str, workspace: str = workspace, **values: object) -> None:
                row = {"workspace_id": workspace, "id": key, "source": "files", "ext_id": key, "payload_hash": "x"}
                connection.execute(getattr(schema, table).insert().values(**row, first_seen_at=NOW, **values))

            add("team", "t1", name="Lyon" if mine else "Secret", parent_id=None, manager_id=None)
            add("team", "t2", name="Paris", parent_id=None, manager_id=None)
            add("person", "p1", name="Ana", email="ana@example.org", region="Sud", active=True)
            add("person", "p2", name="Bob", email=None, region=None, active=False)
            add("customer", "c1", name="Acme", segment="B2B", origin="Salon", region=None)
            add("customer", "c2", name="Isdom", segment="B2C", origin="", region=None)
            nothing = dict.fromkeys(
                ("raw_status", "kind", "product_id", "pipeline_id", "stage_id", "lead_id", "segment", "amount_minor",
                 "created_on", "created_at", "closed_on", "closed_at", "modified_at", "deleted_at")
            )  # fmt: skip
            for key in ("1", "2"):
                add("deal", f"d{key}", name="Deal", status="open", customer_id=f"c{key}", owner_id=f"p{key}",
                    origin="Web", currency="EUR", created_seen=False, **nothing)  # fmt: skip
        for person, team in (("p1", "t1"), ("p2", "t2")):
            connection.execute(
                schema.membership.insert().values(
                    workspace_id="w",
                    person_id=person,
                    starts_on=date.min,
                    ends_on=None,
                    team_id=team,
                    first_seen_at=NOW,
                )
            )
    return database


def names(vocabulary: Vocabulary, dimension: str) -> set[str]:
    return {name.name for name in vocabulary.names if name.dimension == dimension}


def test_an_admin_may_name_everyone_and_nothing_of_another_workspace(company: Engine) -> None:
    with reading(company) as connection:
        found = read_vocabulary(connection, Scope("w", everything=True), today=TODAY)
        customers = {name.name for name in found.customers()}
    assert names(found, "rep") == {"Ana", "Bob"}
    assert names(found, "team") == {"Lyon", "Paris"}
    assert names(found, "segment") == {"B2B", "B2C"}
    assert names(found, "source") == {"Salon", "Web"}
    assert names(found, "region") == {"Sud"}
    assert customers == {"Acme", "Isdom"}
    assert found.me is None


def test_a_rep_may_name_only_the_people_and_customers_of_their_scope(company: Engine) -> None:
    scope = Scope("w", people=frozenset({"p1"}))
    with reading(company) as connection:
        found = read_vocabulary(connection, scope, today=TODAY, asker="p1")
        customers = {name.name for name in found.customers()}
    assert names(found, "rep") == {"Ana"}
    assert customers == {"Acme"}
    assert found.me is not None
    assert found.me.key == "p1"
    assert found.my_team is not None
    assert found.my_team.name == "Lyon"


def test_a_manager_may_name_who_was_in_the_team(company: Engine) -> None:
    scope = Scope("w", people=frozenset({"p1"}), teams=frozenset({"t2"}))
    with reading(company) as connection:
        assert names(read_vocabulary(connection, scope, today=TODAY), "rep") == {"Ana", "Bob"}


def test_who_sees_nothing_may_name_no_person(company: Engine) -> None:
    with reading(company) as connection:
        found = read_vocabulary(connection, Scope("w"), today=TODAY)
        assert not found.customers()
    assert not names(found, "rep")
