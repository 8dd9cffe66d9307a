"""Why a row was left out, and what a reader must know: stable codes with the values that their sentences need.

kpi gives codes and values; bot makes the sentences.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a row that belongs to the question is not in the number. A row has one reason: the first that applies."""

    DELETED = "deleted"
    """Deleted in the source."""
    NO_CREATION_DATE = "no_creation_date"
    """The source gives no creation date, so the row is in no period by creation (or has no cycle)."""
    NO_CLOSING_DATE = "no_closing_date"
    """Won or lost (a lead: converted) on no known day, so the row is in no period by closing."""
    NO_DATE = "no_date"
    """A lead with neither a qualification nor a creation date."""
    CLOSED_BEFORE_CREATED = "closed_before_created"
    """A cycle of fewer than 0 days."""
    DORMANT = "dormant"
    """Put to sleep in the period: neither won nor lost."""
    NO_AMOUNT = "no_amount"
    """Won without an amount (0 is an amount)."""
    UNCONVERTED = "unconverted"
    """An amount in another currency than the workspace's, and no rate for its day: never converted by guess."""
    NO_CUSTOMER = "no_customer"
    """A sale of no known customer: neither first nor additional."""
    NOT_QUALIFIED = "not_qualified"
    """A lead that the source does not call qualified."""
    NOT_INBOUND = "not_inbound"
    """A lead that the source calls outbound."""


class Said(StrEnum):
    """Something the reader must know about an answer. The values of each are named in its docstring."""

    UNFINISHED = "unfinished"
    """The period is not over. `elapsed`: days begun, today included; `total`: days of the whole unit (int or None when
    the period is no unit)."""
    NOT_BEGUN = "not_begun"
    """The period has not begun. `start`: its first day."""
    STILL_OPEN = "still_open"
    """A cohort is not mature. `count`: deals (leads: not converted, not lost) of the period still open."""
    SAME_AGE = "same_age"
    """The period before was taken at the same age. `days`: days that each cohort had after the end of its period."""
    LATE = "late"
    """A connected source has not confirmed its data complete for longer than it should take."""
    BEFORE_DATA = "before_data"
    """The period ends before the first known day. `first`: that day (date), or None when there is no data at all."""
    NARROWED = "narrowed"
    """Only what the asker may see was counted. `people` and `teams`: tuples of names."""
    TODAYS_TEAMS = "todays_teams"
    """The source tells no team history: today's teams were used."""
    TODAYS_STAGES = "todays_stages"
    """Deals are counted in the stage that they are in today; stages are not compared with the past."""
    OVER_100 = "over_100"
    """A rate passed 100 % and was not capped: more was won (or converted) than was created. `numerator`,
    `denominator`: int."""
    WIN_BACKS = "win_backs"
    """Literal retention passed 100 %, or counts customers who came back. `count`: int."""
    RETENTION_BASIS = "retention_basis"
    """How customers were judged. `by_contract`, `by_purchase`: customers active at the start or the end; `window`: days
    that a purchase keeps a customer active."""
    CRM_FLAG = "crm_flag"
    """The source links no deals to leads: its own flag says which were converted. `count`: leads so counted."""
    FIRST_SEEN = "first_seen"
    """The source gives no creation dates: the day on which Vigie first saw a deal stands for it. `count`: counted deals
    with such a day."""
    UNCONVERTED_AMOUNTS = "unconverted_amounts"
    """A part of the value, or a reading shown beside it, adds amounts, and lacks those in another currency that no rate
    is known for. `count`: rows."""
    ALL_QUALIFIED = "all_qualified"
    """The source says neither qualified nor inbound: all leads count as both."""
    UPSELL_KINDS = "upsell_kinds"
    """What the additional sales were. `upsell`, `cross_sell`, `additional`: int; `additional` = kind unknown."""
    LOWER_BOUND = "lower_bound"
    """The lifetime value is a lower bound: nobody was lost, or retention is unknown. `years`: mean years since the
    first purchase of the active customers (float)."""
    LTV_PARTS = "ltv_parts"
    """What the lifetime value is made of. `basket`: mean amount in minor units (Fraction or None); `frequency`:
    purchases per buyer and year (Fraction or None); `retention`: strict, in percent (Fraction or None)."""
