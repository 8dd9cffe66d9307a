"""The edges of the definitions, one example each, as sentences."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import Engine

from kpi.catalog import CATALOG
from kpi.formulas import wilson
from kpi.judged import conversion_days
from kpi.period import Grain, Period, containing, quarter, this
from kpi.query import DIMENSIONS, Comparison, Filter
from kpi.refusals import NoSuchDimensionError, OutOfScopeError, UnknownMetricError
from kpi.scope import Scope, scope_of
from storage import people, targets
from storage.database import reading, writing
from tests.kpi.asking import ask
from tests.kpi.company import WORKSPACE, Company

Y2017 = Period(date(2017, 1, 1), date(2018, 1, 1))
NOW = datetime(2018, 6, 1, tzinfo=UTC)


def codes(result: object) -> dict[str, dict[str, object]]:
    return {note.code: dict(note.values) for note in result.notes}  # type: ignore[attr-defined]


# Win rate


def test_12_of_40_have_the_interval_of_wilson_and_11_deals_are_few(database: Engine) -> None:
    company = Company()
    for number in range(40):
        company.deal(created="2017-09-01", **{"won" if number < 12 else "lost": "2017-09-05"})
    for _ in range(11):
        company.deal(created="2017-10-01", won="2017-10-01")
    company.save(database)
    measured = ask(database, "win_rate", "closed").measured
    assert (measured.value, measured.few) == (30, False)
    assert measured.interval == pytest.approx((18.0748, 45.4300), abs=1e-3)
    october = ask(database, "win_rate", "closed", containing(Grain.MONTH, date(2017, 10, 1))).measured
    assert (october.value, october.few) == (100, True)


def test_the_flow_passes_100_percent_is_not_capped_and_has_no_interval(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-09-01")
    for _ in range(4):
        company.deal(created="2017-01-01", won="2017-09-30")
    company.save(database)
    result = ask(database, "win_rate", "flow")
    assert (result.measured.value, result.measured.interval) == (400, None)
    assert codes(result)["over_100"] == {"numerator": 4, "denominator": 1}


def test_a_deal_closed_on_the_last_day_counts_and_on_the_day_after_does_not(database: Engine) -> None:
    Company().save(database)
    company = Company("w2")
    company.deal(created="2017-09-30", won="2017-09-30", amount=5)
    company.deal(created="2017-09-30", won="2017-10-01", amount=7)
    company.save(database)
    scope = Scope("w2", everything=True)
    assert ask(database, "revenue_won", "sum", scope=scope).measured.value == 5
    assert ask(database, "sales_cycle", "mean", scope=scope).measured.value == 0
    assert ask(database, "deals_created", "count", scope=scope).measured.value == 2


def test_a_cohort_is_compared_at_the_same_age(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-09-03", won="2017-10-02")
    company.deal(created="2017-08-03", won="2017-09-05")
    company.deal(created="2017-08-03", won="2017-09-06")
    company.save(database)
    result = ask(database, "win_rate", "cohort", today=date(2017, 10, 5))
    assert result.previous is not None
    assert (result.previous.measured.numerator, result.previous.measured.denominator) == (1, 2)
    assert codes(result)["same_age"] == {"days": 5}


def test_a_cohort_seen_from_an_earlier_day_is_as_old_as_its_data(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-09-03", won="2017-12-02")
    company.deal(created="2017-08-03", won="2017-11-05")
    company.synced("deal", datetime(2017, 12, 31, tzinfo=UTC))
    company.save(database)
    result = ask(database, "win_rate", "cohort", today=date(2017, 10, 5))
    assert result.previous is not None
    assert result.measured.value == result.previous.measured.value == 100
    assert codes(result)["same_age"] == {"days": 92}


def test_a_month_that_is_not_over_says_so_and_is_compared_with_as_many_days(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-08-10", won="2017-08-10")
    company.deal(created="2017-08-11", won="2017-08-11")
    company.deal(created="2017-09-10", won="2017-09-10")
    company.save(database)
    today = date(2017, 9, 10)
    result = ask(database, "win_rate", "closed", this(Grain.MONTH, today), today=today, grain=Grain.WEEK)
    assert codes(result)["unfinished"] == {"elapsed": 10, "total": 30}
    assert result.previous is not None
    assert result.previous.measured.denominator == 1
    assert [point.complete for point in result.series] == [False, False]


def test_a_period_before_the_first_day_has_no_data(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-09-10", won="2017-09-10", amount=1)
    company.save(database)
    result = ask(database, "revenue_won", "sum", quarter(2016, 1))
    assert result.measured.value is None
    assert codes(result)["before_data"] == {"first": date(2017, 9, 10)}
    assert ask(database, "revenue_won", "sum", quarter(2017, 4)).measured.value == 0


def test_two_workspaces_never_meet(database: Engine) -> None:
    """What one is told is the same before and after the other has rows with the very same ids."""

    def company(name: str, deals: int) -> None:
        company = Company(name)
        anna = company.person("Anna", team=company.team("North"))
        for _ in range(deals):
            customer = company.customer("Same")
            company.deal(created="2017-09-01", won="2017-09-02", amount=100, owner=anna, customer=customer)
        company.save(database)

    def told() -> list[object]:
        # Each reading alone and by one of its dimensions: all dimensions take the same way.
        return [
            ask(database, kpi.metric, how.key, group_by=dimension, scope=Scope("w2", everything=True))
            for kpi in CATALOG
            for number, how in enumerate(kpi.readings)
            for dimension in (None, *kpi.dimensions[number : number + 1])
        ]

    company("w2", 2)
    before = told()
    company("w1", 3)
    assert told() == before
    assert ask(database, "deals_created", "count").measured.value == 3


# Whose


def test_a_deal_stays_with_the_team_its_owner_had_on_the_closing_day(database: Engine) -> None:
    company = Company()
    north, south = company.team("North"), company.team("South")
    anna = company.person("Anna")
    company.member(anna, north, ends="2017-09-15")
    company.member(anna, south, starts="2017-09-15")
    company.deal(created="2017-09-01", won="2017-09-14", owner=anna)
    company.deal(created="2017-09-01", lost="2017-09-15", owner=anna)
    company.deal(created="2017-09-01", owner=anna)
    company.deal(created="2017-09-01")
    company.save(database)
    result = ask(database, "deals_created", "count", group_by="team")
    assert [(group.name, group.measured.value) for group in result.groups] == [("South", 2), ("North", 1), (None, 1)]
    assert "todays_teams" not in codes(result)


def test_a_won_deal_reassigned_later_stays_with_who_won_it(database: Engine) -> None:
    company = Company()
    anna, bert = company.person("Anna"), company.person("Bert")
    reassigned = company.deal(created="2017-09-01", won="2017-09-14", owner=bert)
    company.changed(reassigned, "owner_id", anna, bert, datetime(2017, 11, 1, tzinfo=UTC))
    handed_over = company.deal(created="2017-09-01", won="2017-09-20", owner=bert)
    company.changed(handed_over, "owner_id", anna, bert, datetime(2017, 9, 25, tzinfo=UTC))
    company.changed(handed_over, "status", "open", "won", datetime(2017, 9, 25, tzinfo=UTC))
    company.save(database)
    result = ask(database, "win_rate", "closed", group_by="rep")
    assert [(group.name, group.measured.numerator) for group in result.groups] == [("Anna", 1), ("Bert", 1)]


def test_a_team_includes_the_teams_below_it(database: Engine) -> None:
    company = Company()
    france = company.team("France")
    paris = company.team("Paris", parent=france)
    for team in (france, paris, company.team("Spain")):
        company.deal(created="2017-09-01", owner=company.person("x", team=team))
    company.save(database)
    result = ask(database, "deals_created", "count", filters=(Filter("team", france, "France"),))
    assert result.measured.value == 2
    assert "todays_teams" in codes(result)


def test_region_is_the_office_of_the_owner_and_segment_falls_back_to_the_customer(database: Engine) -> None:
    company = Company()
    anna = company.person("Anna", region="Lyon")
    acme = company.customer("Acme", segment="B2B", origin="Fair")
    company.deal(created="2017-09-01", owner=anna, customer=acme, segment="B2C")
    company.deal(created="2017-09-01", customer=acme)
    company.save(database)
    groups = {
        dimension: {g.key: g.measured.value for g in ask(database, "deals_created", "count", group_by=dimension).groups}
        for dimension in ("region", "segment", "source")
    }
    assert groups == {"region": {"Lyon": 1, None: 1}, "segment": {"B2C": 1, "B2B": 1}, "source": {"Fair": 2}}


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_kpi_refuses_the_dimensions_it_does_not_have(database: Engine, dimension: str) -> None:
    Company().save(database)
    for kpi in CATALOG:
        if dimension not in kpi.dimensions:
            with pytest.raises(NoSuchDimensionError):
                ask(database, kpi.metric, kpi.asked, group_by=dimension)
        else:
            ask(database, kpi.metric, kpi.asked, group_by=dimension, filters=(Filter(dimension, None, "(none)"),))


def test_an_unknown_reading_is_refused(database: Engine) -> None:
    with pytest.raises(UnknownMetricError):
        ask(database, "win_rate", "guess")


def test_a_rep_sees_their_own_and_is_refused_the_rest(database: Engine) -> None:
    company = Company()
    north, south = company.team("North"), company.team("South")
    anna, bert, cleo = (company.person(n, team=t) for n, t in (("Anna", north), ("Bert", north), ("Cleo", south)))
    for owner in (anna, bert, cleo, None):
        company.deal(created="2017-09-01", owner=owner)
    company.save(database)
    own = Scope(WORKSPACE, people=frozenset({anna}))
    team = Scope(WORKSPACE, people=frozenset({anna}), teams=frozenset({north}))
    alone = ask(database, "deals_created", "count", scope=own)
    assert "todays_teams" not in codes(ask(database, "deals_created", "count", scope=team))
    assert "todays_teams" in codes(ask(database, "deals_created", "count", scope=team, group_by="team"))
    assert alone.measured.value == 1
    assert codes(alone)["narrowed"] == {"people": ("Anna",), "teams": ()}
    assert ask(database, "deals_created", "count", scope=team).measured.value == 2
    for scope, filters in ((own, Filter("rep", bert, "Bert")), (team, Filter("rep", cleo, "Cleo"))):
        with pytest.raises(OutOfScopeError):
            ask(database, "deals_created", "count", scope=scope, filters=(filters,))
    with pytest.raises(OutOfScopeError):
        ask(database, "win_rate", "cohort", scope=team, filters=(Filter("team", south, "South"),))
    with pytest.raises(OutOfScopeError):
        ask(database, "cac", "mean", scope=team)
    assert (
        ask(database, "deals_created", "count", scope=team, filters=(Filter("rep", bert, "Bert"),)).measured.value == 1
    )


def test_scopes_follow_role_visibility_and_the_tree_of_teams(database: Engine) -> None:
    company = Company()
    france = company.team("France", manager="person:1")
    paris = company.team("Paris", parent=france)
    boss = company.person("Boss", email="Boss@example.test", team=france)
    anna = company.person("Anna", email="anna@example.test", team=paris)
    company.person("Twin", email="twin@example.test")
    company.person("Twin", email="TWIN@example.test")
    company.save(database)
    today = date(2018, 1, 1)
    with writing(database) as connection:
        found = people.match(connection, WORKSPACE, " bOSS@example.test")
        assert found is not None
        assert people.match(connection, WORKSPACE, "twin@example.test") is None
        manager = people.link(
            connection, workspace_id=WORKSPACE, slack_user_id="U1", person_id=found.id, actor="U1", now=NOW
        )
        rep = people.link(connection, workspace_id=WORKSPACE, slack_user_id="U2", person_id=anna, actor="U2", now=NOW)
        assert (manager.role, rep.role) == ("manager", "rep")
        assert people.read_link(connection, WORKSPACE, "U1") == manager
        below = frozenset({france, paris})
        mine = {
            visibility: scope_of(connection, rep, visibility=visibility, today=today)
            for visibility in ("own", "team", "everyone")
        }
        assert mine["own"] == Scope(WORKSPACE, people=frozenset({anna}))
        assert mine["team"] == Scope(WORKSPACE, people=frozenset({anna}), teams=frozenset({paris}))
        assert mine["everyone"].everything
        led = scope_of(connection, manager, visibility="own", today=today)
        assert led == Scope(WORKSPACE, people=frozenset({boss}), teams=below)


# Retention, lifetime, acquisition


def test_a_contract_is_active_on_its_last_day_and_no_longer(database: Engine) -> None:
    company = Company()
    ends_before, ends_within, goes_on = (company.customer(name) for name in "abc")
    company.contract(ends_before, "2016-01-01", "2017-08-31")
    company.contract(ends_within, "2016-01-01", "2017-09-29")
    company.contract(goes_on, "2016-01-01", "2017-09-30")
    company.save(database)
    measured = ask(database, "retention", "literal").measured
    assert (measured.numerator, measured.denominator) == (1, 3)


def test_customers_won_back_carry_literal_retention_past_100_percent(database: Engine) -> None:
    company = Company()
    loyal, back, new = (company.customer(name) for name in "abc")
    company.contract(loyal, "2016-01-01")
    company.contract(back, "2016-01-01", "2016-02-01")
    company.contract(back, "2017-09-15")
    company.contract(new, "2017-09-20")
    company.save(database)
    result = ask(database, "retention", "literal")
    assert (result.measured.value, result.measured.interval) == (200, None)
    assert codes(result)["win_backs"] == {"count": 1}
    strict = ask(database, "retention", "strict").measured
    assert (strict.value, strict.interval is not None) == (100, True)


def test_a_sale_keeps_a_customer_365_days_unless_there_was_ever_a_contract(database: Engine) -> None:
    company = Company()
    last_day, day_too_late, with_contract = (company.customer(name) for name in "abc")
    company.deal(created="2016-09-01", won="2016-09-01", customer=last_day)
    company.deal(created="2016-08-31", won="2016-08-31", customer=day_too_late)
    company.contract(with_contract, "2015-01-01", "2015-12-31")
    company.deal(created="2017-08-01", won="2017-08-01", customer=with_contract)
    company.save(database)
    measured = ask(database, "retention", "strict").measured
    assert (measured.numerator, measured.denominator) == (0, 1)


def test_a_sale_on_the_first_winning_day_is_not_additional(database: Engine) -> None:
    company = Company()
    acme, crm, phone = company.customer("Acme"), company.product("CRM"), company.product("Phone")
    for won, product, amount in (
        ("2017-09-01", crm, 100),
        ("2017-09-01", phone, 100),
        ("2017-09-02", crm, 300),
        ("2017-09-03", None, 100),
    ):
        company.deal(created="2017-08-01", won=won, customer=acme, product=product, amount=amount)
    company.deal(created="2017-08-01", won="2017-09-05", amount=100)
    company.deal(created="2017-08-01", won="2017-09-05", amount=400, kind="cross_sell")
    company.save(database)
    result = ask(database, "upsell_rate", "count")
    assert (result.measured.numerator, result.measured.denominator) == (3, 5)
    assert result.beside[0].measured.value == 80
    assert codes(result)["upsell_kinds"] == {"upsell": 1, "cross_sell": 1, "additional": 1}
    assert [(each.reason, each.count) for each in result.left_out] == [("no_customer", 1)]


def test_the_days_of_a_spend_add_up_to_it_and_no_customer_is_no_value(database: Engine) -> None:
    company = Company()
    company.spend(1000, "2017-08-30", "2017-09-05")
    company.spend(500, "2017-09-10", "2017-09-10", currency="USD")
    company.save(database)
    daily = Period(date(2017, 8, 30), date(2017, 9, 6))
    result = ask(database, "cac", "mean", daily, grain=Grain.DAY)
    assert result.measured.value is None
    assert [point.measured.numerator for point in result.series] == [142, 143, 143, 143, 143, 143, 143]
    assert [(each.reason, each.count) for each in ask(database, "cac", "mean").left_out] == [("unconverted", 1)]


def test_lifetime_value_is_a_lower_bound_while_everybody_stays(database: Engine) -> None:
    company = Company()
    acme = company.customer("Acme")
    company.purchase(acme, "2016-09-30", 100)
    company.purchase(acme, "2017-09-30", 300)
    company.save(database)
    result = ask(database, "ltv", "mean")
    assert result.measured.value == 300 * Fraction(366 * 4, 1461)
    assert set(codes(result)) >= {"lower_bound", "ltv_parts"}


# Open pipeline


def test_stages_are_not_compared_because_only_todays_are_known(database: Engine) -> None:
    company = Company()
    early, late = company.stage("Early"), company.stage("Late")
    company.deal(created="2017-08-01", amount=100, stage=late)
    company.deal(created="2017-09-01", amount=300, stage=early)
    company.save(database)
    by_stage = ask(database, "open_pipeline", "sum", group_by="stage")
    assert [(group.name, group.measured.value) for group in by_stage.groups] == [("Early", 300), ("Late", 100)]
    assert [group.previous for group in by_stage.groups] == [None, None]
    assert by_stage.previous is not None
    assert by_stage.previous.measured.value == 100
    assert "todays_stages" in codes(by_stage)
    of_late = ask(database, "open_pipeline", "sum", filters=(Filter("stage", late, "Late"),))
    assert of_late.previous is None
    assert "todays_stages" in codes(of_late)
    by_team = ask(database, "open_pipeline", "sum", group_by="team")
    assert by_team.groups[0].previous is not None
    assert "todays_stages" not in codes(by_team)


# Leads


def test_the_flag_of_the_source_counts_only_where_it_links_no_deals(database: Engine) -> None:
    company = Company()
    linked = company.lead(created="2017-09-01", source="crm")
    company.deal(created="2017-09-02", won="2017-09-21", lead=linked, source="crm")
    company.lead(created="2017-09-01", converted=True, converted_on="2017-09-02", source="crm")
    company.lead(created="2017-09-01", converted=True, converted_on="2017-10-02", source="list")
    company.lead(created="2017-09-01", source="list")
    company.save(database)
    result = ask(database, "lead_conversion", "cohort")
    assert (result.measured.numerator, result.measured.denominator) == (2, 4)
    assert codes(result)["crm_flag"] == {"count": 1}
    assert ask(database, "lead_conversion", "flow").measured.numerator == 1
    with reading(database) as connection:
        assert conversion_days(connection, WORKSPACE) == 20


def test_leads_won_on_their_own_day_take_no_days_whatever_flags_say(database: Engine) -> None:
    company = Company()
    linked = company.lead(created="2017-09-01", source="crm")
    company.deal(created="2017-09-01", won="2017-09-01", lead=linked, source="crm")
    company.lead(created="2017-09-01", converted=True, converted_on="2017-10-01", source="list")
    company.save(database)
    with reading(database) as connection:
        assert conversion_days(connection, WORKSPACE) == 0


def test_a_linked_win_dates_the_conversion_even_where_another_source_links_it(database: Engine) -> None:
    company = Company()
    lead = company.lead(created="2017-09-01", converted=True, converted_on="2017-09-02", source="list")
    company.deal(created="2017-09-02", won="2017-10-21", lead=lead, source="crm")
    company.save(database)
    assert ask(database, "lead_conversion", "flow").measured.numerator == 0
    october = containing(Grain.MONTH, date(2017, 10, 1))
    assert ask(database, "lead_conversion", "flow", october).measured.numerator == 1


# Targets and freshness


def test_the_most_specific_target_wins_and_the_recommended_one_stands_in(database: Engine) -> None:
    company = Company()
    north = company.team("North")
    company.save(database)
    assert ask(database, "win_rate", "closed").target == 30
    with writing(database) as connection:
        for number, (metric, how, dimension, key, value) in enumerate(
            (
                ("win_rate", "closed", None, None, "40"),
                ("win_rate", "closed", "team", north, "45.5"),
                ("revenue_won", "sum", None, None, "1000"),
            )
        ):
            wanted = targets.Target(str(number), metric, how, dimension, key, Decimal(value))
            targets.set_target(connection, WORKSPACE, wanted, actor="U1", now=NOW)
    in_north = (Filter("team", north, "North"),)
    assert ask(database, "win_rate", "closed").target == 40
    assert ask(database, "win_rate", "closed", filters=in_north).target == Decimal("45.5")
    assert ask(database, "revenue_won", "sum").target == 1000
    assert ask(database, "revenue_won", "sum", filters=in_north).target is None


def test_as_of_is_the_oldest_of_the_objects_that_the_kpi_needs(database: Engine) -> None:
    company = Company()
    old, new = datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC)
    company.synced("deal", new)
    company.synced("lead", old)
    company.save(database)
    assert ask(database, "win_rate", "closed").as_of == new
    assert ask(database, "lead_conversion", "cohort").as_of == old


def test_last_year_is_a_comparison_too(database: Engine) -> None:
    company = Company()
    company.deal(created="2016-09-05", won="2016-09-05", amount=7)
    company.save(database)
    result = ask(database, "revenue_won", "sum", comparison=Comparison.LAST_YEAR)
    assert result.previous is not None
    assert (result.previous.period.start, result.previous.measured.value) == (date(2016, 9, 1), 7)


def test_the_interval_of_nothing_is_nothing() -> None:
    assert wilson(0, 0) is None
    low, high = wilson(0, 12) or (1.0, 0.0)
    assert low == 0
    assert high == pytest.approx(24.2494, abs=1e-3)


@pytest.mark.parametrize(
    ("metric", "how"),
    [("win_rate", "cohort"), ("sales_cycle", "mean"), ("sales_cycle", "median"), ("sales_cycle", "all")],
)
def test_creation_days_that_are_first_sights_are_counted(database: Engine, metric: str, how: str) -> None:
    company = Company()
    company.deal(created="2017-09-02", won="2017-09-20", created_seen=True)
    company.deal(created="2017-09-03", won="2017-09-20")
    company.save(database)
    assert codes(ask(database, metric, how))["first_seen"] == {"count": 1}
    assert "first_seen" not in codes(ask(database, "win_rate", "closed"))


def test_the_open_pipeline_says_which_deals_were_only_first_seen(database: Engine) -> None:
    company = Company()
    company.deal(created="2017-09-02", amount=100, created_seen=True)
    company.deal(created="2017-09-02", created_seen=True)
    company.save(database)
    assert codes(ask(database, "open_pipeline", "sum"))["first_seen"] == {"count": 1}
    assert codes(ask(database, "open_pipeline", "count"))["first_seen"] == {"count": 2}


def test_amounts_without_a_rate_are_told_where_they_are_a_part_of_the_value(database: Engine) -> None:
    company = Company()
    buyer = company.customer("C")
    company.deal(won="2017-09-02", amount=100, customer=buyer)
    company.deal(won="2017-09-03", amount=100, currency="USD", customer=buyer)
    company.save(database)
    assert codes(ask(database, "ltv", "mean"))["unconverted_amounts"] == {"count": 1}
    assert codes(ask(database, "upsell_rate", "count"))["unconverted_amounts"] == {"count": 1}
    by_revenue = ask(database, "upsell_rate", "revenue")
    assert [(left.reason, left.count) for left in by_revenue.left_out] == [("unconverted", 1)]
    assert "unconverted_amounts" not in codes(by_revenue)


def test_spend_in_another_currency_is_spread_by_its_value(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.5", "2017-01-01")
    company.spend(101, "2017-09-30", "2017-10-01", currency="USD")
    company.deal(won="2017-09-03", amount=100, customer=company.customer("C"))
    company.save(database)
    # 50.5 is 50 by the even neighbour; half of its two days fall into September.
    assert ask(database, "cac", "mean").measured.numerator == 25
