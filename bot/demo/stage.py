"""The sample company on stage: its people and channels in the playground, its deals in a database, its settings.

Nothing here is known to the product: it loads the company through the page engine, and remembers links, targets,
schedules and rules as a command would.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from bot.clock import FixedClock
from bot.demo.cast import OFFICES, Office, cast
from bot.demo.company import SampleCompany
from bot.demo.market import STRUGGLING
from bot.keeping import keeper, settle
from bot.playground.records import Channel, Person
from bot.playground.world import World
from storage import people, records, rules, schedules, sync, targets
from storage.database import writing
from storage.records import make_id
from storage.workspaces import SINGLE

TARGET_PERCENT = Decimal(30)
"""Of the win rate: what the seed of all this recommends."""


@dataclass(frozen=True, slots=True)
class Seats:
    """Who and where, in the playground: `user` by e-mail, `channels` by name."""

    users: dict[str, Person]
    channels: dict[str, Channel]
    director: Person


def seat(world: World) -> Seats:
    """Give the company's people a seat in the playground, and open its channels."""
    world.commands.append(
        {
            "command": "/kpi",
            "description": "Demander un chiffre · Ask for a number",
            "usage_hint": "taux de transformation trimestre dernier par équipe",
            "should_escape": True,
        }
    )
    people_of = cast()
    users: dict[str, Person] = {}

    def sit(person: records.Person, office: Office, role: str) -> Person:
        email = person.email or ""
        name, locale = email.split("@")[0], office.locale.replace("_", "-")
        users[email] = world.add_user(name, person.name, email, office.time_zone, locale, role=role)
        return users[email]

    director = sit(people_of.director, OFFICES[0], "admin")
    for office in OFFICES:
        sit(people_of.managers[office.name], office, "manager")
        for rep in people_of.reps[office.name]:
            sit(rep, office, "rep")
    english = [user for user in users.values() if user.locale == "en-GB"]
    lyon = [users[rep.ext_id] for rep in people_of.reps[STRUGGLING]] + [users[people_of.managers[STRUGGLING].ext_id]]
    channels = {
        "ventes": world.add_channel("ventes", list(users.values()), topic="La synthèse de la semaine"),
        "sales": world.add_channel("sales", [director, *english], topic="The week's digest, in English"),
        "lyon": world.add_channel("lyon", [director, *lyon], topic="L'équipe de Lyon"),
        "direction": world.add_channel("direction", [director], is_private=True, bot=False),
    }
    for user in users.values():
        world.open_im(user)
    return Seats(users, channels, director)


def load_company(
    engine: Engine, today: date, now: datetime, *, corrected: bool = False, progress: sync.Progress | None = None
) -> sync.Report:
    """Load the sample company as it stands on `today`; the second time, only what `corrected` changes."""
    clock = FixedClock(now)
    keep = keeper(engine, SINGLE, clock)
    company = SampleCompany(today, corrected=corrected)
    report = sync.load(engine, SINGLE, company, now=now, on_page=keep, progress=progress)
    settle(engine, SINGLE, clock)
    return report


def arrange(engine: Engine, seats: Seats, now: datetime) -> None:
    """Links, targets, digests that are due now, and a rule on the win rate of the team that struggles."""
    with writing(engine) as connection:
        for email, user in seats.users.items():
            _link(connection, email, user, now)
        for channel, language in (("ventes", "fr"), ("sales", "en")):
            _digest(connection, seats, channel, language, now)
            _rule(connection, seats, channel, language, now)
        wanted = targets.Target(uuid.uuid4().hex, "win_rate", "closed", None, None, TARGET_PERCENT)
        targets.set_target(connection, SINGLE, wanted, actor="demo", now=now)


def _link(connection: Connection, email: str, user: Person, now: datetime) -> None:
    people.link(
        connection,
        workspace_id=SINGLE,
        slack_user_id=user.id,
        person_id=make_id(SampleCompany.source, email),
        role=user.role,
        actor="demo",
        now=now,
    )


def _digest(connection: Connection, seats: Seats, channel: str, language: str, now: datetime) -> None:
    zone = _zone(language)
    local = now.astimezone(ZoneInfo(zone))
    schedules.add(
        connection,
        workspace_id=SINGLE,
        channel_id=seats.channels[channel].id,
        owner=seats.director.id,
        weekday=local.isoweekday(),
        at=local.time().replace(second=0, microsecond=0),
        time_zone=zone,
        language=language,
        now=now,
        first_on=local.date(),
    )


def _zone(language: str) -> str:
    """The hours that the readers of a channel keep."""
    return "Europe/London" if language == "en" else "Europe/Paris"


def _rule(connection: Connection, seats: Seats, channel: str, language: str, now: datetime) -> None:
    rules.add(
        connection,
        workspace_id=SINGLE,
        metric="win_rate",
        reading="closed",
        dimension="team",
        key=make_id(SampleCompany.source, STRUGGLING),
        channel_id=seats.channels[channel].id,
        owner=seats.director.id,
        language=language,
        threshold=TARGET_PERCENT,
        recovery=TARGET_PERCENT,
        direction="below",
        now=now,
        hold=1,
        time_zone=_zone(language),
    )
