"""What was seen when an alert fired and when it ended: kept with the episode as JSON, and said in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from bot.i18n import Language
from bot.views.sentences import sample
from kpi import format as written
from kpi.query import KpiResult, Measured


@dataclass(frozen=True, slots=True)
class Evidence:
    """A measured number at one evaluation.

    `on` is the last local day of its window; `usual` the mean of the windows before, in the number's own unit, where
    a rule holds a number against its own past; `corrected` that a late edit of the data, and no newer day, changed it.
    """

    measured: Measured
    at: datetime
    on: date | None = None
    usual: Fraction | None = None
    corrected: bool = False

    def to_json(self) -> dict[str, Any]:
        measured = self.measured
        exact = {
            "value": measured.value,
            "numerator": measured.numerator,
            "denominator": measured.denominator,
            "usual": self.usual,
        }
        kept: dict[str, Any] = {key: None if number is None else str(number) for key, number in exact.items()}
        on = None if self.on is None else self.on.isoformat()
        return kept | {
            "interval": measured.interval,
            "at": self.at.isoformat(),
            "on": on,
            "corrected": self.corrected,
        }

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> "Evidence":
        """What `to_json` gave; one kept by an older Vigie lacks the newer fields."""
        value, numerator, denominator, usual = (
            None if kept.get(key) is None else Fraction(kept[key])
            for key in ("value", "numerator", "denominator", "usual")
        )
        interval = None if kept["interval"] is None else (kept["interval"][0], kept["interval"][1])
        on = kept.get("on")
        return Evidence(
            Measured(value, numerator, denominator, interval),
            datetime.fromisoformat(kept["at"]),
            None if on is None else date.fromisoformat(on),
            usual,
            bool(kept.get("corrected")),
        )


def evidence_sentence(measured: Measured, result: KpiResult, language: Language) -> str:
    """`9.5% (4 of 42, 95% interval 3.8% to 22.1%).`, as much of it as there is."""
    _ = language._
    value = amount(measured.value, result, language) or _("no data")
    of = sample(measured, result, language)
    if not of:
        return _("{value}.", value=value)
    if measured.interval is None:
        return _("{value} ({sample}).", value=value, sample=of)
    low, high = (amount(Fraction(end), result, language) for end in measured.interval)
    return _("{value} ({sample}, 95% interval {low} to {high}).", value=value, sample=of, low=low, high=high)


def amount(number: Fraction | None, result: KpiResult, language: Language) -> str | None:
    """A number in the unit of the result's values, without decimals where it has none."""
    compact = number is not None and number.denominator == 1
    return written.amount(number, result.unit, result.currency, language.locale, compact=compact)
