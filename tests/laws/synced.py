"""Law `sync`: after any life of a CRM and any accident, Vigie's tables and KPIs are the CRM's, to the cent."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy import Engine

from kpi.engine import answer
from kpi.query import KpiResult
from kpi.scope import Scope
from storage import schema
from storage.connectors.base import Hint
from storage.database import reading
from tests.crm.lives import Life, Watch
from tests.crm.truth import Held, Truth, differences, local_day
from tests.crm.world import Crm
from tests.laws.asked import agree, office, questions
from tests.laws.houses import House

LATE = timedelta(minutes=3)
"""Longer than the fakes hold anything back."""


@dataclass
class Lived:
    """A life that is over: nothing moves any more, and Vigie has read everything."""

    workspace_id: str
    crm: Crm
    watch: Watch
    random: Random
    truth: Truth
    positions: list[list[tuple[str, str]]]
    """As they stood after some of the runs."""


def live(
    engine: Engine,
    house: House,
    seed: int,
    *,
    deeds: int | None = None,
    prefix: str = "sync",
    begin: Callable[[Watch], None] = lambda _watch: None,
    look: Callable[[Watch], None] = lambda _watch: None,
) -> Lived:
    """A whole life from a seed, watched by Vigie, to the quiet at its end; the caller closes `watch`.

    `begin` is called before the first run, `look` after each with an accident.
    """
    random = Random(f"{house.name} {seed}")  # noqa: S311 - a life must be lived again from its seed
    workspace_id = f"{prefix}-{house.name}-{seed}"
    office(workspace_id).save(engine)
    crm = house.make()
    life = Life(crm, random, size=random.choice([18, 24]))
    watch = Watch(engine, workspace_id, crm, house.open, random)
    begin(watch)
    positions = []
    try:
        # Short lives are cheap, and many; long ones get into deeper trouble.
        for _ in range(deeds or random.choice([8, 12, 30])):
            life.live()
            chance = random.random()
            if chance < 0.2:
                watch.accident(life)
                positions.append(watch.positions())
                look(watch)
            elif chance < 0.3:
                watch.hints(_hints(crm, life, random))
            elif chance < 0.32:
                watch.blank()
        # Quiet: what was held back shows, and look-backs have had their time.
        crm.tick(LATE)
        watch.settle()
        if not all(walk.tells_deletes and walk.tells_merges for walk in watch.open(crm).walks):
            watch.settle(full=True)
    except BaseException:
        watch.close()
        raise
    return Lived(workspace_id, crm, watch, random, Truth(crm), positions)


def sync_law(engine: Engine, house: House, seed: int) -> None:
    """One scenario; raises `AssertionError` with what is wrong."""
    lived = live(engine, house, seed)
    try:
        held = Held(engine, lived.workspace_id, lived.crm.source)
        wrong = differences(held, lived.truth)
        assert not wrong, "\n".join([*wrong[:12], *lived.watch.told[-12:]])
        agree(engine, lived.workspace_id, lived.truth, held, lived.random)
    finally:
        lived.watch.close()


def replay_law(engine: Engine, house: House, seed: int) -> None:
    """Reading any part of it again, or all of it, changes nothing and writes no history."""
    lived = live(engine, house, seed, deeds=15, prefix="replay")
    try:
        before, history = Held(engine, lived.workspace_id, lived.crm.source), changes(engine, lived.workspace_id)
        for positions in lived.random.sample(lived.positions, min(2, len(lived.positions))):
            lived.watch.go_back(positions)
            lived.watch.settle()
        lived.watch.settle(full=True)
        assert changes(engine, lived.workspace_id) == history, "reading again wrote history"
        assert Held(engine, lived.workspace_id, lived.crm.source) == before, "reading again changed a row"
    finally:
        lived.watch.close()


def as_known_law(engine: Engine, house: House, seed: int) -> None:
    """What was answered at a moment is answered again at any later one, as known then."""
    random = Random(f"asked {house.name} {seed}")  # noqa: S311 - as above
    answers: list[KpiResult] = []

    def look(watch: Watch) -> None:
        # The run has taken its time; what is seen later is seen at a later moment.
        watch.crm.tick(60)
        now = watch.crm.now
        today = local_day(now)
        assert today is not None
        asked = questions(random, today, Scope(watch.workspace_id, everything=True))
        with reading(engine) as connection:
            answers.extend(
                replace(result, query=replace(result.query, as_known=now))
                for result in [answer(connection, query) for query in random.sample(asked, 4)]
            )
        watch.crm.tick(1)

    lived = live(engine, house, seed, deeds=15, prefix="known", look=look)
    try:
        with reading(engine) as connection:
            for then in answers:
                now = answer(connection, then.query)
                told = [field.name for field in fields(then) if field.name != "notes"]
                wrong = [name for name in told if getattr(now, name) != getattr(then, name)]
                assert not wrong, f"{then.query.metric} {then.query.reading} as known {then.query.as_known}: {wrong}"
    finally:
        lived.watch.close()


def changes(engine: Engine, workspace_id: str) -> int:
    with reading(engine) as connection:
        counted = sa.select(sa.func.count()).where(schema.change.c.workspace_id == workspace_id)
        return connection.scalar(counted) or 0


def _hints(crm: Crm, life: Life, random: Random) -> list[Hint]:
    found = []
    for number in range(random.randint(1, 6)):
        object_ = random.choice(["deal", "deal", "deal", "customer"])
        things = crm.visible(object_)
        if things:
            found.append(
                Hint(event_id=f"{crm.now.timestamp()}-{number}", object=object_, ext_id=random.choice(things).id)
            )
    return found
