"""A short chaos; `make torture` has a longer one."""

import pytest
import sqlalchemy as sa

from tests.laws.chaos import chaos_law

NOTHING = sa.create_engine("sqlite://")
"""It has a server of its own."""


@pytest.mark.torture
@pytest.mark.parametrize("kills", [12])
def test_real_processes_and_a_server_that_die_deliver_each_letter_once(kills: int) -> None:
    assert chaos_law(NOTHING, "", 0, kills) > kills, "the server was to die too"
