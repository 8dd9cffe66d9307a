"""The sales facts, as the sources tell them: people, teams, customers, deals, leads, contracts, purchases, spend.

Ids are text made by `storage.records.make_id(source, ext_id)`: readable, deterministic, so that a row may name another
that has not been loaded yet. `source` is the system a row came from (`files`, `hubspot`); `origin` is where a lead or
customer came from (advertising, referral), which people call "source" too.
"""

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Column, Index, Named, Table, TypedColumns

from storage.schema.base import ExactDecimal, Instant, metadata


class SourcedColumns(TypedColumns):
    """What every synced row carries."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    source: Named[str]
    ext_id: Named[str]
    modified_at = Column(Instant, nullable=True)
    """When the source says that the row last changed; null when it does not say."""
    payload_hash: Named[str]
    """Hash of the canonical record: the same row read twice changes nothing. Empty for a row only mentioned."""
    first_seen_at = Column(Instant, nullable=False)
    deleted_at = Column(Instant, nullable=True)
    merged_into: Named[str | None]
    """The row of the same table that took this one over; such a row is deleted too."""


class workspace_columns(TypedColumns):
    workspace_id = Column(sa.Text, primary_key=True)
    name: Named[str]
    time_zone: Named[str]
    """IANA name; every local day of the workspace is a day of this zone."""
    currency: Named[str]
    """ISO 4217 code of the reporting currency."""
    language: Named[str]
    """`fr` or `en`: the default for channels and people without a language of their own."""
    fiscal_start_month: Named[int]
    """1 to 12; 1 means that fiscal quarters are calendar quarters."""
    visibility: Named[str]
    """Who sees whose numbers by default: `own`, `team` or `everyone`."""
    created_at = Column(Instant, nullable=False)


class team_columns(SourcedColumns):
    name: Named[str]
    parent_id: Named[str | None]
    manager_id: Named[str | None]
    """A person id."""


class person_columns(SourcedColumns):
    name: Named[str]
    email: Named[str | None]
    region: Named[str | None]
    """The person's office."""
    active: Named[bool]


class membership_columns(TypedColumns):
    """Which team a person belonged to on each local day; open memberships have no `ends_on`."""

    workspace_id = Column(sa.Text, primary_key=True)
    person_id = Column(sa.Text, primary_key=True)
    starts_on = Column(sa.Date, primary_key=True)
    """First local day; `date.min` where the source tells no history ("today's team, and it is said")."""
    ends_on: Named[date | None]
    """First local day after the membership (half-open)."""
    team_id: Named[str]
    first_seen_at = Column(Instant, nullable=False)


class customer_columns(SourcedColumns):
    name: Named[str]
    segment: Named[str | None]
    """`B2B`, `B2C`, or the source's own word."""
    origin: Named[str | None]
    region: Named[str | None]


class product_columns(SourcedColumns):
    name: Named[str]


class pipeline_columns(SourcedColumns):
    name: Named[str]


class stage_columns(SourcedColumns):
    name: Named[str]
    pipeline_id: Named[str | None]
    position: Named[int]
    status: Named[str]
    """What a deal in this stage is: `open`, `won`, `lost` or `dormant`."""


class deal_columns(SourcedColumns):
    name: Named[str]
    status: Named[str]
    """`open`, `won`, `lost` or `dormant`."""
    raw_status: Named[str | None]
    """The source's own word, as read."""
    kind: Named[str | None]
    """The source's own kind where it has one: `new`, `upsell`, `cross_sell`, `additional`; else null."""
    customer_id: Named[str | None]
    owner_id: Named[str | None]
    product_id: Named[str | None]
    pipeline_id: Named[str | None]
    stage_id: Named[str | None]
    lead_id: Named[str | None]
    segment: Named[str | None]
    origin: Named[str | None]
    amount_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    """Minor units of `currency`."""
    currency: Named[str]
    value_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    """The amount in minor units of the workspace's currency, at the rate of the closing day (while open: the newest);
    null without an amount or a rate."""
    created_on: Named[date | None]
    """Local day of creation; null when the source has none."""
    created_seen: Named[bool] = Column(sa.Boolean, default=False)
    """The day of creation is the day on which Vigie first saw the row: the source tells none."""
    created_at: Named[datetime | None] = Column(Instant, nullable=True)
    closed_on: Named[date | None]
    """Local day won, lost or put to sleep; null while open."""
    closed_at: Named[datetime | None] = Column(Instant, nullable=True)


