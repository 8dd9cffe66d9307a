"""A connector that is put beside the real ones for the tests of the command line: `tests.crm.toy`, with a declaration.

The token decides how it is received: `good-…` is let in, `slow-…` never answers, all others are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from storage.connectors.base import Account, Connector, Declaration, Opening
from storage.connectors.http import Limits, RefusedError, UnavailableError
from storage.records import Deal, Record, Stage
from tests.crm.toy import Toy, ToyCrm
from tests.crm.world import Thing

WORLD: list[ToyCrm] = []
"""The life of the CRM under test: the last one."""


Secret = Annotated[SecretStr, Field(min_length=1)]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: SecretStr = Field(description="The API token, under Settings, API.")
    company: str = Field(description="The company's name in its address.", pattern=r"^[a-z]+$")
    webhook_secret: Secret | None = Field(default=None, description="The password of the webhooks.")

    @field_validator("token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if " " in value.get_secret_value():
            raise ValueError("there is a space in it")
        return value


@dataclass
class Decided(Toy):
    """What a person decided about a stage beats the CRM's word."""

    stages: Mapping[str, str] = field(default_factory=dict)

    def _record(self, thing: Thing) -> Record:
        record = super()._record(thing)
        if isinstance(record, Stage) and record.ext_id in self.stages:
            return replace(record, status=self.stages[record.ext_id])
        if isinstance(record, Deal) and record.stage in self.stages:
            return replace(record, status=self.stages[record.stage])
        return record


def _check(opening: Opening) -> Account:
    assert isinstance(opening.options, Options)
    token = opening.options.token.get_secret_value()
    if token.startswith("slow-"):
        raise UnavailableError("GET /me: ReadTimeout")
    if not token.startswith("good-"):
        raise RefusedError("GET /me: 401")
    return Account(f"{opening.options.company.title()} SAS", "EUR", "Europe/Paris")


def _open(opening: Opening) -> Connector:
    return Decided(WORLD[-1], stages=opening.stages)


CONNECTOR = Declaration(
    source="toy",
    title="Toy CRM",
    options=Options,
    walks=Toy(ToyCrm()).walks,
    limits=lambda _options: Limits(base_url="http://toy.test"),
    open=_open,
    check=_check,
    hints=lambda _knock, _options, _now: (),
)
