"""The law of local dates in the oddest zones; `make torture` goes through all of them."""

import pytest
import sqlalchemy as sa

from tests.laws.dated import ODD, dst_law
from tests.laws.law import LAWS

NOTHING = sa.create_engine("sqlite://")
"""No date is looked up."""


@pytest.mark.parametrize("zone", ODD)
def test_a_schedule_comes_once_a_local_day_whatever_the_clocks_do(zone: str) -> None:
    assert dst_law(NOTHING, zone, 0) >= 96 * 3


@pytest.mark.parametrize("plant", LAWS["dst"].plants, ids=lambda plant: plant.__name__)
def test_the_law_of_local_dates_catches_what_is_often_written_instead(plant: object) -> None:
    with plant(), pytest.raises(AssertionError):  # type: ignore[operator]
        dst_law(NOTHING, "Europe/Paris", 0)
