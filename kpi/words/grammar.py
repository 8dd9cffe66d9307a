"""From the parts of a question to a `KpiQuery`: each part is said at most once, and agrees with the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from kpi.catalog import kpi
from kpi.declaration import Kpi, Window
from kpi.period import Grain, Period, last_year, previous, rolling, this
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope
from kpi.vocabulary import Vocabulary
from kpi.words.cover import Cover, Kind, Part, cover
from kpi.words.errors import (
    AmbiguousError,
    BadPeriodError,
    Choice,
    NoMetricError,
    NoSuchComparisonError,
    NoSuchReadingError,
    NotUnderstoodError,
    QuestionError,
    SaidTwiceError,
    TooManyFiltersError,
)
from kpi.words.folding import Token, tokens
from kpi.words.names import Candidate, NameIndex
from kpi.words.nearest import unknown_words
from kpi.words.parts import AUTOMATIC, Against, PartFinder, ReadingOf
from kpi.words.points import Almanac

MOST_FILTERS = 2


def understand(
    text: str,
    vocabulary: Vocabulary,
    *,
    today: date,
    scope: Scope,
    language: str = "en",
    fiscal_start_month: int = 1,
    zone: tzinfo | None = None,
) -> KpiQuery:
    """The question as a query with the asker's scope; `language` only chooses the words of suggestions.

    `zone` is that of the days in "as known on …"; without one, such words are not understood.
    Words in French and English may be mixed and come in any order. Without a period it is this month to date (the
    KPI's own window where it has one); without a comparison, the period before.

    Raises a `kpi.words.errors.QuestionError` for anything that is not understood or contradicts itself: no word is
    ever ignored.
    """
    almanac = Almanac(today, fiscal_start_month)
    said = tokens(text)
    names = NameIndex(vocabulary)
    cut = cover(said, PartFinder(names, almanac, zone))
    if cut.unknown and (customers := vocabulary.customers()):
        names = NameIndex(vocabulary, customers)
        cut = cover(said, PartFinder(names, almanac, zone))
    if cut.unknown:
        raise NotUnderstoodError(unknown_words(said, cut.unknown, names, language))
    return _query(_meanings(said, cut), almanac, scope)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A part with its one meaning, and the words as typed."""

    kind: Kind
    value: object
    text: str


def _meanings(said: Sequence[Token], cut: Cover) -> list[_Meaning]:
    metrics = {
        part.value
        for alternatives in cut.parts
        if {part.kind for part in alternatives} == {Kind.METRIC}
        for part in alternatives
    }
    found = [_meaning(said, alternatives, metrics) for alternatives in cut.parts]
    return [meaning for meaning in found if meaning.kind is not Kind.POLITE]


def _meaning(said: Sequence[Token], alternatives: tuple[Part, ...], metrics: set[object]) -> _Meaning:
    """The one meaning of some words. Raises `AmbiguousError` where there are several and nothing decides."""
    words = said[alternatives[0].start : alternatives[0].end]
    text = " ".join(token.text for token in words)
    by_kind: dict[Kind, list[object]] = {}
    for part in alternatives:
        values = by_kind.setdefault(part.kind, [])
        if part.value not in values:
            values.append(part.value)
    readings = [value for value in by_kind.get(Kind.READING, ()) if isinstance(value, ReadingOf)]
    if readings and (Kind.METRIC not in by_kind or any(reading.metric in metrics for reading in readings)):
        return _Meaning(Kind.READING, readings, text)
    for kind in (Kind.POLITE, Kind.METRIC, Kind.GROUP, Kind.GRAIN, Kind.COMPARISON, Kind.KNOWN):
        if kind in by_kind:
            # "last year" after "vs" is the same period last year before it is a period of its own.
            values = sorted(by_kind[kind], key=lambda value: isinstance(value, Against))
            if kind is Kind.METRIC and len(values) > 1:
                raise AmbiguousError(text, tuple(Choice("metric", str(value)) for value in values))
            return _Meaning(kind, values[0], text)
    periods, named = by_kind.get(Kind.PERIOD, []), _named(by_kind.get(Kind.NAME, []))
    if periods and named and not any(character.isdecimal() for character in text):
        choices = tuple(Choice(value.dimension, value.name) for value in named if isinstance(value, Filter))
        raise AmbiguousError(text, (Choice("period", text), *choices))
    if periods:
        return _Meaning(Kind.PERIOD, periods[0], text)
    filters = [value for value in named if isinstance(value, Filter)]
    if len(filters) > 1 and len(named) == 2 and {value.dimension for value in filters} == {"team", "region"}:
        # An office and the team in it often share their name: the team is meant, and the answer says "team".
        return _Meaning(Kind.NAME, next(value for value in filters if value.dimension == "team"), text)
    if len(filters) > 1:
        raise AmbiguousError(text, tuple(Choice(value.dimension, value.name) for value in filters))
    return _Meaning(Kind.NAME, named[0], text)


def _named(values: Sequence[object]) -> list[object]:
    """The distinct filters that a name may be: whole names before parts, the living before the deleted."""
    candidates = [value for value in values if isinstance(value, Candidate)]
    others: list[object] = [value for value in values if not isinstance(value, Candidate)]
    kept: list[object] = []
    for dimension in dict.fromkeys(candidate.name.dimension for candidate in candidates):
        own = [candidate for candidate in candidates if candidate.name.dimension == dimension]
        own = [candidate for candidate in own if candidate.whole] or own
        own = [candidate for candidate in own if not candidate.name.deleted] or own
        kept += [candidate.filter for candidate in own]
    return others + list(dict.fromkeys(kept))


def _query(meanings: Sequence[_Meaning], almanac: Almanac, scope: Scope) -> KpiQuery:
    for meaning in meanings:
        if isinstance(meaning.value, QuestionError):
            raise meaning.value
    metric = _one(meanings, Kind.METRIC)
    if metric is None:
        raise NoMetricError()
    declared = kpi(str(metric.value))
    period = _period(meanings, declared, almanac)
    return KpiQuery(
        metric=declared.metric,
        reading=_reading(meanings, declared),
        period=period,
        scope=scope,
        today=almanac.today,
        comparison=_comparison(meanings, period, almanac),
        group_by=_group(meanings),
        grain=_grain(meanings, period),
        filters=_filters(meanings),
        as_known=_known(meanings),
    )


def _one(meanings: Sequence[_Meaning], kind: Kind) -> _Meaning | None:
    """The one part of a kind; said twice with the same meaning, it is still one. Raises `SaidTwiceError`."""
    own = [meaning for meaning in meanings if meaning.kind is kind]
    for other in own[1:]:
        if other.value != own[0].value:
            raise SaidTwiceError(kind.value, own[0].text, other.text)
    return own[0] if own else None


def _reading(meanings: Sequence[_Meaning], declared: Kpi) -> str:
    chosen: _Meaning | None = None
    key = declared.asked
    for meaning in meanings:
        if meaning.kind is not Kind.READING or not isinstance(meaning.value, list):
            continue
        own = [value.reading for value in meaning.value if value.metric == declared.metric]
        if not own:
            raise NoSuchReadingError(meaning.text, declared.metric)
        if chosen is not None and own[0] != key:
            raise SaidTwiceError("reading", chosen.text, meaning.text)
        chosen, key = meaning, own[0]
    return key


def _period(meanings: Sequence[_Meaning], declared: Kpi, almanac: Almanac) -> Period:
    said = _one(meanings, Kind.PERIOD)
    if said is not None and isinstance(said.value, Period):
        return said.value
    if declared.asked_window is Window.TWELVE_MONTHS:
        return rolling(Grain.MONTH, 12, almanac.today)
    return this(Grain.MONTH, almanac.today)


def _comparison(meanings: Sequence[_Meaning], period: Period, almanac: Almanac) -> Comparison | None:
    said = _one(meanings, Kind.COMPARISON)
    if said is None:
        return Comparison.PREVIOUS
    if not isinstance(said.value, Against):
        return Comparison(said.value) if isinstance(said.value, str) else None
    against = said.value.period
    if isinstance(against, BadPeriodError):
        raise against
    for comparison, offered in (
        (Comparison.PREVIOUS, previous(period, almanac.today)),
        (Comparison.LAST_YEAR, last_year(period, almanac.today)),
    ):
        if against.whole() == offered.whole() or (against.start, against.end) == (offered.start, offered.end):
            return comparison
    raise NoSuchComparisonError(said.text)


def _known(meanings: Sequence[_Meaning]) -> datetime | None:
    said = _one(meanings, Kind.KNOWN)
    return said.value if said is not None and isinstance(said.value, datetime) else None


def _group(meanings: Sequence[_Meaning]) -> str | None:
    said = _one(meanings, Kind.GROUP)
    return None if said is None else str(said.value)


def _grain(meanings: Sequence[_Meaning], period: Period) -> Grain | None:
    said = _one([meaning for meaning in meanings if meaning.value != AUTOMATIC], Kind.GRAIN)
    if said is not None:
        return Grain(str(said.value))
    return _suiting(period) if any(meaning.value == AUTOMATIC for meaning in meanings) else None


def _suiting(period: Period) -> Grain:
    """A grain that makes about 4 to 30 points of a period."""
    for most, grain in ((31, Grain.DAY), (100, Grain.WEEK), (800, Grain.MONTH)):
        if period.days <= most:
            return grain
    return Grain.QUARTER


def _filters(meanings: Sequence[_Meaning]) -> tuple[Filter, ...]:
    found = tuple(dict.fromkeys(_named_filters(meanings)))
    by_dimension: dict[str, Filter] = {}
    for chosen in found:
        other = by_dimension.setdefault(chosen.dimension, chosen)
        if other != chosen:
            raise SaidTwiceError(chosen.dimension, other.name, chosen.name)
    if len(found) > MOST_FILTERS:
        raise TooManyFiltersError(tuple(chosen.name for chosen in found), MOST_FILTERS)
    # In the order of the alphabet, so that the order of the words makes no difference.
    return tuple(sorted(found, key=lambda chosen: (chosen.dimension, chosen.key or "")))


def _named_filters(meanings: Sequence[_Meaning]) -> Iterator[Filter]:
    for meaning in meanings:
        if meaning.kind is Kind.NAME and isinstance(meaning.value, Filter):
            yield meaning.value
