"""Rows that bear the same id: one of them speaks, the others are set aside or recognised as repeats."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from storage.connectors.files.drafts import Draft
from storage.problems import Reason

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def settle_duplicates(tables: Sequence[Sequence[Draft]]) -> None:
    """Among rows of one id the last modified speaks; where none says when, the last in the order of reading.

    A row that says the same word for word is a repeat and needs no line in the quarantine.
    """
    by_id: dict[str, list[Draft]] = defaultdict(list)
    for rows in tables:
        for draft in rows:
            if draft.record is not None:
                by_id[draft.record.ext_id].append(draft)
    for ext_id, same in by_id.items():
        if len(same) == 1:
            continue
        _, winner = max(enumerate(same), key=lambda item: (_modified(item[1]), item[0]))
        for draft in same:
            if draft is winner:
                continue
            if draft.record == winner.record:
                draft.record = None
                draft.mentions, draft.problems = [], []
            else:
                draft.set_aside(Reason.ID_DUPLICATE, "id", id=ext_id, winner=winner.place)
                draft.settle(ext_id)


def _modified(draft: Draft) -> datetime:
    return (draft.record.modified if draft.record else None) or _LONG_AGO
