"""Who works at the sample company, and who buys from it: deterministic names in French and English.

Names come from Faker's lists under a fixed seed; no one of them is written down here.
"""

import random
import unicodedata
from dataclasses import dataclass

from faker import Faker

from storage.records import Customer, Person, Product, Team

SEED = 20_240_915
DOMAIN = "exemple.example"
REPS_A_TEAM = 4


@dataclass(frozen=True, slots=True)
class Office:
    """One sales team: where it sits, what it sells best, and how often it wins."""

    name: str
    locale: str
    language: str
    time_zone: str
    b2b_share: float
    win_chance: float


OFFICES = (
    Office("Paris", "fr_FR", "fr", "Europe/Paris", 0.75, 0.34),
    Office("Lyon", "fr_FR", "fr", "Europe/Paris", 0.55, 0.33),
    Office("London", "en_GB", "en", "Europe/London", 0.65, 0.31),
)
DIRECTION = "Europe"

PRODUCTS = (
    # name, segment, median amount in euros, chance among its segment
    ("Console Standard", "B2B", 4_800, 0.40),
    ("Console Pro", "B2B", 11_500, 0.30),
    ("Intégration", "B2B", 7_200, 0.20),
    ("Support Premium", "B2B", 2_900, 0.10),
    ("Kit Maison", "B2C", 390, 0.55),
    ("Kit Atelier", "B2C", 890, 0.30),
    ("Extension", "B2C", 190, 0.15),
)


@dataclass(frozen=True, slots=True)
class Cast:
    teams: tuple[Team, ...]
    people: tuple[Person, ...]
    reps: dict[str, tuple[Person, ...]]
    """By team name."""
    managers: dict[str, Person]
    director: Person


def cast() -> Cast:
    """The same sixteen people at every call: a director, three managers and twelve reps."""
    fakers = {office.locale: _faker(office.locale, salt) for salt, office in enumerate(OFFICES)}
    taken: set[str] = set()

    def person(office: Office, team: str) -> Person:
        while True:
            faker = fakers[office.locale]
            first, last = faker.first_name(), faker.last_name()
            email = f"{_ascii(first)}.{_ascii(last)}@{DOMAIN}"
            if email not in taken and " " not in last:
                taken.add(email)
                return Person(ext_id=email, name=f"{first} {last}", email=email, region=office.name, team=team)

    director = person(OFFICES[0], DIRECTION)
    managers = {office.name: person(office, office.name) for office in OFFICES}
    reps = {office.name: tuple(person(office, office.name) for _ in range(REPS_A_TEAM)) for office in OFFICES}
    teams = (
        Team(ext_id=DIRECTION, name=DIRECTION, manager=director.ext_id),
        *(
            Team(ext_id=office.name, name=office.name, parent=DIRECTION, manager=managers[office.name].ext_id)
            for office in OFFICES
        ),
    )
    people = (director, *managers.values(), *(rep for team in reps.values() for rep in team))
    return Cast(teams, people, reps, managers, director)


class Customers:
    """A market without end: each call to `new` is the next plausible customer of an office."""

    def __init__(self) -> None:
        self._fakers = {office.locale: _faker(office.locale, 100 + salt) for salt, office in enumerate(OFFICES)}
        self._names: set[str] = set()
        self._count = 0

    def new(self, office: Office, segment: str, origin: str | None) -> Customer:
        self._count += 1
        return Customer(
            ext_id=f"C{self._count:05d}",
            name=self._name(office, segment),
            segment=segment,
            origin=origin,
            region=office.name,
        )

    def _name(self, office: Office, segment: str) -> str:
        faker = self._fakers[office.locale]
        if segment == "B2C":
            family = faker.last_name()
            name = f"Famille {family}" if office.language == "fr" else f"{family} household"
        else:
            name = faker.company()
        # Two customers of one name would be a riddle for whoever reads a list: number the later ones.
        number, unique = 1, name
        while unique in self._names:
            number += 1
            unique = f"{name} {number}"
        self._names.add(unique)
        return unique


def products() -> tuple[Product, ...]:
    return tuple(Product(ext_id=name, name=name) for name, *_ in PRODUCTS)


def dice(salt: str) -> random.Random:
    """A source of chance that gives the same throws at every start."""
    return random.Random(f"{SEED}:{salt}")  # noqa: S311 - a sample, not a secret


def _faker(locale: str, salt: int) -> Faker:
    faker = Faker(locale)
    faker.seed_instance(SEED + salt)
    return faker


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(character for character in plain.lower() if character.isalnum() or character == "-")
