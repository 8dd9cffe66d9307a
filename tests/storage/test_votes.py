"""Votes on alerts: one for each person and alert, which may be changed; counted by rule."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from storage import votes
from storage.database import reading, writing
from storage.votes import Votes

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def cast(
    engine: Engine, user: str, useful: bool, *, rule: str = "r1", letter: str = "l1", workspace: str = "w"
) -> bool:
    with writing(engine) as connection:
        return votes.cast(
            connection, workspace_id=workspace, rule_id=rule, letter_id=letter, user=user, useful=useful, now=NOW
        )


def test_a_person_has_one_vote_on_each_alert_and_may_change_it(database: Engine) -> None:
    assert cast(database, "U1", True)
    assert not cast(database, "U1", True)
    assert cast(database, "U2", True)
    assert cast(database, "U1", False)
    assert cast(database, "U1", False, letter="l2")
    assert cast(database, "U1", True, rule="r2")
    assert cast(database, "U1", True, workspace="other")
    with reading(database) as connection:
        assert votes.by_rule(connection, "w") == {"r1": Votes(1, 2), "r2": Votes(1, 0)}
        assert votes.by_rule(connection, "nobody") == {}
