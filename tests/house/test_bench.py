"""The page of the ratios and the benches name the same ones; the bench itself runs by `make bench`."""

from tests.bench import harness, page


def test_the_page_has_every_ratio_that_a_bench_finds_and_no_other() -> None:
    declared = [name for _, bench in harness.benches() for ratios in bench.ratios for name in ratios.names]
    assert list(page.rows()) == declared, "run python -m tests.bench.page"


def test_the_page_tells_what_each_ratio_means_as_its_bench_does() -> None:
    assert page.told_meanings() == page.meanings(bench for _, bench in harness.benches())
