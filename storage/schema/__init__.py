"""Every table, by name. `metadata` is what Alembic compares the migrations with."""

from storage.schema.base import GLOBAL_TABLES, ExactDecimal, Instant, metadata
from storage.schema.crm import (
    contract,
    customer,
    deal,
    lead,
    membership,
    person,
    pipeline,
    product,
    purchase,
    spend,
    stage,
    team,
    workspace,
)
from storage.schema.ledger import change, cursor, quarantine, run
from storage.schema.slack import audit, episode, letter, link, rule, schedule, target

__all__ = [
    "GLOBAL_TABLES",
    "ExactDecimal",
    "Instant",
    "audit",
    "change",
    "contract",
    "cursor",
    "customer",
    "deal",
    "episode",
    "lead",
    "letter",
    "link",
    "membership",
    "metadata",
    "person",
    "pipeline",
    "product",
    "purchase",
    "quarantine",
    "rule",
    "run",
    "schedule",
    "spend",
    "stage",
    "target",
    "team",
    "workspace",
]
