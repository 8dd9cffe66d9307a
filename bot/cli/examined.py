"""What `vigie doctor` looks at beyond `vigie check`: what waits, what runs, where the bot is, whose clock is right."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from babel.numbers import format_decimal

from bot.cli.findings import Finding
from bot.conversation import Context
from bot.i18n import Language
from bot.jobs import jobs
from bot.outcome import STOPPING
from bot.slack import SlackError
from bot.views.delivery import duration, trouble_sentence
from bot.views.sources import source_name
from bot.views.status import source_lines
from kpi.buckets import state
from storage import beats, inbox, outbox, rules, schedules
from storage.database import facts, reading
from storage.migrate import newest, revision
from storage.outbox import Lot
from storage.status import REFUSED, read_status
from storage.workspaces import SINGLE, read_workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

SOON, LONG = timedelta(minutes=1), timedelta(minutes=10)
"""What has waited for longer than the first is worth a remark; than the second, it is not merely on its way."""
SKIPPED = timedelta(days=7)
"""Messages that were left out are told of for so long."""
APART = timedelta(seconds=60)
"""How far two clocks may differ: Slack refuses, and is refused, at five minutes."""


def of_tables(context: Context, words: Language) -> Iterator[Finding]:
    """The database itself, and, where its tables are those of this version, what they tell."""
    _ = words._
    with reading(context.engine) as connection:
        before = context.clock.now()
        told, here, wanted = facts(connection), revision(connection), newest()
    size = _("{size} MB", size=format_decimal(round(told.size / 1_000_000, 1), locale=words.locale))
    about = _(
        "{kind} {version}, {size}, tables of revision {revision}",
        kind=told.kind,
        version=told.version,
        size=size,
        revision=here,
    )
    if here != wanted:
        said = _("{about}; this version wants {wanted}: it is upgraded at the next start", about=about, wanted=wanted)
        yield Finding(False, said)
        return
    yield Finding(True, about)
    yield _apart(_("the database's clock"), told.now - before, words)
    yield of_sums(context, words)
    for look in (of_sources, of_jobs, of_letters, of_inbox, of_channels):
        yield from look(context, words)


def of_sums(context: Context, words: Language) -> Finding:
    """Whether answers come from sums that are ready."""
    _ = words._
    with reading(context.engine) as connection:
        today = context.clock.now().astimezone(read_workspace(connection).zone).date()
        if state.read(connection, SINGLE).holds(today):
            return Finding(True, _("the sums that answers come from are ready"))
    return Finding(True, _("the sums that answers come from are not ready: answers are exact, but slower"), remark=True)


def of_letters(context: Context, words: Language) -> Iterator[Finding]:
    """What is not delivered."""
    _, n, now = words._, words.n, context.clock.now()
    with reading(context.engine) as connection:
        lots = outbox.lots(connection, SINGLE, now, skipped_since=now - SKIPPED)
    waiting = [lot for lot in lots if lot.state in {"pending", "sending"}]
    if not waiting:
        yield Finding(True, _("no message waits to be posted"))
    else:
        count, age = _count(waiting), now - waiting[0].due_at
        said = n(
            "{count} message waits to be posted, for {age}",
            "{count} messages wait to be posted, for {age} at most",
            count,
            age=duration(age, words),
        )
        stopped = next((lot.error for lot in waiting if lot.error in STOPPING), None)
        if stopped is not None:
            said += _("; Slack takes none ({code}): check SLACK_BOT_TOKEN", code=stopped)
        yield Finding(age <= LONG and stopped is None, said, remark=age > SOON)
    held = _count([lot for lot in lots if lot.state == outbox.HELD])
    if held:
        yield Finding(True, n("{count} message is for later", "{count} messages are for later", held))
    for lot in lots:
        if lot.state in {"unknown", "dead"}:
            age = now - lot.due_at
            oldest = _("The oldest is from {age} ago.", age=duration(age, words))
            said = f"{_called(context, lot.channel_id)}{_(': ')}{trouble_sentence(lot, words)} {oldest}"
            needed = lot.state == "dead" or (age > LONG and (lot.error or "").startswith("history:"))
            yield Finding(not needed, said, remark=True)
    skipped = [lot for lot in lots if lot.state == "skipped"]
    for reason, count in sorted(_by_reason(skipped).items()):
        said = n(
            "{count} message was left out in the last 7 days ({code})",
            "{count} messages were left out in the last 7 days ({code})",
            count,
            code=reason,
        )
        yield Finding(True, said, remark=reason == outbox.LATE)


def of_inbox(context: Context, words: Language) -> Iterator[Finding]:
    """What Slack said that is not done."""
    _, n = words._, words.n
    with reading(context.engine) as connection:
        seconds, counts = inbox.oldest(connection, SINGLE), inbox.counts(connection, SINGLE)
    waiting = counts.get("waiting", 0) + counts.get("running", 0)
    if seconds is None:
        yield Finding(True, _("no command, click or event waits"))
    else:
        age = timedelta(seconds=seconds)
        said = n(
            "{count} command, click or event waits, for {age}",
            "{count} commands, clicks and events wait, for {age} at most",
            waiting,
            age=duration(age, words),
        )
        yield Finding(age <= LONG, said, remark=age > SOON)
    if failed := counts.get("failed", 0):
        said = n(
            "{count} command, click or event could not be done in the last 7 days: the log says why",
            "{count} commands, clicks and events could not be done in the last 7 days: the log says why",
            failed,
        )
        yield Finding(True, said, remark=True)


def of_jobs(context: Context, words: Language) -> Iterator[Finding]:
    """Whether somebody does what is done by the clock."""
    _ = words._
    with reading(context.engine) as connection:
        alive = beats.alive(connection, SINGLE)
    names = [job.name for job in jobs()]
    silent = [name for name in names if not alive.get(name)]
    if not silent:
        yield Finding(True, _("every job is being done: {jobs}", jobs=", ".join(names)))
    elif len(silent) == len(names):
        yield Finding(False, _("nothing is running: start “vigie serve”"))
    else:
        said = _("no sign of life of these jobs: {jobs}; the log of “vigie serve” says why", jobs=", ".join(silent))
        yield Finding(False, said)


def of_sources(context: Context, words: Language) -> Iterator[Finding]:
    """When each source was last read, and what came of it."""
    late_since = context.clock.now() - context.settings.late_after
    with reading(context.engine) as connection:
        workspace, status = read_workspace(connection), read_status(connection, SINGLE)
    for source in status.sources:
        said = " ".join(source_lines(source, late_since, workspace, words))
        waits = source.state == REFUSED or any(told.trouble is not None for told in source.told)
        remark = source.late(late_since) or (source.last_run is not None and source.last_run.outcome == "failed")
        yield Finding(not waits, f"{source_name(source.source, words)}{words._(': ')}{said}", remark=remark)


def of_channels(context: Context, words: Language) -> Iterator[Finding]:
    """Whether the bot is wherever something is to be posted."""
    _ = words._
    with reading(context.engine) as connection:
        places = _places(connection)
    fine = 0
    for place, count in places.items():
        try:
            channel = context.slack.channel(place)
        except SlackError as error:
            if error.code != "channel_not_found":
                said = _("Slack does not say where Vigie is ({code}): not every channel was looked at", code=error.code)
                yield Finding(True, said, remark=True)
                return
            obstacle, named = error.code, place
        else:
            obstacle = "is_archived" if channel.archived else "" if channel.joined else "not_in_channel"
            named = f"#{channel.name}" if channel.name else place
        if not obstacle:
            fine += 1
            continue
        said = words.n(
            "{channel}: {count} digest or alert goes there, but Slack says {code}: type “/invite @Vigie” in it",
            "{channel}: {count} digests and alerts go there, but Slack says {code}: type “/invite @Vigie” in it",
            count,
            channel=named,
            code=obstacle,
        )
        yield Finding(False, said)
    if fine:
        said = words.n(
            "Vigie is in {count} channel of digests and alerts",
            "Vigie is in {count} channels of digests and alerts",
            fine,
        )
        yield Finding(True, said)


def of_clock(context: Context, words: Language) -> Iterator[Finding]:
    """Whether this machine and Slack agree on what time it is."""
    try:
        slack = context.slack.time()
    except SlackError:
        return
    yield _apart(words._("Slack's clock"), slack - context.clock.now(), words)


def _apart(whose: str, by: timedelta, words: Language) -> Finding:
    _ = words._
    seconds = round(by.total_seconds())
    if abs(by) <= APART:
        return Finding(True, _("{clock} and this machine's agree ({seconds} s)", clock=whose, seconds=f"{seconds:+d}"))
    said = _(
        "{clock} and this machine's differ by {seconds} s: set this machine's clock (NTP)",
        clock=whose,
        seconds=f"{seconds:+d}",
    )
    return Finding(False, said)


def _called(context: Context, place: str) -> str:
    """A channel by its name, where Slack tells it."""
    try:
        name = context.slack.channel(place).name if place[:1] in {"C", "G"} else ""
    except SlackError:
        name = ""
    return f"#{name}" if name else place


def _places(connection: "Connection") -> Counter[str]:
    """The channels of digests and alerts that run, and how many go to each."""
    wanted = [each.channel_id for each in schedules.running(connection, SINGLE)]
    wanted += [each.channel_id for each in rules.running(connection, SINGLE)]
    return Counter(place for place in sorted(wanted) if place[:1] in {"C", "G"})


def _count(lots: list[Lot]) -> int:
    return sum(lot.letters for lot in lots)


def _by_reason(lots: list[Lot]) -> Counter[str]:
    found: Counter[str] = Counter()
    for lot in lots:
        found[lot.error or ""] += lot.letters
    return found
