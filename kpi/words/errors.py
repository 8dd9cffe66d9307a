"""Why a question was not understood. Each error is a `QuestionError`; whoever shows it makes the sentence.

    QuestionError
    ├── NoMetricError            it names no KPI
    ├── NotUnderstoodError       words that mean nothing here, each with the nearest words that do
    ├── AmbiguousError           a word that means several things: each is given in words that mean only it
    ├── SaidTwiceError           two KPIs, two periods, two groupings… where there is room for one
    ├── TooManyFiltersError      more filters than the two that a question may have
    ├── NoSuchReadingError       a reading that this KPI does not have
    ├── NoSuchComparisonError    a comparison with something else than the period before or the same period last year
    ├── WhoIsAskingError         "me" or "my team" from someone who is not linked to a person of the CRM
    └── BadPeriodError           a date that does not exist, a period that ends before it starts

Words inside the errors are as the person typed them: foreign text, to be escaped.
"""

from dataclasses import dataclass
from enum import StrEnum

from kpi.refusals import RefusedError


class QuestionError(RefusedError):
    """The question has no answer as it stands; the person can mend it."""

    code = "question"

    def __init__(self, **values: object) -> None:
        super().__init__(**values)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word, or some words in a row, that mean nothing here."""

    text: str
    nearest: tuple[str, ...]
    """Known words close to it, closest first; may be empty."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things an ambiguous word may mean."""

    kind: str
    """A dimension (`team`), or `period`."""
    name: str


class NoMetricError(QuestionError):
    """The question names no KPI."""

    code = "no_metric"


class NotUnderstoodError(QuestionError):
    """Words that mean nothing here."""

    code = "not_understood"

    def __init__(self, unknown: tuple[Unknown, ...]) -> None:
        super().__init__(unknown=unknown)
        self.unknown = unknown


class AmbiguousError(QuestionError):
    """A word that means several things; never guessed."""

    code = "ambiguous"

    def __init__(self, text: str, choices: tuple[Choice, ...]) -> None:
        super().__init__(text=text, choices=choices)
        self.text, self.choices = text, choices


class SaidTwiceError(QuestionError):
    """`part` is `metric`, `reading`, `period`, `grain`, `group`, `comparison`, or a dimension filtered twice."""

    code = "said_twice"

    def __init__(self, part: str, first: str, second: str) -> None:
        super().__init__(part=part, first=first, second=second)
        self.part, self.first, self.second = part, first, second


class TooManyFiltersError(QuestionError):
    """More names than a question may be narrowed to."""

    code = "too_many_filters"

    def __init__(self, names: tuple[str, ...], most: int) -> None:
        super().__init__(names=names, most=most)
        self.names, self.most = names, most


class NoSuchReadingError(QuestionError):
    """`word` is a reading of other KPIs than `metric`."""

    code = "no_such_reading"

    def __init__(self, word: str, metric: str) -> None:
        super().__init__(word=word, metric=metric)
        self.word, self.metric = word, metric


class NoSuchComparisonError(QuestionError):
    """Something that a number cannot be compared with."""

    code = "no_such_comparison"

    def __init__(self, word: str) -> None:
        super().__init__(word=word)
        self.word = word


class WhoIsAskingError(QuestionError):
    """ "me" from someone who is not linked to a person of the CRM (or "my team" from someone who has none)."""

    code = "who_is_asking"

    def __init__(self, word: str) -> None:
        super().__init__(word=word)
        self.word = word


class Wrong(StrEnum):
    NO_SUCH_DATE = "no_such_date"
    BACKWARDS = "backwards"
    TO_COME = "to_come"
    FROM_WITHOUT_TO = "from_without_to"
    """ "from March" alone: since March, or in March?"""


class BadPeriodError(QuestionError):
    """A period that cannot be."""

    code = "bad_period"

    def __init__(self, text: str, wrong: Wrong) -> None:
        super().__init__(text=text, wrong=wrong)
        self.text, self.wrong = text, wrong
