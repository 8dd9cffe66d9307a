"""Pictures, looked at by their artists: what is written, what is drawn, and what is not."""

from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from kpi.charts import theme
from kpi.charts.chart import MOST_BARS, Chart, Kind, Level, Mark
from kpi.charts.draw import draw, figure
from kpi.charts.words import Words

TICKS = (Level(0.0, "0 %"), Level(25.0, "25 %"), Level(50.0, "50 %"))
NAMES = st.text(max_size=60) | st.sampled_from(["$\\foo$", "$\\frac{1$", "\u202eRTL", "🚀", "\\", "A" * 20_000, ""])


def line(values: list[float | None], **given: object) -> Chart:
    marks = tuple(Mark(f"m{index}", value, f"{value} %") for index, value in enumerate(values))
    return Chart(Kind.LINE, "Win rate", "2017", marks, TICKS, **given)  # type: ignore[arg-type]


def texts(drawn: Figure) -> list[str]:
    return [text.get_text() for text in drawn.axes[0].texts]


def lines(drawn: Figure, colour: str) -> list[list[float]]:
    """The x places of every line (not dot) of a colour."""
    found = [one for one in drawn.axes[0].lines if one.get_color() == colour and one.get_marker() in ("None", "")]
    return [[float(x) for x in one.get_xdata()] for one in found]


def dots(drawn: Figure) -> list[tuple[float, bool]]:
    """Every dot: its x place, and whether it is hollow."""
    found = [one for one in drawn.axes[0].lines if one.get_marker() == "o"]
    return [(float(x), one.get_markerfacecolor() == theme.PAPER) for one in found for x in one.get_xdata()]


def test_a_line_says_its_title_period_last_value_target_and_notes() -> None:
    said = texts(figure(line([10.0, 20.0, 42.0], target=Level(30.0, "target 30 %"), notes=("Gap: no data.",))))
    assert {"Win rate", "2017", "42.0 %", "target 30 %", "Gap: no data.", "0 %", "m2"} <= set(said)


def test_no_line_is_drawn_across_a_gap_and_no_dot_stands_in_it() -> None:
    drawn = figure(line([10.0, 20.0, None, 30.0, 40.0]))
    places = sorted(x for x, _ in dots(drawn))
    assert len(places) == 4
    gap = (places[1], places[2])
    assert all(max(xs) <= gap[0] or min(xs) >= gap[1] for xs in lines(drawn, theme.BLUE))


def test_a_point_between_two_gaps_is_still_seen() -> None:
    days = [None if index % 2 else 5.0 for index in range(101)]
    assert len(dots(figure(line(days)))) == 51


def test_the_unfinished_bucket_is_hollow_and_dashed() -> None:
    marks = (Mark("a", 1.0, "1"), Mark("b", 2.0, "2"), Mark("c", 3.0, "3", complete=False))
    drawn = figure(Chart(Kind.LINE, "t", marks=marks, ticks=TICKS))
    assert [hollow for _, hollow in sorted(dots(drawn))] == [False, False, True]
    styles = [one.get_linestyle() for one in drawn.axes[0].lines if one.get_color() == theme.BLUE]
    assert styles.count("--") == 1


def test_a_rate_on_few_deals_is_a_hollow_point_and_a_hollow_bar() -> None:
    marks = (Mark("a", 10.0, "10 %", few=True), Mark("b", 20.0, "20 %"))
    assert [hollow for _, hollow in sorted(dots(figure(Chart(Kind.LINE, "t", marks=marks, ticks=TICKS))))] == [
        True,
        False,
    ]
    bars = figure(Chart(Kind.BARS, "t", marks=marks)).axes[0].patches
    assert [bar.get_facecolor()[:3] == (1.0, 1.0, 1.0) for bar in bars] == [True, False]


def test_a_group_without_data_has_its_words_but_no_bar() -> None:
    drawn = figure(Chart(Kind.BARS, "t", marks=(Mark("a", 10.0, "10 %"), Mark("b", None, "no data"))))
    assert len(drawn.axes[0].patches) == 1
    assert {"b", "no data"} <= set(texts(drawn))


def test_bars_are_as_long_as_their_values_and_in_the_order_given() -> None:
    drawn = figure(Chart(Kind.BARS, "t", marks=(Mark("a", 10.0), Mark("b", 40.0), Mark("c", -5.0))))
    first, second, third = drawn.axes[0].patches
    assert second.get_width() == pytest.approx(4 * first.get_width())
    assert third.get_width() == pytest.approx(-first.get_width() / 2)
    assert first.get_y() > second.get_y() > third.get_y()


