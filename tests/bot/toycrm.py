"""A little CRM whose life a test writes, and its connector: what the sync job and the webhooks are tried with."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from bot.conversation import Context
from bot.views import sources as sentences
from storage import records, sources
from storage.connectors.base import (
    Account,
    Connector,
    Declaration,
    Hint,
    Knock,
    NotGenuineError,
    Opening,
    Suggestion,
    Walk,
)
from storage.connectors.http import Limits
from storage.database import writing
from storage.records import Page, Position
from storage.sources import Source
from storage.vault import Vault
from storage.workspaces import SINGLE

KEY = "oS3yBDuQnZ9zH9oM5g1YyqTfRzV7bV0nq3qF6p0m2bI="
DEALS = Walk(object="deal", key="modified", look_back=timedelta(0))
PAGE = 2


class ToyOptions(BaseModel):
    company: str
    token: SecretStr = SecretStr("hush")


@dataclass
class ToyCrm:
    """Deals by id; `between` is called before each page, and may raise what a CRM's accident raises."""

    deals: dict[str, records.Deal] = field(default_factory=dict)
    between: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    """What was asked: `list`, `changes`, `read d1`."""
    opened: list[Opening] = field(default_factory=list)

    def sell(self, ext_id: str, at: datetime, **values: Any) -> None:
        """A deal is created or changed at a moment."""
        told = {"name": ext_id, "status": "open", "amount_minor": 100_000, "created": at} | values
        self.deals[ext_id] = records.Deal(ext_id=ext_id, modified=at, **told)


@dataclass
class Toy:
    crm: ToyCrm
    opening: Opening
    source: str
    walks: Sequence[Walk] = (DEALS,)
    spent: int = 0

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        ids = sorted(self.crm.deals)
        if not position.listing:
            since = position.since
            ids = [each for each in ids if since is None or (self.crm.deals[each].modified or since) >= since]
        ids = [each for each in ids if each > position.token]
        while True:
            self._ask("list" if position.listing else "changes")
            here, ids = ids[:PAGE], ids[PAGE:]
            after = replace(position, token=here[-1] if here else "") if ids else position.done()
            found = [self.crm.deals[each] for each in here]
            yield Page(object="deal", records=found, position=after, listing=position.listing, last=not ids)
            if not ids:
                return
            position = after

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        self._ask(f"read {' '.join(ext_ids)}")
        found = [self.crm.deals[each] for each in ext_ids if each in self.crm.deals]
        gone = [records.Gone(object=object_, ext_id=each) for each in ext_ids if each not in self.crm.deals]
        return Page(object=object_, records=found, gone=gone)

    def suggestions(self) -> Sequence[Suggestion]:
        return ()

    def _ask(self, what: str) -> None:
        self.spent += 1
        self.crm.asked.append(what)
        self.crm.between()


def _hints(knock: Knock, options: Any, now: datetime) -> list[Hint]:
    if knock.headers.get("x-toy") != f"{options.token.get_secret_value()} {knock.url}":
        raise NotGenuineError("wrong signature")
    return [Hint(each["event"], "deal", each["id"]) for each in json.loads(knock.body)]


def declare(monkeypatch: pytest.MonkeyPatch, **crms: ToyCrm) -> None:
    """Let these be the CRMs that Vigie has connectors for, by source."""

    def declaration(name: str, crm: ToyCrm) -> Declaration:
        def open_(opening: Opening) -> Connector:
            crm.opened.append(opening)
            return Toy(crm, opening, name)

        return Declaration(
            source=name,
            title=f"{name.title()} CRM",
            options=ToyOptions,
            walks=(DEALS,),
            limits=lambda _: Limits(base_url="https://toy.example"),
            open=open_,
            check=lambda _: Account("Toys"),
            hints=None if name == "deaf" else _hints,
        )

    declared = tuple(declaration(name, crm) for name, crm in sorted(crms.items()))
    monkeypatch.setattr(sources, "declarations", lambda: declared)
    monkeypatch.setattr(sentences, "declarations", lambda: declared)


def connect(context: Context, name: str = "toy", workspace_id: str = SINGLE) -> Source:
    now, vault = context.clock.now(), Vault(context.settings.vault_keys)
    with writing(context.engine) as connection:
        return sources.connect(connection, workspace_id, name, ToyOptions(company="acme"), vault, account="A", now=now)
