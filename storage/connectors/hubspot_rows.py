"""HubSpot's rows as its API tells them.

Every property is asked for by name: one that the account does not have is left out of the answer, one without a value
is null. So a field without a default here is one that Vigie rests on, and its absence from a whole page is drift.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from storage.connectors.reading import Row


class Link(Row):
    id: str
    primary: bool = False


class Entry(Row):
    """One value that a property had, and since when; the newest comes first."""

    value: str | None
    timestamp: str


class Properties(Row):
    hs_merged_object_ids: str | None = None


class DealProperties(Properties):
    dealname: str | None
    dealstage: str | None
    pipeline: str | None
    amount: str | None
    createdate: str | None
    closedate: str | None
    hs_lastmodifieddate: str | None
    hubspot_owner_id: str | None
    deal_currency_code: str | None = None
    dealtype: str | None = None
    hs_analytics_source: str | None = None
    hs_is_closed: str | None = None
    hs_is_closed_won: str | None = None


class CompanyProperties(Properties):
    name: str | None
    hs_lastmodifieddate: str | None
    domain: str | None = None
    hs_analytics_source: str | None = None


class LeadProperties(Properties):
    hs_lead_name: str | None
    hs_pipeline_stage: str | None
    hs_createdate: str | None
    hs_lastmodifieddate: str | None
    hubspot_owner_id: str | None
    hs_lead_source: str | None = None
    hs_contact_analytics_source: str | None = None


class ContactProperties(Properties):
    firstname: str | None
    lastname: str | None
    lifecyclestage: str | None
    createdate: str | None
    lastmodifieddate: str | None
    hubspot_owner_id: str | None
    email: str | None = None
    associatedcompanyid: str | None = None
    hs_analytics_source: str | None = None
    hs_v2_date_entered_lead: str | None = None
    hs_v2_date_entered_marketingqualifiedlead: str | None = None
    hs_v2_date_entered_salesqualifiedlead: str | None = None
    hs_v2_date_entered_opportunity: str | None = None
    hs_v2_date_entered_customer: str | None = None


class DealRow(Row):
    id: str
    properties: DealProperties
    history: Mapping[str, Sequence[Entry]] = Field(default={}, alias="propertiesWithHistory")
    links: Mapping[str, Sequence[Link]] = {}


class CompanyRow(Row):
    id: str
    properties: CompanyProperties


class LeadRow(Row):
    id: str
    properties: LeadProperties
    history: Mapping[str, Sequence[Entry]] = Field(default={}, alias="propertiesWithHistory")
    links: Mapping[str, Sequence[Link]] = {}


class ContactRow(Row):
    id: str
    properties: ContactProperties


class TeamRow(Row):
    id: str
    name: str
    primary: bool = False


class OwnerRow(Row):
    id: str
    email: str | None
    first_name: str | None = Field(alias="firstName")
    last_name: str | None = Field(alias="lastName")
    archived: bool = False
    teams: Sequence[TeamRow] = ()


class StageMetadata(Row):
    probability: str | None
    closed: str | bool | None = Field(default=None, alias="isClosed")


class StageRow(Row):
    id: str
    label: str
    position: int = Field(alias="displayOrder")
    metadata: StageMetadata


class PipelineRow(Row):
    id: str
    label: str
    stages: Sequence[Any]


class RateRow(Row):
    id: str
    base: str = Field(alias="fromCurrencyCode")
    currency: str = Field(alias="toCurrencyCode")
    rate: str = Field(alias="conversionRate")
    effective: str = Field(alias="effectiveAt")
