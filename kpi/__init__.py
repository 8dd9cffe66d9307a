"""What the numbers mean: periods, measures, the catalog, queries, thresholds, charts.

Knows no Slack, no clock, no environment.
"""
