"""A draft row as the canonical record of its object, with what is odd about it.

What cannot be read sets a row aside; what is odd while the numbers survive is kept with a flag.
"""

from collections.abc import Callable

from storage.connectors.files import deals, others
from storage.connectors.files.builder import Builder
from storage.connectors.files.drafts import Draft
from storage.records import Record


def build(builder: Builder, draft: Draft) -> None:
    """Make the draft's record, unless it is set aside."""
    if draft.slipped:
        draft.settle(None)
        return
    ext_id = builder.ext_id(draft)
    record = _BUILDERS[draft.object](builder, draft, ext_id)
    if not draft.aside:
        draft.record = record
    draft.settle(ext_id)


_BUILDERS: dict[str, Callable[[Builder, Draft, str], Record | None]] = {
    "deal": deals.deal,
    "lead": others.lead,
    "person": others.person,
    "customer": others.customer,
    "product": others.product,
    "contract": others.contract,
    "purchase": others.purchase,
    "spend": others.spend,
    "rate": others.rate,
}
