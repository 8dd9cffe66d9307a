"""What happens to a company's rows, at random: written as a sync writes them, with their history."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import schema
from storage.history import Change, History
from storage.memberships import follow_teams
from storage.merges import repoint

START = date(2017, 7, 1)
NOW = datetime(2018, 6, 1, tzinfo=UTC)

Row = dict[str, Any]


class Life:
    """Changes rows of one workspace at random; each call is what one page says."""

    def __init__(self, workspace_id: str, seed: int) -> None:
        self.workspace_id = workspace_id
        self.random = Random(seed)  # noqa: S311 (nothing secret)
        self.now = NOW

    def page(self, connection: Connection, today: date, most: int = 4) -> list[Change]:
        """A few rows changed, and what changed."""
        self.now += timedelta(hours=1)
        changes: list[Change] = []
        for _ in range(self.random.randint(1, most)):
            changes += self.random.choice(self._deeds())(connection, today)
        History(self.workspace_id, "files", uuid.uuid4().hex).write(connection, changes, self.now)
        return changes

    def _deeds(self) -> Sequence[Callable[[Connection, date], list[Change]]]:
        often = [self._deal] * 6 + [self._new_deal] * 2 + [self._lead] * 2
        return (*often, self._customer, self._contract, self._purchase, self._move, self._merge)

    def _deal(self, connection: Connection, _today: date) -> list[Change]:
        return self._change(connection, schema.deal, self._deal_values(connection))

    def _new_deal(self, connection: Connection, _today: date) -> list[Change]:
        row = dict.fromkeys(schema.deal.c.keys()) | {
            "workspace_id": self.workspace_id,
            "id": (name := f"deal:{uuid.UUID(int=self.random.getrandbits(128))}"),
            "source": self.random.choice(["files", "other"]),
            "ext_id": name,
            "payload_hash": "x",
            "name": name,
            "first_seen_at": self.now,
            "currency": "EUR",
            "created_seen": False,
            "status": "open",
            "created_on": self._day(),
        }
        for _ in range(4):
            row |= self._deal_values(connection)
        connection.execute(sa.insert(schema.deal).values(row))
        return [Change("deal", None, row)]

    def _deal_values(self, connection: Connection) -> Row:
        worth = self.random.choice([None, 0, 7, 1_000])
        return self.random.choice(
            [
                {"status": "won", "closed_on": self._day()},
                {"status": "won", "closed_on": self._maybe(self._day())},
                {"status": self.random.choice(["lost", "dormant"]), "closed_on": self._day()},
                {"status": "open", "closed_on": None},
                {"created_on": self._maybe(self._day())},
                {"amount_minor": worth, "value_minor": self.random.choice([worth, worth, None])},
                {"owner_id": self._one(connection, schema.person)},
                {"customer_id": self._one(connection, schema.customer)},
                {"product_id": self._one(connection, schema.product)},
                {"stage_id": self._one(connection, schema.stage)},
                {"lead_id": self._one(connection, schema.lead)},
                {"kind": self.random.choice([None, None, "new", "upsell"])},
                {"segment": self.random.choice([None, "B2B", "B2C"])},
                {"origin": self.random.choice([None, "B2B", "Ads"])},
                {"deleted_at": self.random.choice([None, self.now])},
            ]
        )

    def _lead(self, connection: Connection, _today: date) -> list[Change]:
        values: list[Row] = [
            {"created_on": self._maybe(self._day())},
            {"qualified_on": self._maybe(self._day())},
            {"qualified": self.random.choice([None, True, False])},
            {"converted": self.random.choice([None, True]), "converted_on": self._maybe(self._day())},
            {"owner_id": self._one(connection, schema.person)},
            {"customer_id": self._one(connection, schema.customer)},
            {"origin": self.random.choice([None, "Ads"])},
            {"deleted_at": self.random.choice([None, self.now])},
        ]
        return self._change(connection, schema.lead, self.random.choice(values))

    def _customer(self, connection: Connection, _today: date) -> list[Change]:
        values = {"segment": self.random.choice([None, "B2B", "B2C"]), "origin": self.random.choice([None, "Ads"])}
        return self._change(connection, schema.customer, values)

    def _contract(self, connection: Connection, _today: date) -> list[Change]:
        gone = self.random.choice([None, self.now])
        values: list[Row] = [{"ends_on": self._maybe(self._day())}, {"deleted_at": gone}]
        return self._change(connection, schema.contract, self.random.choice(values))

    def _purchase(self, connection: Connection, _today: date) -> list[Change]:
        values: list[Row] = [{"purchased_on": self._day()}, {"deleted_at": self.random.choice([None, self.now])}]
        return self._change(connection, schema.purchase, self.random.choice(values))

    def _move(self, connection: Connection, today: date) -> list[Change]:
        teams = {self._an_id(connection, schema.person): self._an_id(connection, schema.team)}
        return follow_teams(connection, self.workspace_id, teams, today, self.now)

    def _merge(self, connection: Connection, _today: date) -> list[Change]:
        """A customer or a lead is taken over by another."""
        table = self.random.choice([schema.customer, schema.lead])
        loser, survivor = self._one(connection, table), self._one(connection, table)
        if loser is None or survivor is None or loser == survivor:
            return []
        gone = {"deleted_at": self.now, "merged_into": survivor}
        return [
            *self._change(connection, table, gone, loser),
            *repoint(connection, self.workspace_id, table.name, {loser}, 1000),
        ]

    def _change(
        self, connection: Connection, table: sa.Table, values: Mapping[str, Any], row_id: str | None = None
    ) -> list[Change]:
        row_id = row_id or self._one(connection, table)
        this = (table.c.workspace_id == self.workspace_id, table.c.id == row_id)
        before = connection.execute(sa.select(table).where(*this)).mappings().one_or_none()
        if before is None:
            return []
        connection.execute(sa.update(table).where(*this).values(**values))
        return [Change(table.name, dict(before), dict(before) | dict(values))]

    def _one(self, connection: Connection, table: sa.Table) -> str | None:
        ids = connection.scalars(
            sa.select(table.c.id).where(table.c.workspace_id == self.workspace_id).order_by(table.c.id)
        ).all()
        return self.random.choice([None, *ids]) if ids else None

    def _an_id(self, connection: Connection, table: sa.Table) -> str:
        found = None
        while found is None:
            found = self._one(connection, table)
        return found

    def _day(self) -> date:
        return START + timedelta(days=self.random.randrange(300))

    def _maybe(self, day: date) -> date | None:
        return self.random.choice([None, day, day])
