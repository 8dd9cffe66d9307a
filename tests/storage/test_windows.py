"""Reading by offset while the set moves: nothing that was there all the time is missed."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from storage.connectors.windows import Window, along, windows
from storage.records import Position

NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Moving:
    """Rows (id, version) by version; between two questions they are edited (to the end) or removed."""

    def __init__(self, rows: int, deeds: Sequence[tuple[str, int]] = (), cap: int = 1000) -> None:
        self.rows = {number: number for number in range(rows)}
        self.deeds, self.cap, self.asked = list(deeds), cap, 0
        self.untouched = set(self.rows)

    def ask(self, start: int, size: int) -> tuple[list[tuple[int, int]], bool | None]:
        self.asked += 1
        ordered = sorted(self.rows.items(), key=lambda row: row[1])
        found = ordered[start : start + min(size, self.cap)]
        # More may leave than windows overlap.
        for deed, number in [self.deeds.pop() for _ in self.deeds[:3]]:
            if number in self.rows:
                self.untouched.discard(number)
                if deed == "edit":
                    self.rows[number] = max(self.rows.values()) + 1
                else:
                    del self.rows[number]
        return found, None

    def read(self, size: int, token: str = "") -> list[Window]:
        return list(windows(self.ask, lambda row: f"{row[0]}@{row[1]}", size, token))


deeds = st.lists(st.tuples(st.sampled_from(["edit", "remove"]), st.integers(0, 29)), max_size=60)


@given(deeds, st.integers(3, 12), st.integers(2, 12))
def test_a_row_that_nobody_touches_is_read_however_the_others_move(
    deeds: list[tuple[str, int]], size: int, cap: int
) -> None:
    moving = Moving(30, deeds, cap)
    read = {row[0] for window in moving.read(size) for row in window.rows}
    assert moving.untouched <= read
    assert set(moving.rows) <= read


@given(deeds, st.integers(3, 12), st.integers(2, 12), st.integers(0, 8))
def test_reading_that_is_cut_anywhere_goes_on_from_its_token_without_a_gap(
    deeds: list[tuple[str, int]], size: int, cap: int, cut: int
) -> None:
    moving = Moving(30, deeds, cap)
    before: list[Window] = []
    for window in windows(moving.ask, lambda row: f"{row[0]}@{row[1]}", size, ""):
        before.append(window)
        if len(before) > cut:
            break
    for number in list(moving.rows)[:10]:
        del moving.rows[number]
    after = [] if before[-1].last else moving.read(size, before[-1].token)
    read = {row[0] for window in [*before, *after] for row in window.rows}
    assert set(moving.rows) <= read


def test_rows_of_one_moment_that_change_places_are_all_read() -> None:
    asked: list[int] = []

    def ask(start: int, size: int) -> tuple[list[int], None]:
        asked.append(start)
        # One that the first window told has changed places with one that it did not.
        rows = list(range(30)) if len(asked) == 1 else [*range(8), 12, 9, 10, 11, 8, *range(13, 30)]
        return rows[start : start + size], None

    read = {row for window in windows(ask, str, 10, "") for row in window.rows}
    assert read == set(range(30))


def test_a_set_that_stands_still_is_read_once() -> None:
    moving = Moving(100)
    rows = [row for window in moving.read(20) for row in window.rows]
    assert len(rows) == len(set(rows)) == 100


def test_a_server_that_gives_fewer_rows_than_asked_does_not_end_the_set() -> None:
    moving = Moving(50, cap=7)
    assert len({row for window in moving.read(20) for row in window.rows}) == 50


def test_an_empty_set_is_one_window() -> None:
    assert [(list(window.rows), window.last) for window in Moving(0).read(5)] == [([], True)]


def test_a_walk_goes_on_in_the_stretch_where_it_was_cut() -> None:
    def stretch(name: str) -> list[Window]:
        return [Window([f"{name}1"], "x", last=False), Window([f"{name}2"], "", last=True)]

    def read(position: Position) -> list[tuple[object, Position, bool]]:
        stretches = [lambda token, name=name: iter(stretch(name)[1 if token else 0 :]) for name in "ab"]
        return [(rows[0], after, last) for _, rows, after, last in along(position, stretches, lambda: None)]

    whole = read(Position(began=NOW))
    assert [row for row, _, _ in whole] == ["a1", "a2", "b1", "b2"]
    assert [last for _, _, last in whole] == [False, False, False, True]
    assert whole[-1][1] == Position(listing=False, since=NOW)
    for place, (_, after, last) in enumerate(whole):
        if not last:
            assert [row for row, _, _ in read(after)] == [row for row, _, _ in whole[place + 1 :]]


def test_a_token_of_another_version_begins_again() -> None:
    stretches = [lambda _token: iter([Window(["a"], "", last=True)])]
    assert [rows for _, rows, _, _ in along(Position(token="7 x"), stretches, lambda: None)] == [["a"]]
