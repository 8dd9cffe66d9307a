"""One file = one command. Each ends with `COMMAND`, and `ACTIONS` or `FORMS` where it has buttons or modals."""

import pkgutil
from importlib import import_module
from typing import Any

from bot.conversation import Action, Command, Form


def commands() -> tuple[Command, ...]:
    return tuple(room.COMMAND for room in _rooms() if hasattr(room, "COMMAND"))


def actions() -> tuple[Action, ...]:
    return tuple(action for room in _rooms() for action in getattr(room, "ACTIONS", ()))


def forms() -> tuple[Form, ...]:
    return tuple(form for room in _rooms() for form in getattr(room, "FORMS", ()))


def _rooms() -> list[Any]:
    return [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
