"""What customers add to the buckets, and how the cells of the KPIs of customers follow from what was added up.

The columns of `customer_bucket` (`spells.COLUMNS`) are of two sorts:

- levels: `active`, `active_by_contract`, `first_day_sum`, `kept`, `kept_by_contract`, `won_back`, `buyers`. Their value
  on a day is the sum of all cells up to that day (the years before its year, the months of its year before its month,
  the days of its month up to it). A single cell means nothing.
- flows: `new`, `sales`, `with_amount`, `amount` (minor units), `unconverted`. Their value over [start, end) is the sum
  of the cells of those days; as well, the sum up to `end - 1` minus the sum up to `start - 1`.

There are no undated rows, and no cells of weeks: of a week, the days are added up. Some days lie in the future: up to a
day `e`, only events up to `e` count, whatever `today` is.

With up(c, d) for the sum of column `c` over all cells up to the end of day `d`, and for a window [start, end) of the 12
months that end with it, `start == add_months(end, -12)`, e = end - 1 day, s = start - 1 day:

`kpi.retention`, only of such windows (any other is asked of the facts):
    at_start = up(active, s)    at_end = up(active, e)    kept = up(kept, e)    won_back = up(won_back, e)
    new = up(new, e) - up(new, s)
    by_contract = up(active_by_contract, s) + up(active_by_contract, e) - up(kept_by_contract, e)
    by_purchase = at_start + at_end - kept - by_contract

`kpi.lifetime`, of any period, with [start, end) = `lifetime.year_to(period)`:
    sales, with_amount, amount, unconverted = up(column, e) - up(column, s)
    buyers = up(buyers, e)
    at_start, kept, at_end as above
    tenure_days = end.toordinal() * up(active, e) - up(first_day_sum, e)

`new` of `kpi.acquisition`, over any [start, end): up(new, end - 1) - up(new, start - 1).

What these plans tell as left out are deals (population SALES_OF_CUSTOMERS, of the same window), not customers.
"""
