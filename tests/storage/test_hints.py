from datetime import timedelta

import pytest
from sqlalchemy import Engine

from storage import hints, schema
from storage.connectors.base import Hint
from storage.connectors.http import UnavailableError
from storage.database import reading, writing
from storage.sync import reread
from storage.workspaces import SINGLE
from tests.storage.sources import NOW, Told, load_all, one_page, rows
from tests.storage.test_sync import deal

LATER = NOW + timedelta(days=1)


def hint(ext_id: str, event: str = "", object_: str = "deal") -> Hint:
    return Hint(event_id=event or f"e-{ext_id}", object=object_, ext_id=ext_id)


def put(engine: Engine, *told: Hint) -> int:
    with writing(engine) as connection:
        return hints.put(connection, SINGLE, "test", told, NOW)


def waiting(engine: Engine) -> list[Hint]:
    with reading(engine) as connection:
        return hints.waiting(connection, SINGLE, "test")


def test_an_event_that_is_told_twice_waits_once(database: Engine) -> None:
    assert put(database, hint("D1"), hint("D1"), hint("D2")) == 2
    assert put(database, hint("D1")) == 0
    assert waiting(database) == [hint("D1"), hint("D2")]


def test_a_row_is_read_again_and_its_hints_are_settled(database: Engine) -> None:
    load_all(database, one_page(deal("D1"), deal("D2")))
    told = [hint("D1", "a"), hint("D1", "b"), hint("D2")]
    put(database, *told)
    source = Told((), again={"D1": deal("D1", amount_minor=5)})
    report = reread(database, SINGLE, source, waiting(database), now=LATER)
    assert (report.total.changed, report.total.deleted, report.requests) == (1, 1, 1)
    assert waiting(database) == []
    there = {row["ext_id"]: (row["amount_minor"], row["deleted_at"]) for row in rows(database, schema.deal)}
    assert there == {"D1": (5, None), "D2": (None, LATER)}
    assert put(database, *told) == 0, "a late duplicate is known"


def test_rows_read_again_move_no_position_and_confirm_nothing(database: Engine) -> None:
    load_all(database, one_page(deal("D1")))
    before = rows(database, schema.cursor)
    reread(database, SINGLE, Told((), again={"D1": deal("D1", amount_minor=5)}), [hint("D1")], now=LATER)
    assert rows(database, schema.cursor) == before


def test_a_hint_stays_while_its_row_cannot_be_read(database: Engine) -> None:
    def fail() -> None:
        raise UnavailableError("GET /deal: 503")

    load_all(database, one_page(deal("D1")))
    put(database, hint("D1"))
    with pytest.raises(UnavailableError):
        reread(database, SINGLE, Told((), between=fail), waiting(database), now=LATER)
    assert waiting(database) == [hint("D1")]


def test_more_rows_than_a_page_holds_are_read_in_several(database: Engine) -> None:
    load_all(database, one_page(deal("D1")))
    told = [hint(f"D{number}") for number in range(250)]
    put(database, *told)
    again = {each.ext_id: deal(each.ext_id) for each in told}
    report = reread(database, SINGLE, Told((), again=dict(again)), waiting(database), now=LATER)
    assert (report.requests, report.total.new, waiting(database)) == (3, 249, [])


def test_hints_are_forgotten_after_a_while_settled_or_moot(database: Engine) -> None:
    """One that has waited for as long is moot: listings have read its row since."""
    put(database, hint("D1"), hint("D2"))
    with writing(database) as connection:
        hints.settle(connection, SINGLE, "test", ["e-D1"], LATER)
        assert hints.prune(connection, SINGLE, "test", NOW) == 0
        assert hints.prune(connection, SINGLE, "test", LATER) == 1
        assert hints.prune(connection, SINGLE, "test", LATER + timedelta(days=1)) == 1
    assert waiting(database) == []
