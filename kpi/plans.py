"""How a formula's cells are counted: the one place where the plan is chosen."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kpi import facts, median
from kpi.ask import Ask, Counted
from kpi.formulas import Additive, Formula, Mean, Median, Rate, Total


def count(connection: Connection, ask: Ask, formula: Formula, beside: Sequence[Formula]) -> Counted:
    """The cells of a formula and of those shown beside it."""
    match formula:
        case Rate() | Mean() | Total():
            return _additive(connection, ask, formula, beside)
        case Median():
            return median.count(connection, ask, formula.population)
        case _:
            raise NotImplementedError


def _additive(connection: Connection, ask: Ask, formula: Additive, beside: Sequence[Formula]) -> Counted:
    told = tuple(dict.fromkeys(measure.population for measure in formula.measures))
    others = [measure for each in beside if isinstance(each, Rate | Mean | Total) for measure in each.measures]
    measures = tuple(dict.fromkeys([*formula.measures, *others]))
    return facts.count(connection, ask, measures, told)
