"""The options of a source: asked one by one, or taken from `--set`, and checked by its own model."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, get_args

import typer
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined
from rapidfuzz import fuzz, process
from rich.console import Console

from bot.cli.starting import say
from bot.i18n import Language

FROM_INPUT = "-"
FROM_ENVIRONMENT = "env:"


class OptionError(Exception):
    """One sentence: which option cannot be used, and what would do. Never the value of a secret."""


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    description: str
    """What to paste and where it is found, as the connector says it in English."""
    secret: bool
    required: bool
    default: str
    """As it would be typed; empty where there is none."""
    made: bool
    """Made up where nothing is given."""
    yes_or_no: bool


def options(model: type[BaseModel]) -> list[Option]:
    """What a source wants to be given, in the order in which it asks."""
    return [
        Option(
            name,
            (field.description or "").rstrip("."),
            _is_secret(field.annotation),
            field.is_required(),
            _typed(field.get_default()),
            field.default_factory is not None,
            field.annotation is bool,
        )
        for name, field in model.model_fields.items()
    ]


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value is PydanticUndefined else str(value)


def _is_secret(annotation: Any) -> bool:
    """`SecretStr`, also with conditions or where it may be left out."""
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


def given(said: Sequence[str], model: type[BaseModel], typed: TextIO, words: Language) -> dict[str, str]:
    """The options of `--set`. A secret is named, never written: `name=env:VARIABLE`, or `name=-` for a line of `typed`.

    Raises `OptionError`.
    """
    _, known = words._, {option.name: option for option in options(model)}
    found: dict[str, str] = {}
    for text in said:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        option = known.get(name)
        if option is None or not equals:
            raise OptionError(_unknown(name, list(known), words))
        found[name] = _fetched(option, value, typed, words) if option.secret else _read(option, value)
    return found


def _read(option: Option, value: str) -> str:
    """French yeses and noes too."""
    return {"oui": "yes", "non": "no"}.get(value.strip().lower(), value) if option.yes_or_no else value


def _fetched(option: Option, value: str, typed: TextIO, words: Language) -> str:
    if value == FROM_INPUT:
        return typed.readline().strip()
    if not value.startswith(FROM_ENVIRONMENT):
        # What is typed here stays in the shell's history and shows in the list of processes.
        raise OptionError(
            words._(
                "{name} is a secret and does not belong on the command line: put it into a variable and say --set "
                "{name}=env:VARIABLE, or say --set {name}=- and give it as a line of the input.",
                name=option.name,
            )
        )
    variable = value.removeprefix(FROM_ENVIRONMENT)
    if not os.environ.get(variable):
        raise OptionError(
            words._("{name}: the environment has no variable “{variable}”.", name=option.name, variable=variable)
        )
    return os.environ[variable]


def checked(model: type[BaseModel], values: Mapping[str, Any], words: Language) -> BaseModel:
    """The options as the source's model reads them. Raises `OptionError` for the first that is missing or wrong."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise OptionError(_wrong(first, model, words)) from None


def asked(console: Console, model: type[BaseModel], values: Mapping[str, Any], kept: Mapping[str, Any], words: Language
          ) -> BaseModel:  # fmt: skip
    """Ask for each option that `values` lacks, secrets hidden, until the source's model is content.

    `kept` are those of before, offered again. Raises `typer.Abort` where nobody answers, and `OptionError` for what no
    single option can mend.
    """
    known = {option.name: option for option in options(model)}
    answers = dict(values)
    missing = [name for name in known if name not in answers]
    while True:
        for name in missing:
            answer = _answer(console, known[name], kept.get(name), words)
            if answer is not None:
                answers[name] = answer
        try:
            return model.model_validate(answers)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)
            for each in wrong:
                say(console, _wrong(each, model, words), "red")
            missing = list(dict.fromkeys(str(each["loc"][0]) for each in wrong if each["loc"]))
            if not missing:
                raise OptionError(words._("Nothing was stored.")) from None
            for name in missing:
                answers.pop(name, None)


def _answer(console: Console, option: Option, kept: Any, words: Language) -> Any:
    """What the person typed; what was kept where they typed nothing; None to leave it out."""
    _ = words._
    before = kept.get_secret_value() if isinstance(kept, SecretStr) else kept
    console.print()
    say(console, _("{name}: {description}", name=option.name, description=_(option.description)), "dim")
    label = option.name
    if option.secret and before:
        label += " " + _("(Enter keeps the present one)")
    elif option.made and not before:
        label += " " + _("(Enter makes one up)")
    elif not option.required and not option.default and not before:
        label += " " + _("(Enter leaves it out)")
    default = "" if option.secret else _typed(before) or option.default
    may_be_empty = before is not None or not option.required
    said: str = typer.prompt(
        label,
        default=default if may_be_empty else None,
        show_default=bool(default),
        hide_input=option.secret,
        prompt_suffix=_(": "),
    )
    return _read(option, said.strip()) or before


def _unknown(name: str, known: Sequence[str], words: Language) -> str:
    nearest = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=60)
    if nearest is not None:
        return words._("There is no option “{said}”: did you mean “{nearest}”?", said=name, nearest=nearest[0])
    return words._("There is no option “{said}”; there are: {known}.", said=name, known=", ".join(known))


def _wrong(error: ErrorDetails, model: type[BaseModel], words: Language) -> str:
    """What is wrong with an option, without its value."""
    _ = words._
    reason = str(error.get("ctx", {}).get("error", ""))
    if not error["loc"]:
        return _("The options do not fit together ({reason}).", reason=_(reason) if reason else error["type"])
    name = str(error["loc"][0])
    description = next((option.description for option in options(model) if option.name == name), "")
    told = _(description) if description else ""
    if error["type"] == "missing":
        return _("{name} is missing: {description}.", name=name, description=told)
    if reason:
        return _("{name} is not right ({reason}): {description}.", name=name, reason=_(reason), description=told)
    return _("{name} is not right: {description}.", name=name, description=told)
