"""Why an object waits: its data is not confirmed complete until the trouble is over. Codes and values, no sentences."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    DRIFT = "drift"
    """The source no longer tells a field that Vigie rests on, or in another form: `field`."""
    VANISHED = "vanished"
    """A complete listing lacks `count` of the `of` rows known, a fifth or more: they are kept until another agrees."""
    POISON = "poison"
    """`count` of `of` rows could not be read: more than 50, and more than 1 %."""


@dataclass(frozen=True, slots=True)
class Trouble:
    object: str
    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"object": self.object, "code": self.code, "values": dict(self.values)})

    @classmethod
    def from_json(cls, text: str) -> "Trouble":
        read = json.loads(text)
        return cls(read["object"], read["code"], read["values"])
