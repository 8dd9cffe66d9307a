"""Digests that fall due in the same minute, on a playground that takes 50 ms for every call: 10,000 with `BENCH=full`.

Two for each channel: one of a team, one of the whole company. What counts is that each is there once, that no channel
gets two within a second, and how long ten thousand take.
"""

import itertools
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from bot.playground.faults import Fault
from bot.playground.server import Playground
from bot.playground.world import World
from storage import schema
from storage.database import writing
from storage.workspaces import SINGLE
from tests.bench import company
from tests.bench.databases import KINDS, remove
from tests.bench.harness import FULL
from tests.bench.ratios import Bench, Measure, Ratios
from tests.bench.serving import company_of_today, seated, today, vigie

DIGESTS = 10_000 if FULL else 1_000
MANY = 10_000
LATENCY = 0.050
"""Seconds that the playground takes for a call."""
PATIENCE = 3_600 if FULL else 120
"""Seconds after which those not there yet are given up."""
_TIERS = {"files.getUploadURLExternal": 100, "files.completeUploadExternal": 100}
"""Calls a minute that Slack grants at least, by its published tiers."""


def due_digests(engine: Engine, channels: Sequence[str], owner: str) -> None:
    """A digest for each of these channels, due now; every second one is of a team."""
    now = today()
    # The first of the day's minutes that is over; at midnight, the one that has just begun.
    at = max(now - timedelta(minutes=1), now.replace(hour=0, minute=0)).replace(second=0, microsecond=0)
    rows = [
        {
            "workspace_id": SINGLE,
            "id": uuid.uuid4().hex,
            "created_by": owner,
            "created_at": now.astimezone(UTC),
            "stopped_at": None,
            "channel_id": channel,
            "owner": owner,
            "audience": "channel",
            "cadence": "weekly",
            "month_day": 1,
            "skip_unchanged": False,
            "weekday": at.isoweekday(),
            "at": at.time(),
            "time_zone": "Europe/Paris",
            "language": ("fr", "en")[number // 2 % 2],
            "dimension": "team" if number % 2 else None,
            "key": company.team(number // 4 % company.TEAMS) if number % 2 else None,
            "next_on": at.date(),
            "next_at": at.astimezone(UTC),
            "version": 1,
        }
        for number, channel in enumerate(channels)
    ]
    with writing(engine) as connection:
        connection.execute(sa.insert(schema.schedule), rows)


@dataclass
class Arrived:
    """What came to the playground: by channel and letter, at what seconds; and every call, by method and minute."""

    posts: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)

    def take(self, world: World) -> None:
        """Take over what the playground remembers, so that its memory stays small."""
        with world.lock:
            calls, world.calls = world.calls, []
        for call in calls:
            self.calls[call.method, int(time.time() // 60)] += 1
            if call.method == "chat.postMessage" and call.answer is not None and call.answer["ok"]:
                letter = call.args["metadata"]["event_payload"]["id"]
                self.posts[call.args["channel"], letter].append(float(call.answer["ts"]))

    @property
    def twice(self) -> int:
        return sum(len(moments) - 1 for moments in self.posts.values())

    @property
    def too_close(self) -> int:
        """Posts less than a second after another in their channel."""
        by_channel: defaultdict[str, list[float]] = defaultdict(list)
        for (channel, _), moments in self.posts.items():
            by_channel[channel] += moments
        ordered = [sorted(moments) for moments in by_channel.values()]
        return sum(later - earlier < 1 for each in ordered for earlier, later in itertools.pairwise(each))

    @property
    def last(self) -> float:
        return max(moment for moments in self.posts.values() for moment in moments)


def sent(kind: str) -> tuple[Arrived, float]:
    """What came, and when it began."""
    engine = company_of_today(kind).copy()
    arrived = Arrived()
    with Playground(World()) as playground:
        world = playground.world
        person = seated(world, engine)
        channels = [world.add_channel(f"c{at}", [person]).id for at in range(DIGESTS // 2)]
        with vigie(playground, engine):
            world.faults.choose(lambda method: Fault(method, "slow", seconds=LATENCY))
            due_digests(engine, [channel for channel in channels for _ in range(2)], person.id)
            began = time.time()
            while len(arrived.posts) < DIGESTS and time.time() - began < PATIENCE:
                time.sleep(0.5)
                arrived.take(world)
            # What comes twice comes late.
            time.sleep(5)
            arrived.take(world)
            world.faults.clear()
    remove(engine)
    return arrived, began


def bench() -> Iterator[Measure]:
    for kind in KINDS:
        arrived, began = sent(kind)
        there, seconds = len(arrived.posts), arrived.last - began
        minutes = MANY / there * seconds / 60
        yield Measure(f"digests_missing_{kind}", f"{DIGESTS - there:,}", f"{DIGESTS:,}", (DIGESTS - there) / DIGESTS)
        yield Measure(f"digests_twice_{kind}", f"{arrived.twice}", f"{DIGESTS:,}", arrived.twice / DIGESTS)
        yield Measure(f"digests_too_close_{kind}", f"{arrived.too_close}", f"{DIGESTS:,}", arrived.too_close / DIGESTS)
        told = f"{there / seconds:.1f} a second, the last of {there:,} after {seconds:.0f} s"
        yield Measure(f"digests_minutes_{kind}", told, "10,000 in a minute", minutes)
        most = {name: max((n for (each, _), n in arrived.calls.items() if each == name), default=0) for name in _TIERS}
        worst = max(_TIERS, key=lambda name: most[name] / _TIERS[name])
        yield Measure(
            f"digests_uploads_over_tier_{kind}",
            f"{most[worst]} a minute",
            f"{_TIERS[worst]} a minute",
            most[worst] / _TIERS[worst],
        )


BENCH = Bench(
    (
        Ratios(
            tuple(f"digests_missing_{kind}" for kind in KINDS),
            "1,000 digests (10,000 with `BENCH=full`) that fall due in one minute, two in each channel, on a "
            "playground that takes 50 ms a call: the share of those that were not there when the bench lost its "
            "patience (after 2 minutes; an hour with `BENCH=full`).",
            "digests take longer to compute, draw or post, or are lost.",
            most=0,
        ),
        Ratios(
            tuple(f"digests_twice_{kind}" for kind in KINDS),
            "Of the same, the share of those posted a second time.",
            "a claim is not settled.",
            most=0,
        ),
        Ratios(
            tuple(f"digests_too_close_{kind}" for kind in KINDS),
            "Of the same, the share of posts less than a second after another in their channel: Slack grants one a "
            "second.",
            "the postman does not wait for a channel.",
            most=0,
        ),
        Ratios(
            tuple(f"digests_minutes_{kind}" for kind in KINDS),
            "The minutes that 10,000 of them take, at the pace of those that came.",
            "digests take longer to compute, draw or post, or fewer calls to Slack are under way at once.",
        ),
        Ratios(
            tuple(f"digests_uploads_over_tier_{kind}" for kind in KINDS),
            "Uploads of pictures in the busiest minute, over the hundred that Slack's tier 4 grants at least.",
            "a picture that is the same is uploaded more than once.",
            most=1,
        ),
    ),
    bench,
)
