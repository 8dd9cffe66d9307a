"""What Vigie remembers, and where it comes from: tables, migrations, connectors, sync, outbox.

Knows no Slack and no KPI.
"""
