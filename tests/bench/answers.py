"""Vigie's whole answer beside the bare driver, the facts plan and pandas, on the same rows; the build of buckets."""

from collections.abc import Callable, Iterator

from tests.bench.databases import KINDS
from tests.bench.harness import FULL
from tests.bench.mission import TODAY
from tests.bench.ratios import Bench, Measure, Ratios
from tests.bench.sides import NAMES, Times, measured
from tests.bench.stock import forget, stocked

SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
EVERY_TIME = ("100k", "1m")


def bench() -> Iterator[Measure]:
    found: dict[tuple[str, str], Times] = {}
    for size, deals in SIZES.items():
        if size not in EVERY_TIME and not FULL:
            continue
        for kind in KINDS:
            company = stocked(kind, deals, TODAY)
            if size == "1m":
                yield Measure(
                    f"build_over_load_{kind}",
                    f"{deals / company.build_seconds:,.0f} deals/s",
                    f"{deals / company.load_seconds:,.0f} deals/s",
                    company.build_seconds / company.load_seconds,
                )
            found[size, kind] = measured(company, _in_frames(size))
        if size == "10m":
            forget(deals, TODAY)
    yield from _headlines(found)
    for size in EVERY_TIME:
        for kind in KINDS:
            yield from _each(found[size, kind], kind, size)


def _in_frames(size: str) -> frozenset[str]:
    """The questions that pandas is asked: it takes seconds for each."""
    return frozenset(NAMES) if size == "100k" or (size == "1m" and FULL) else frozenset()


def _headlines(found: dict[tuple[str, str], Times]) -> Iterator[Measure]:
    for size in ("1m", "10m"):
        sides = {kind: found[size, kind] for kind in KINDS if (size, kind) in found}
        worst = {kind: max(NAMES, key=times.over_driver) for kind, times in sides.items()}
        for kind in KINDS:
            name = f"buckets_over_driver_max_{size}_{kind}"
            yield (
                _pair_measure(name, sides[kind].buckets, sides[kind].driver, worst[kind], sides[kind].over_driver)
                if kind in sides
                else _none(name)
            )
        if not sides:
            yield _none(f"buckets_over_driver_max_{size}")
            continue
        kind = max(sides, key=lambda each: sides[each].over_driver(worst[each]))
        times = sides[kind]
        yield _pair_measure(
            f"buckets_over_driver_max_{size}", times.buckets, times.driver, worst[kind], times.over_driver
        )
    for kind in KINDS:
        times = found["1m", kind]
        yield _pair_measure(
            f"facts_over_buckets_trend_1m_{kind}", times.facts, times.beside_facts, "trend", times.over_buckets
        )
    times = found["1m", "sqlite"]
    yield _pair_measure("facts_over_buckets_trend_1m", times.facts, times.beside_facts, "trend", times.over_buckets)
    grown = []
    for kind in KINDS:
        name = f"buckets_10m_over_1m_{kind}"
        if ("10m", kind) not in found:
            yield _none(name)
            continue
        large, small = found["10m", kind].buckets, found["1m", kind].buckets
        ratios = {each: large[each] / small[each] for each in NAMES}
        grown.append(_pair_measure(name, large, small, max(ratios, key=ratios.__getitem__), ratios.__getitem__))
        yield grown[-1]
    most = max(grown, key=lambda each: each.ratio or 0, default=None)
    yield (
        _none("buckets_10m_over_1m")
        if most is None
        else Measure("buckets_10m_over_1m", most.ours, most.theirs, most.ratio)
    )


