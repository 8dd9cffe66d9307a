"""A page in parts, and long work in chunks, each one transaction: SQLite's write lock is held for tens of milliseconds,
however much a CRM tells at once and however slow the disk is. On PostgreSQL nobody waits for it but who writes the
same rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

from sqlalchemy import Connection, Engine

from storage.database import is_one_writer, writing
from storage.records import Page

AIM = 0.030
"""Seconds that a transaction should take where all writers wait for one lock, its commit included: well below the 50 ms
that are promised, since the next one may be slower than the last."""
_AIM_BESIDE = 0.250
"""Where others write beside it."""
FIRST = 40
"""Rows of the first transaction, when nothing is known yet."""
FEWEST, MOST = 20, 4000
_FASTER, _SLOWER = 1.5, 0.5
"""A transaction has at most so many times the rows of the one before, and at least."""
_NEWS = 0.25
"""What one commit counts for, in the mean of them."""


class Stride:
    """How many rows the next transaction takes, by how long the last ones took."""

    def __init__(self, rows: int | None = None) -> None:
        """`rows`: of the first transaction, where each is known to take little; of no other fewer than half of it."""
        self.rows = rows or FIRST
        self._fewest = FEWEST if rows is None else rows // 2
        self._commit = 0.0
        self._aim = AIM

    @contextmanager
    def writing(self, engine: Engine, rows: int) -> Iterator[Connection]:
        """One write transaction on so many rows, from which the next one's size is learnt."""
        self._aim = AIM if is_one_writer(engine) else _AIM_BESIDE
        with writing(engine, again=True) as connection:
            began = perf_counter()
            yield connection
            written = perf_counter()
        self.took(rows, written - began, perf_counter() - written)

    def took(self, rows: int, work: float, commit: float) -> None:
        """A transaction of so many rows took so many seconds until its commit, and for that.

        Half of the time is for the rows even where the disk takes more: fewer of them would make it no quicker.
        """
        self._commit += (commit - self._commit) * _NEWS
        aim = self._aim - min(self._commit, self._aim / 2)
        change = min(_FASTER, max(_SLOWER, aim / max(work, 0.001)))
        # Of a handful of rows it is not the rows that took so long, and of few it is not known what many would take.
        if rows >= self._fewest and change < 1:
            self.rows = min(self.rows, max(self._fewest, int(rows * change)))
        elif rows >= self.rows and change > 1:
            self.rows = min(MOST, int(self.rows * change))


def parts(page: Page, stride: Stride) -> Iterator[tuple[Page, bool]]:
    """The page, or pieces of it in order, each as large as the stride is by then; True with the one that ends it.

    What is said of a record stands in its piece. Whoever dies between two pieces reads the whole page again.
    """
    rest = page
    while (cut := _cut(rest, stride.rows)) is not None:
        piece, rest = cut
        yield replace(piece, last=False, finishes=None), False
    yield rest, True


def weight(page: Page) -> int:
    """How many rows a piece counts for."""
    return max(len(page.mentions), len(page.records), len(page.gone), len(page.problems))


def _cut(page: Page, rows: int) -> tuple[Page, Page] | None:
    """The first piece and the rest; None = the page is one piece. Names first, then records with what is said of them,
    then what is said besides, then what is gone."""
    if len(page.mentions) > rows:
        names = replace(page, records=(), mentions=page.mentions[:rows], problems=(), passages=(), gone=())
        return names, replace(page, mentions=page.mentions[rows:])
    some, later = page.records[:rows], page.records[rows:]
    known = {record.ext_id for record in some} - {record.ext_id for record in later}
    problems = [problem for problem in page.problems if problem.ext_id not in known]
    passages = [passage for passage in page.passages if passage.deal not in known]
    if not later and max(len(problems), len(passages), len(page.gone)) <= rows:
        return None
    if some:
        piece = replace(
            page,
            records=some,
            problems=[problem for problem in page.problems if problem.ext_id in known],
            passages=[passage for passage in page.passages if passage.deal in known],
            gone=(),
        )
        return piece, replace(page, records=later, mentions=(), problems=problems, passages=passages)
    piece = replace(page, problems=problems[:rows], passages=passages[:rows], gone=page.gone[:rows])
    rest = replace(page, mentions=(), problems=problems[rows:], passages=passages[rows:], gone=page.gone[rows:])
    return piece, rest
