"""What a run changes carries the moment of its page: what was not known yet is not shown as known."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from storage import schema
from tests.storage.sources import NOW, listing, load_all, one_page, rows
from tests.storage.test_sync import deal

MINUTE = timedelta(minutes=1)


class Ticking:
    """A clock that is a minute later each time it is asked; `back` sets it back once, at that call."""

    def __init__(self, back: int | None = None) -> None:
        self.moment, self.calls, self.back = NOW, 0, back

    def __call__(self) -> datetime:
        self.calls += 1
        self.moment += -10 * MINUTE if self.calls == self.back else MINUTE
        return self.moment


def test_each_page_of_a_run_is_seen_at_its_own_moment(database: Engine) -> None:
    load_all(database, listing(deal("D1"), deal("D2"), deal("D3"), deal("D4")), clock=Ticking())
    seen = [row["first_seen_at"] for row in rows(database, schema.deal)]
    assert seen == [NOW + MINUTE, NOW + MINUTE, NOW + 2 * MINUTE, NOW + 2 * MINUTE]
    [cursor] = rows(database, schema.cursor)
    assert cursor["complete_at"] == NOW


def test_history_is_written_in_order_even_where_the_clock_is_set_back(database: Engine) -> None:
    before = [deal(name, amount_minor=1) for name in ("D1", "D2", "D3", "D4")]
    after = [deal(name, amount_minor=2) for name in ("D1", "D2", "D3", "D4")]
    load_all(database, listing(*before))
    load_all(database, listing(*after), now=NOW + MINUTE, clock=Ticking(back=2), full=True)
    told = sorted((row["id"], row["seen_at"]) for row in rows(database, schema.change))
    moments = [moment for _, moment in told]
    assert moments == sorted(moments)
    assert min(moments) >= NOW + MINUTE


def test_what_several_runs_saw_at_one_moment_stays_in_its_order(database: Engine) -> None:
    for number in range(8):
        load_all(database, one_page(deal("D1", amount_minor=number)), now=NOW)
    told = sorted(rows(database, schema.change), key=lambda row: (row["seen_at"], row["id"]))
    assert [row["new"] for row in told if row["field"] == "amount_minor"] == [str(number) for number in range(1, 8)]
