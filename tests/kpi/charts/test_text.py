"""Foreign names in a picture."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.charts.text import fitted, plain, width


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_name_becomes_short_harmless_and_drawable(name: str) -> None:
    shown = plain(name)
    assert plain(shown) == shown
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in shown)
    assert width(shown, 30) >= 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ève  Martin\n", "Ève Martin"),
        ("$\\frac{1$", "$\\frac{1$"),
        ("\u202eevil\u202c", "evil"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("🚀 Rocket 👩‍👩‍👧", "Rocket"),
        ("北京", "□□"),
        ("1 234\u202f%", "1 234\u202f%"),
        ("A" * 20_000, "A" * 39 + "…"),
        ("e" + "\u0301" * 10_000, "e" + "\u0301" * 7 + "…"),
        ("", ""),
    ],
)
def test_a_name_is_shown_without_what_does_harm(name: str, shown: str) -> None:
    assert plain(name) == shown


@settings(deadline=None)
@given(st.text(max_size=80), st.floats(40, 900))
def test_a_fitted_name_is_no_wider_than_its_room(name: str, room: float) -> None:
    assert width(fitted(plain(name), 30, room), 30) <= room
