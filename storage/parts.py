"""A large page in parts: SQLite's write lock is held for tens of milliseconds, however much a CRM tells at once."""

from collections.abc import Iterator
from dataclasses import replace

from storage.records import Page

ROWS = 250
"""Records a transaction."""


def parts(page: Page) -> Iterator[Page]:
    """The page, or pieces of it in order; only the last piece is where the page ends.

    What is said of a record stands in its piece. Whoever dies between two pieces reads the whole page again.
    """
    rest = page
    while len(rest.records) > ROWS:
        some = rest.records[:ROWS]
        told = {record.ext_id for record in some}
        yield replace(
            rest,
            records=some,
            problems=[problem for problem in rest.problems if problem.ext_id in told],
            passages=[passage for passage in rest.passages if passage.deal in told],
            gone=(),
            last=False,
            finishes=None,
        )
        rest = replace(
            rest,
            records=rest.records[ROWS:],
            mentions=(),
            problems=[problem for problem in rest.problems if problem.ext_id not in told],
            passages=[passage for passage in rest.passages if passage.deal not in told],
        )
    yield rest
