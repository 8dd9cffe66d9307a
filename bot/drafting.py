"""From words to a rule that is not saved yet: for `/kpi alert add` and for `vigie rehearse`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from bot.conversation import Asker, Refusal
from bot.people import Viewer
from bot.phrases import Bound, ask_in_words, must_be_possible
from bot.rule_words import cut_rule
from kpi.catalog import kpi
from kpi.engine import answer
from kpi.query import KpiQuery
from kpi.watch import recommended_bound
from storage.rules import Rule

HOLD, SAMPLE, DELAY_MINUTES = 3, 12, 60
"""Of a rule whose words say nothing of them."""
MOST_OFFERED = 4


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the words mean. `rule` is None where they name no threshold."""

    rule: Rule | None
    query: KpiQuery


def read_rule(
    connection: Connection, asker: Asker, viewer: Viewer, text: str, *, zone: str, channel_id: str, language: str
) -> Drafted:
    """The rule that the words mean, as the asker may set it up; channel, language and zone are cut out of them already.

    Raises `Refusal`, or a `QuestionError` or `RefusedError`, for what is not understood, may not be asked or cannot be.
    """
    _ = asker.language._
    wanted, rest = cut_rule(text, asker, zone)
    if not rest.strip():
        raise Refusal(_("Say which KPI and which threshold: /kpi alert add win rate < 25 for team Paris in #sales"))
    query = ask_in_words(connection, asker, viewer, rest)
    answer(connection, query)  # refuses now what could never be judged
    if wanted.bound is None:
        return Drafted(None, query)
    if len(query.filters) > 1:
        raise Refusal(_("A rule watches everything, or one team, rep, segment…, or each of them (“by team”)."))
    against = wanted.options.get("against") is not None
    recovery = _recovery(asker, query, wanted.bound, wanted.recovery, against=against)
    if not against:
        must_be_possible(asker, query, wanted.bound.value, recovery)
    narrowed = query.filters[0] if query.filters else None
    values: dict[str, Any] = {
        "dimension": narrowed.dimension if narrowed else None,
        "key": narrowed.key if narrowed else None,
        "min_sample": SAMPLE,
        "hold": HOLD,
        "delay_minutes": DELAY_MINUTES,
    }
    rule = Rule(
        workspace_id=asker.workspace_id,
        id="",
        metric=query.metric,
        reading=query.reading,
        each=query.group_by,
        channel_id=channel_id,
        owner=asker.user_id,
        language=language,
        threshold=wanted.bound.value,
        recovery=recovery,
        direction=wanted.bound.direction,
        time_zone=zone,
        **(values | dict(wanted.options)),
    )
    return Drafted(rule, query)


def _recovery(asker: Asker, query: KpiQuery, bound: Bound, said: Decimal | None, *, against: bool) -> Decimal:
    """Where it is good again: as said; else the recommended value, if that is on the good side; else the threshold.

    Of a fall (or rise) against its own past: half of it.
    """
    below = bound.direction == "below"
    if said is not None:
        wrong = said > bound.value if against or not below else said < bound.value
        if wrong:
            raise Refusal(asker.language._("The recovery must be on the good side of the threshold."))
        return said
    if against:
        return bound.value / 2
    advised = recommended_bound(query)
    if advised is not None and ((advised > bound.value) if below else (advised < bound.value)):
        return advised
    return bound.value


def recommended_words(text: str, query: KpiQuery) -> Sequence[str]:
    """The same words with each recommended threshold, where they name none."""
    declared = kpi(query.metric)
    sign = ">" if declared.higher_is_better is False else "<"
    values = [target.low for target in declared.recommended if target.reading == query.reading]
    return [f"{text.strip()} {sign} {value:f}" for value in dict.fromkeys(values)][:MOST_OFFERED]
