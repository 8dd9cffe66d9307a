"""Questions that have no answer: one small tree of errors, each with the values its sentence needs."""

from collections.abc import Sequence


class RefusedError(Exception):
    """A question that is refused; `code` is stable, `values` are for the sentence, foreign names not escaped."""

    code = "refused"

    def __init__(self, **values: object) -> None:
        super().__init__(f"{self.code} {values}")
        self.values = values


class UnknownMetricError(RefusedError):
    """No KPI or reading of that name. `metric`, `reading`."""

    code = "unknown_metric"


class NoSuchDimensionError(RefusedError):
    """The KPI cannot be grouped or filtered by that dimension. `metric`, `dimension`, `allowed` (tuple)."""

    code = "no_such_dimension"

    def __init__(self, metric: str, dimension: str, allowed: Sequence[str]) -> None:
        super().__init__(metric=metric, dimension=dimension, allowed=tuple(allowed))


class OutOfScopeError(RefusedError):
    """The asker may not see that. `dimension` and `name` of what was asked.

    `dimension` is `metric` when it is the KPI itself, which is the whole company's; `nothing` for who sees nothing.
    """

    code = "out_of_scope"

    def __init__(self, dimension: str, name: str) -> None:
        super().__init__(dimension=dimension, name=name)


class TooManyBucketsError(RefusedError):
    """A series of more points than a chart can hold. `count`, `most`."""

    code = "too_many_buckets"
