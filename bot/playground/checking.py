"""The tools of the Block Kit checks: errors with the place they stand at, lengths, allowed fields, texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.playground.records import Json


@dataclass(slots=True)
class Findings:
    """What Slack would complain of, in its own way: a sentence and a JSON pointer."""

    surface: str
    """`message`, `modal` or `home`."""
    errors: list[str] = field(default_factory=list)

    def add(self, sentence: str, path: str) -> None:
        self.errors.append(f"{sentence} [json-pointer:{path}]")

    def fields(self, item: Json, path: str, required: str, optional: str = "") -> bool:
        """Only these fields, and all the required ones. False where one is missing."""
        needed, allowed = required.split(), {"type", *required.split(), *optional.split()}
        for name in sorted(item.keys() - allowed):
            self.add(f"invalid additional property: {name}", path)
        missing = [name for name in needed if item.get(name) is None]
        for name in missing:
            self.add(f"missing required field: {name}", path)
        return not missing

    def length(self, value: object, path: str, most: int, least: int = 1) -> None:
        """A string of `least` to `most` characters."""
        if not isinstance(value, str):
            self.add("must provide a string", path)
        elif len(value) < least:
            self.add(f"must be more than {least - 1} characters", path)
        elif len(value) > most:
            self.add(f"must be less than {most + 1} characters", path)

    def strings(self, item: Json, path: str, limits: dict[str, int]) -> None:
        """The string fields that are there, each within its limit; an empty one is refused too."""
        for name, most in limits.items():
            if item.get(name) is not None:
                self.length(item[name], f"{path}/{name}", most)

    def items(self, value: object, path: str, most: int, least: int = 1) -> list[tuple[str, Any]]:
        """The items of a list of `least` to `most`, each with its path; none where it is no such list."""
        if not isinstance(value, list):
            self.add("must provide an array", path)
            return []
        if len(value) < least:
            self.add(f"no less than {least} items allowed", path)
        if len(value) > most:
            self.add(f"no more than {most} items allowed", path)
        return [(f"{path}/{index}", item) for index, item in enumerate(value)]

    def objects(self, value: object, path: str, most: int, least: int = 1) -> list[tuple[str, Json]]:
        found = []
        for place, item in self.items(value, path, most, least):
            if isinstance(item, dict):
                found.append((place, item))
            else:
                self.add("must provide an object", place)
        return found

    def text(self, value: object, path: str, most: int, kinds: Sequence[str] = ("plain_text",)) -> None:
        """A text object of one of these kinds."""
        if not isinstance(value, dict):
            self.add("must provide an object", path)
            return
        kind = value.get("type")
        if kind not in kinds:
            self.add(f"must be of type {' or '.join(kinds)}", f"{path}/type")
            return
        if self.fields(value, path, "text", "emoji" if kind == "plain_text" else "verbatim"):
            self.length(value["text"], f"{path}/text", most)

    def one_of(self, item: Json, path: str, name: str, allowed: Iterable[object]) -> None:
        if name in item and item[name] not in set(allowed):
            self.add(f"must be one of {', '.join(str(one) for one in allowed)}", f"{path}/{name}")

    def flag(self, item: Json, path: str, *names: str) -> None:
        for name in names:
            if name in item and not isinstance(item[name], bool):
                self.add("must be a boolean", f"{path}/{name}")

    def number(self, item: Json, path: str, name: str, least: int, most: int) -> None:
        value = item.get(name)
        if value is not None and not (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        ):
            self.add(f"must be an integer from {least} to {most}", f"{path}/{name}")


ANY_TEXT = ("mrkdwn", "plain_text")