def _each(times: Times, kind: str, size: str) -> Iterator[Measure]:
    for name in NAMES:
        mine = f"{times.buckets[name]:.2f} ms"
        bare, facts = times.driver[name], times.facts[name]
        yield Measure(f"{name}_over_driver_{size}_{kind}", mine, f"{bare:.2f} ms", times.buckets[name] / bare)
        yield Measure(f"{name}_facts_over_buckets_{size}_{kind}", f"{facts:.1f} ms", mine, times.over_buckets(name))
        if (framed := times.frames.get(name)) is not None:
            yield Measure(
                f"{name}_pandas_over_buckets_{size}_{kind}", f"{framed:,.0f} ms", mine, framed / times.buckets[name]
            )
        elif size == "1m":
            yield _none(f"{name}_pandas_over_buckets_{size}_{kind}")


def _pair_measure(
    name: str, ours: dict[str, float], theirs: dict[str, float], which: str, ratio: Callable[[str], float]
) -> Measure:
    return Measure(name, f"{ours[which]:.2f} ms ({which})", f"{theirs[which]:.2f} ms", ratio(which))


def _none(name: str) -> Measure:
    return Measure(name, "", "", None)


_BOTH = [(size, kind) for size in EVERY_TIME for kind in KINDS]

BENCH = Bench(
    (
        Ratios(
            ("buckets_over_driver_max_1m", *(f"buckets_over_driver_max_1m_{kind}" for kind in KINDS)),
            "Vigie's whole answer (`engine.answer`, of the digest `engine.answers`) over the bare driver that executes "
            "the best SQL for the same lookup on the same buckets and fetches it: the worst of the questions, at a "
            "million deals. An answer within 1 ms of the driver counts as 1.",
            "an answer takes a second statement, builds its SQL anew, or reads more cells than it needs.",
            most=5,
        ),
        Ratios(
            ("facts_over_buckets_trend_1m", "facts_over_buckets_trend_1m_sqlite"),
            "The win rate of the last 12 months by month: the facts plan over the buckets, at a million deals (on "
            "SQLite, which is what a new installation has).",
            "the answer around the lookup becomes slower; better where the facts plan does.",
            least=200,
        ),
        Ratios(
            ("facts_over_buckets_trend_1m_postgresql",),
            "The same on PostgreSQL.",
            "the same happens.",
            least=80,
        ),
        Ratios(
            ("buckets_10m_over_1m", *(f"buckets_10m_over_1m_{kind}" for kind in KINDS)),
            "The time of Vigie's answer at ten million deals over that at one million: the question that grows most "
            "(only with `BENCH=full`).",
            "an answer reads something that grows with the deals.",
            most=1.3,
        ),
        Ratios(
            ("buckets_over_driver_max_10m", *(f"buckets_over_driver_max_10m_{kind}" for kind in KINDS)),
            "As at a million deals, at ten million (only with `BENCH=full`).",
            "the same happens.",
            most=5,
        ),
        Ratios(
            tuple(f"build_over_load_{kind}" for kind in KINDS),
            "The first build of the buckets of a million deals (and their leads and customers), over loading the same "
            "rows in bulk without an index (`executemany`, COPY).",
            "a tally reads more, or a cell is written more than once.",
        ),
        Ratios(
            tuple(f"{name}_over_driver_{size}_{kind}" for size, kind in _BOTH for name in NAMES),
            "Each question: Vigie's whole answer over the bare driver's lookup, as measured, also where the difference "
            "is under 1 ms.",
            "see `buckets_over_driver_max_1m`.",
        ),
        Ratios(
            tuple(f"{name}_facts_over_buckets_{size}_{kind}" for size, kind in _BOTH for name in NAMES),
            "Each question: the facts plan over the buckets, on a copy whose buckets are said to be building.",
            "the answer around the lookup becomes slower.",
            more_is_better=True,
        ),
        Ratios(
            tuple(f"{name}_pandas_over_buckets_{size}_{kind}" for size, kind in _BOTH for name in NAMES),
            "Each question: loading the deals with pandas and aggregating them, over Vigie's answer (at a million "
            "deals, where it takes pandas ten seconds for each, only with `BENCH=full`).",
            "the answer becomes slower.",
            more_is_better=True,
        ),
    ),
    bench,
)
