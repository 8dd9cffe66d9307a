"""The whole of Vigie, from a signed command to its answer in Slack: texts, charts of the answer, pictures in channels.

One person asks, the next question follows the answer. The playground runs in this process, `vigie serve` in another;
an answer has arrived when the playground stamps it.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from bot.playground.person import User
from bot.playground.records import Json, Message
from bot.playground.server import Playground
from bot.playground.world import World
from tests.bench.databases import KINDS, remove
from tests.bench.harness import FULL
from tests.bench.ratios import Bench, Measure, Ratios
from tests.bench.serving import company_of_today, seated, vigie

TEXTS = (
    "ca ce mois-ci",
    "taux de transformation le mois dernier",
    "panier moyen ce trimestre",
    "cycle de vente 3 derniers mois équipe 7",
    "ca équipe 12 mois dernier",
    "rétention",
    "leads le mois dernier",
    "pipeline",
)
CHARTS = (
    "taux de transformation 12 derniers mois par mois",
    "ca le mois dernier par équipe",
    "pipeline par étape",
    "leads trimestre dernier par source",
    "panier moyen trimestre dernier par segment",
    "ca 12 dernières semaines par semaine",
)
ASKED, SHARED = (200, 60) if FULL else (80, 24)
_WAIT = 30.0


def ninety_fifth(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def bench() -> Iterator[Measure]:
    for kind in KINDS:
        engine = company_of_today(kind).copy()
        with Playground(World()) as playground:
            person = seated(playground.world, engine)
            playground.world.add_channel("ventes", [person])
            with vigie(playground, engine):
                user = playground.as_user(person)
                for words in (*TEXTS, *CHARTS):
                    _ask(playground, user, words)
                texts = [_ask(playground, user, words) for words in islice(cycle(TEXTS), ASKED)]
                charts = [_ask(playground, user, words) for words in islice(cycle(CHARTS), ASKED)]
                pictures = [_share(playground, user, words) for words in islice(cycle(CHARTS[:2]), SHARED)]
        remove(engine)
        yield _measure(f"text_answer_p95_over_100ms_{kind}", texts, 100)
        yield _measure(f"chart_answer_p95_over_300ms_{kind}", charts, 300)
        yield _measure(f"shared_picture_p95_over_300ms_{kind}", pictures, 300)


def _measure(name: str, taken: list[float], held_to: float) -> Measure:
    told = f"{ninety_fifth(taken):.0f} ms (half within {statistics.median(taken):.0f})"
    return Measure(name, told, f"{held_to:.0f} ms", ninety_fifth(taken) / held_to)


def _ask(playground: Playground, user: User, words: str) -> float:
    """Milliseconds from typing to the answer's own time."""
    began = time.time()
    user.command(f"/kpi {words}", "ventes")
    return _since(began, _answer(playground, began, lambda message: message.only_for == user.id))


def _share(playground: Playground, user: User, words: str) -> float:
    """Milliseconds from the last click to the message in the channel, with its picture."""
    began = time.time()
    user.command(f"/kpi {words}", "ventes")
    user.click(_seen(user, _answer(playground, began, lambda message: message.only_for == user.id)), "answer.share")
    asked = user.wait_for("ventes", lambda message: _has(message, "share.yes"), _WAIT)
    began = time.time()
    user.click(asked, "share.yes")
    posted = _answer(playground, began, lambda message: message.only_for is None and message.from_app)
    if not any(block["type"] == "image" for block in posted.blocks):
        raise AssertionError(f"no picture in {posted.text!r}")
    return _since(began, posted)


def _answer(playground: Playground, since: float, fits: Callable[[Message], bool]) -> Message:
    world = playground.world
    channel = world.find_channel("ventes").id

    def look() -> Message | None:
        newest = reversed(world.messages[channel])
        return next((each for each in newest if float(each.ts) >= since and each.from_app and fits(each)), None)

    return world.wait_until(look, _WAIT)


def _seen(user: User, message: Message) -> Json:
    return next(each for each in user.messages("ventes") if each["ts"] == message.ts)


def _has(message: Json, action_id: str) -> bool:
    elements = (element for block in message["blocks"] for element in block.get("elements", ()))
    return any(isinstance(element, dict) and element.get("action_id") == action_id for element in elements)


def _since(began: float, message: Message) -> float:
    return (float(message.ts) - began) * 1000


BENCH = Bench(
    (
        Ratios(
            tuple(f"text_answer_p95_over_100ms_{kind}" for kind in KINDS),
            "A command with a single number for its answer, from typing to the answer in the playground, on 100,000 "
            "deals: the 95th percentile over 100 ms.",
            "the acknowledgement waits, words are looked up among more names, or the answer takes more statements.",
            most=1,
        ),
        Ratios(
            tuple(f"chart_answer_p95_over_300ms_{kind}" for kind in KINDS),
            "The same for an answer with a chart or groups (Slack's own blocks): the 95th percentile over 300 ms.",
            "the same happens.",
            most=1,
        ),
        Ratios(
            tuple(f"shared_picture_p95_over_300ms_{kind}" for kind in KINDS),
            "From the click that shares an answer to its message in the channel, picture drawn and uploaded: the 95th "
            "percentile over 300 ms.",
            "a letter waits for the postman's next tick, or drawing takes longer.",
            most=1,
        ),
    ),
    bench,
)
