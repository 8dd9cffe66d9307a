"""The demo without a browser: asks, reads the digest, sees the alert fire and end, and says what it saw."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from bot.demo.cast import cast
from bot.demo.market import STRUGGLING
from bot.demo.play import Play, play
from bot.playground.person import FailedError, User

QUESTIONS = {
    "en": ("win rate last quarter by team", "average deal last month", "sales cycle last month by rep"),
    "fr": (
        "taux de transformation trimestre dernier par équipe",
        "panier moyen mois dernier",
        "conversion des leads par source trimestre dernier",
    ),
}
ACKNOWLEDGED = {"en": "Acknowledged by", "fr": "Prise en compte par"}
OVER = {"en": "Recovered", "fr": "Retour à la normale"}
ANSWER_SECONDS = 20
LETTER_SECONDS = 60

Json = dict[str, Any]


class NotSeenError(Exception):
    """What should have been seen was not."""


def rehearse(folder: Path, console: Console) -> int:
    """Play it all in `folder`; prints a line for each step and gives the number of failures."""
    failures = 0
    with play(folder) as stage:
        for what, step in _steps(stage):
            try:
                seen = step()
            except (NotSeenError, FailedError, LookupError, TimeoutError) as error:
                failures += 1
                console.print(f"[red]✗[/red] {escape(what)}: {escape(str(error))}")
            else:
                console.print(f"[green]✓[/green] {escape(what)}")
                console.print(f"  [dim]{escape(seen)}[/dim]")
    console.print("Something failed." if failures else "Everything was seen.")
    return failures


def _steps(stage: Play) -> Iterator[tuple[str, Callable[[], str]]]:
    people = cast()
    askers = {
        "en": stage.playground.as_user(people.managers["London"].email or ""),
        "fr": stage.playground.as_user(people.managers["Paris"].email or ""),
    }
    for language, questions in QUESTIONS.items():
        for question in questions:
            yield f"/kpi {question}", lambda asker=askers[language], text=question: _ask(asker, text)  # type: ignore[misc]
    for channel, language in (("ventes", "fr"), ("sales", "en")):
        reader = askers[language]
        yield f"the digest in #{channel}, with its chart", lambda r=reader, c=channel: _digest(r, c)  # type: ignore[misc]
        yield f"the alert in #{channel}", lambda r=reader, c=channel: _alert(r, c)  # type: ignore[misc]
        yield (
            f"why it fired, and the alert in #{channel} taken in hand",
            lambda r=reader, c=channel, code=language: _in_hand(r, c, code),  # type: ignore[misc]
        )
    yield "the deals are put right in the CRM and synced", lambda: _correct(stage)
    for channel, language in (("ventes", "fr"), ("sales", "en")):
        yield (
            f"the alert in #{channel}, edited in place when it ended",
            lambda r=askers[language], c=channel, code=language: _ended(r, c, code),  # type: ignore[misc]
        )


def _ask(asker: User, question: str) -> str:
    before = {message["ts"] for message in asker.messages()}
    asker.command(f"/kpi {question}")
    answer = asker.wait_for(None, lambda message: message["ts"] not in before, ANSWER_SECONDS)
    if not any(character.isdigit() for character in answer["text"]):
        raise NotSeenError(f"no number in {answer['text']!r}")
    return str(answer["text"])


def _digest(reader: User, channel: str) -> str:
    message = reader.wait_for(channel, lambda message: not _is_alert(message) and _has_chart(message), LETTER_SECONDS)
    return str(message["text"])


def _alert(reader: User, channel: str) -> str:
    message = reader.wait_for(channel, _is_alert, LETTER_SECONDS)
    return str(message["text"])


def _in_hand(reader: User, channel: str, language: str) -> str:
    """A private answer says how it was judged; acknowledging shows in the message and in its thread."""
    alert = reader.wait_for(channel, _is_alert, LETTER_SECONDS)
    reader.click(alert, "alert.why")
    why = reader.wait_for(channel, lambda message: message["ephemeral"] and "97" in message["text"], ANSWER_SECONDS)
    reader.click(alert, "alert.ack")
    done = ACKNOWLEDGED[language]
    reader.wait_for(channel, lambda message: _is_alert(message) and done in message["text"], LETTER_SECONDS)
    reader.wait_for(channel, lambda message: done in message["text"], LETTER_SECONDS, thread_ts=alert["ts"])
    return str(why["text"])


def _ended(reader: User, channel: str, language: str) -> str:
    over = OVER[language]
    message = reader.wait_for(
        channel,
        lambda message: _is_alert(message) and message.get("edited") and over in message["text"],
        LETTER_SECONDS,
    )
    alerts = [each for each in reader.messages(channel) if _is_alert(each)]
    if len(alerts) != 1:
        raise NotSeenError(f"{len(alerts)} alert messages instead of one")
    return str(message["text"])


def _correct(stage: Play) -> str:
    stage.correct()
    return "synced"


def _is_alert(message: Json) -> bool:
    """An alert's headline names the team it is about; a digest's names the week."""
    return not message["ephemeral"] and STRUGGLING in message["text"].partition("\n")[0]


def _has_chart(message: Json) -> bool:
    return any(block["type"] == "image" for block in message["blocks"])
