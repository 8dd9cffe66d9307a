"""Buckets: sums of what every deal, lead and customer adds to the measures, kept by day, week, month and year.

Nothing is defined here a second time: a tally is the expression of a measure for one row, a bucket is a sum of tallies.
Answers read buckets only while they are ready (`kpi.buckets.state`); else they ask the facts.
"""

from kpi.buckets.build import forget, rebuild, settle
from kpi.buckets.check import Checked, check
from kpi.buckets.fold import fold
from kpi.buckets.sweep import sweep
from kpi.buckets.tables import ensure

__all__ = ["Checked", "check", "ensure", "fold", "forget", "rebuild", "settle", "sweep"]
