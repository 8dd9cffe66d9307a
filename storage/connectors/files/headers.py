"""Recognise what a table is and what each column means, from its headers and its name."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from rapidfuzz import fuzz, process

from storage.connectors.files.fields import OBJECTS
from storage.connectors.files.header_words import Field
from storage.connectors.files.signs import HINTS, NEEDS

How = Literal["exact", "near", "mapping"]

_NEAR = 88
"""Of 100: how alike two spellings must be. `close dat` and `close date` are; `close date` and `create date` are not."""
_SHORTEST_NEAR = 6

_PREFIXES = {
    "rate": ("taux",),
    "person": ("person", "user", "owner", "utilisateur"),
    "product": ("product", "produit"),
    "customer": ("organization", "organisation", "company", "account", "customer", "client", "compte"),
    "lead": ("lead", "contact", "person", "piste", "personne", "mql"),
    "deal": ("deal", "opportunity", "transaction", "affaire", "opportunite"),
    "contract": ("contract", "contrat", "subscription", "abonnement"),
    "purchase": ("order", "invoice", "commande", "facture", "purchase"),
    "spend": ("spend", "depense"),
}
"""Pipedrive and others write `Deal - Title`."""

_LEAST_SCORE = 2
_MOST_PENALTY = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A column and the field that it fills."""

    index: int
    header: str
    field: Field
    how: How


@dataclass(frozen=True, slots=True)
class Guess:
    """How the headers read as one object."""

    object: str
    matches: tuple[Match, ...]
    score: float


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Lower case, without accents or punctuation, single spaces: `N° d’affaire` is `n d affaire`."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("ß", "ss").replace("_", " "))
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", "".join(c for c in plain if not unicodedata.combining(c)))
    return re.sub(r"[^a-z0-9]+", " ", split.casefold()).strip()


def guess_object(headers: Sequence[str], name: str) -> list[Guess]:
    """Every object that these headers can be, the likeliest first; `name` is the file's or sheet's."""
    guesses = [guess for object_ in OBJECTS if (guess := _as_object(object_, headers, name)) is not None]
    return sorted(guesses, key=lambda guess: -guess.score)


def match(
    object_: str, headers: Sequence[str], given: Mapping[str, int] | None = None, empty: Collection[int] = ()
) -> tuple[Match, ...]:
    """The columns of a table known to be an `object_`; `given` (field to column) comes first.

    A column without any cell (`empty`) is taken only where no other says the same.
    """
    given = given or {}
    fields = {field.name: field for field in OBJECTS[object_]}
    found = {name: Match(index, headers[index], fields[name], "mapping") for name, index in given.items()}
    taken = set(given.values())
    folded = [fold(header) for header in headers]
    for prefixes in ((), _PREFIXES[object_]):
        for name, field in fields.items():
            if name in found:
                continue
            ranked = [
                (index in empty, field.words.index(text), index)
                for index, header in enumerate(folded)
                if index not in taken and (text := _spelled(header, prefixes)) in field.words
            ]
            if ranked:
                index = min(ranked)[-1]
                found[name] = Match(index, headers[index], field, "exact")
                taken.add(index)
    for index, header in enumerate(folded):
        if index not in taken and (near := _nearest(object_, header)) and near not in found:
            found[near] = Match(index, headers[index], fields[near], "near")
            taken.add(index)
    return tuple(sorted(found.values(), key=lambda item: item.index))


def _as_object(object_: str, headers: Sequence[str], name: str) -> Guess | None:
    matches = match(object_, headers)
    names = {item.field.name for item in matches}
    if not all(names & alternatives for alternatives in NEEDS[object_]):
        return None
    hinted = set(fold(name).split()) & set(HINTS[object_])
    # A product or a customer needs a word that says so: a lone "Name" may be anything.
    strong = any(item.field.name == "name" and fold(item.header) not in {"name", "nom", "libelle"} for item in matches)
    if object_ in {"product", "customer"} and not (strong or hinted):
        return None
    score: float = sum(item.field.weight for item in matches) + (3 if hinted else 0)
    score -= min(0.3 * (len(headers) - len(matches)), _MOST_PENALTY)
    return Guess(object_, matches, score) if score >= _LEAST_SCORE else None


def _spelled(header: str, prefixes: Sequence[str]) -> str:
    """`Montant (€)` folds to `montant`: what ends a header may say the currency or the rank, not the field."""
    text = re.sub(r" (eur|usd|gbp|chf|cad|ht|primary|principale?)$", "", header)
    first, _, rest = text.partition(" ")
    return rest if first in prefixes and rest else text


@cache
def _words(object_: str) -> Mapping[str, str]:
    return {word: field.name for field in OBJECTS[object_] for word in field.words if len(word) >= _SHORTEST_NEAR}


def _nearest(object_: str, header: str) -> str | None:
    if len(header) < _SHORTEST_NEAR:
        return None
    words = _words(object_)
    found = process.extractOne(header, words.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
    return words[found[0]] if found else None