class lead_columns(SourcedColumns):
    name: Named[str]
    created_on: Named[date | None]
    created_seen: Named[bool] = Column(sa.Boolean, default=False)
    """As of a deal: the day of creation is the day of the first sight."""
    created_at: Named[datetime | None] = Column(Instant, nullable=True)
    qualified_on: Named[date | None]
    """Local day of qualification; null when the source has none (the creation day then counts)."""
    qualified: Named[bool | None]
    """Null when the source has no such field: the lead then counts as qualified."""
    inbound: Named[bool | None]
    """Null when the source has no such field: the lead then counts as inbound."""
    converted: Named[bool | None]
    """The source's own flag; counts only where the source links no deals."""
    converted_on: Named[date | None]
    customer_id: Named[str | None]
    owner_id: Named[str | None]
    segment: Named[str | None]
    origin: Named[str | None]


class contract_columns(SourcedColumns):
    customer_id: Named[str]
    starts_on: Named[date]
    ends_on: Named[date | None]
    """Last local day of the contract, inclusive; null = open."""
    amount_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    currency: Named[str]
    value_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    """In the workspace's currency, at the rate of the first day."""


class purchase_columns(SourcedColumns):
    customer_id: Named[str]
    purchased_on: Named[date]
    product_id: Named[str | None]
    amount_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    currency: Named[str]
    value_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    """In the workspace's currency, at the rate of the day."""


class spend_columns(SourcedColumns):
    kind: Named[str]
    """`marketing` or `sales`."""
    starts_on: Named[date]
    ends_on: Named[date]
    """Last local day, inclusive; the amount is spread over the days."""
    origin: Named[str | None]
    amount_minor: Named[int] = Column(sa.BigInteger)
    currency: Named[str]
    value_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)
    """In the workspace's currency, at the rate of the first day."""


class rate_columns(SourcedColumns):
    """From `starts_on` until the next rate of the pair: 1 unit of `base` is `rate` units of `currency`."""

    base: Named[str]
    currency: Named[str]
    starts_on: Named[date]
    rate: Named[Decimal] = Column(ExactDecimal)


class passage_columns(TypedColumns):
    """A deal entered a stage, as the CRM's own history tells it (`change` holds what the sync itself saw)."""

    workspace_id = Column(sa.Text, primary_key=True)
    deal_id = Column(sa.Text, primary_key=True)
    entered_at = Column(Instant, primary_key=True)
    stage_id = Column(sa.Text, primary_key=True)
    source: Named[str]
    first_seen_at = Column(Instant, nullable=False)


workspace = Table("workspace", metadata, workspace_columns)
team = Table("team", metadata, team_columns)
person = Table("person", metadata, person_columns)
membership = Table("membership", metadata, membership_columns)
customer = Table("customer", metadata, customer_columns)
product = Table("product", metadata, product_columns)
pipeline = Table("pipeline", metadata, pipeline_columns)
stage = Table("stage", metadata, stage_columns)
deal = Table("deal", metadata, deal_columns)
lead = Table("lead", metadata, lead_columns)
contract = Table("contract", metadata, contract_columns)
purchase = Table("purchase", metadata, purchase_columns)
spend = Table("spend", metadata, spend_columns)
rate = Table("rate", metadata, rate_columns)
passage = Table("passage", metadata, passage_columns)

# Few indexes on purpose: each one costs every synced deal (docs/performance.md).
Index(None, deal.c.workspace_id, deal.c.created_on)
Index(None, deal.c.workspace_id, deal.c.closed_on)
Index(None, deal.c.workspace_id, deal.c.customer_id, deal.c.closed_on)
Index(None, deal.c.workspace_id, deal.c.lead_id)
Index(None, lead.c.workspace_id, lead.c.created_on)
# Of a customer that is taken over, every lead is sought while the write lock is held.
_named = lead.c.customer_id.is_not(None)
Index(None, lead.c.workspace_id, lead.c.customer_id, sqlite_where=_named, postgresql_where=_named)
Index(None, contract.c.workspace_id, contract.c.customer_id)
Index(None, purchase.c.workspace_id, purchase.c.customer_id)
