"""Questions in words, in French and English: `understand` makes a `KpiQuery` of one, or says what it misses.

Deterministic and offline; no word of a question is ever ignored.
"""

from kpi.words.errors import QuestionError
from kpi.words.grammar import understand

__all__ = ["QuestionError", "understand"]