def test_many_bars_make_a_higher_picture_not_smaller_letters() -> None:
    heights, sizes = [], []
    for count in (8, 15):
        drawn = figure(Chart(Kind.BARS, "t", marks=(Mark("a", 1.0, "1"),) * count))
        heights.append(drawn.get_figheight())
        sizes.append({text.get_fontsize() for text in drawn.axes[0].texts})
    assert heights[1] > heights[0]
    assert sizes[0] == sizes[1]


@settings(max_examples=25, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6), st.sampled_from([Kind.LINE, Kind.BARS]), NAMES)
def test_no_name_can_stop_a_picture_or_make_it_warn(names: list[str], kind: Kind, title: str) -> None:
    marks = tuple(Mark(name, float(index), name) for index, name in enumerate(names))
    drawn = draw(Chart(kind, title, title, marks, TICKS, Level(1.0, title), notes=(title,)))
    assert drawn.startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_chart_is_still_a_picture(kind: Kind) -> None:
    assert draw(Chart(kind, "Nothing")).startswith(b"\x89PNG")


def test_a_picture_is_a_small_palette_png_half_as_wide_again_as_its_sheet() -> None:
    data = draw(line([10.0, 20.0, 30.0]))
    with Image.open(BytesIO(data)) as image:
        assert (image.size, image.mode) == ((1800, 1012), "P")
        blue = tuple(bytes.fromhex(theme.BLUE[1:]))
        near = [count for count, colour in image.convert("RGB").getcolors(256) or [] if _near(colour, blue)]
    assert sum(near) > 5000
    assert len(data) < 150_000


def _near(colour: object, wanted: tuple[int, ...]) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(one - other) <= 12 for one, other in zip(colour, wanted, strict=True))


@given(st.lists(st.floats(-1000, 2000), max_size=6))
def test_names_beside_a_line_stand_apart_and_keep_their_order(places: list[float]) -> None:
    moved = theme.spread(places, 40, 0, 500)
    order = sorted(range(len(places)), key=lambda index: -places[index])
    for above, below in pairwise(order):
        assert moved[above] - moved[below] >= 40 - 1e-9
    assert all(-1e-9 <= place <= 500 + 1e-9 for place in moved)


def test_the_period_before_is_a_light_line_with_its_name() -> None:
    marks = (Mark("a", 1.0, "1", before=2.0), Mark("b", 3.0, "3", before=1.0))
    drawn = figure(Chart(Kind.LINE, "t", marks=marks, ticks=TICKS, before_label="before"))
    assert len(lines(drawn, theme.BEFORE)) == 1
    assert "before" in texts(drawn)


@pytest.mark.parametrize("ha", ["left", "center", "right"])
@pytest.mark.parametrize("text", ["Taux Éjg", "jamais", "1 234,50 €"])
def test_words_stand_where_matplotlib_would_put_them(text: str, ha: str) -> None:
    sheet, axes = theme.sheet()
    words = theme.write(axes, 600, 300, text, theme.TITLE, bold=True, ha=ha)  # type: ignore[arg-type]
    inked = []
    for draw_words in (Words.draw, Text.draw):
        renderer: Any = sheet.canvas.get_renderer()  # type: ignore[attr-defined]
        renderer.clear()
        draw_words(words, renderer)  # type: ignore[arg-type]
        # Where nothing is drawn the paper is still clear.
        rows, columns = (np.asarray(renderer.buffer_rgba())[..., 3] > 128).nonzero()
        inked.append((rows.min(), rows.max(), columns.min(), columns.max()))
    assert all(abs(int(ours) - int(theirs)) <= 1 for ours, theirs in zip(*inked, strict=True))


def test_words_that_cover_hide_what_is_behind_them() -> None:
    sheet, axes = theme.sheet()
    axes.plot([500, 700], [300, 300], color=theme.TARGET, lw=2)
    theme.write(axes, 600, 300, "1 1", ha="center", covers=True)
    sheet.canvas.draw()
    row = np.asarray(sheet.canvas.buffer_rgba())[1012 - 450, :, :3].tolist()  # type: ignore[attr-defined]
    target = [int(theme.TARGET[place : place + 2], 16) for place in (1, 3, 5)]
    assert row[760] == row[1040] == target
    assert row[900] == [255] * 3


def test_more_bars_than_can_be_read_are_refused_not_dropped() -> None:
    with pytest.raises(ValueError, match="at most 15 bars, not 16"):
        draw(Chart(Kind.BARS, "Too many", marks=(Mark("one", 1.0),) * (MOST_BARS + 1)))


def test_five_years_of_days_are_a_handful_of_artists() -> None:
    drawn = figure(line([float(day % 50) for day in range(1826)]))
    assert len(drawn.axes[0].lines) < 20
