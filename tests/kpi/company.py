"""A small company written straight into the tables: the pleasant way to make data for a test.

    company = Company()
    anna = company.person("Anna", team=company.team("North"))
    company.deal(created="2017-09-04", won="2017-09-20", amount=100_00, owner=anna)
    company.save(database)

Days are ISO texts or dates; amounts are minor units; every method gives the id of the row.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from storage import schema
from storage.database import insert, writing
from storage.rates import VALUED, Rates

WORKSPACE = "w1"
SEEN = datetime(2020, 1, 1, tzinfo=UTC)

Day = str | date | None


def day(value: Day) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


class Company:
    def __init__(
        self,
        workspace_id: str = WORKSPACE,
        *,
        currency: str = "EUR",
        fiscal_start_month: int = 1,
        visibility: str = "team",
        source: str = "files",
    ) -> None:
        self.workspace_id = workspace_id
        self.currency = currency
        self.source = source
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._numbers: dict[str, int] = {}
        self._row(
            "workspace",
            name="Test",
            time_zone="Europe/Paris",
            currency=currency,
            language="en",
            fiscal_start_month=fiscal_start_month,
            visibility=visibility,
            created_at=SEEN,
        )

    def save(self, engine: Engine) -> "Company":
        """Write everything in one transaction; every amount gets its value by the rates."""
        with writing(engine) as connection:
            if "rate" in self.rows:
                connection.execute(insert(connection, schema.rate), self.rows["rate"])
            rates = Rates.read(connection, self.workspace_id, self.currency)
            for name, rows in self.rows.items():
                if name == "rate":
                    continue
                if name in VALUED:
                    for row in rows:
                        row["value_minor"] = rates.value_of(name, row)
                connection.execute(insert(connection, getattr(schema, name)), rows)
        return self

    def team(self, name: str, *, parent: str | None = None, manager: str | None = None) -> str:
        return self._sourced("team", name=name, parent_id=parent, manager_id=manager)

    def person(self, name: str, *, team: str | None = None, email: str | None = None, region: str | None = None) -> str:
        person_id = self._sourced("person", name=name, email=email, region=region, active=True)
        if team is not None:
            self.member(person_id, team)
        return person_id

    def member(self, person: str, team: str, *, starts: Day = date.min, ends: Day = None) -> None:
        """`person` is in `team` from `starts` until the day before `ends`."""
        starts_on, ends_on = day(starts), day(ends)
        self._row(
            "membership", person_id=person, team_id=team, starts_on=starts_on, ends_on=ends_on, first_seen_at=SEEN
        )

    def customer(
        self, name: str, *, segment: str | None = None, origin: str | None = None, region: str | None = None
    ) -> str:
        return self._sourced("customer", name=name, segment=segment, origin=origin, region=region)

    def product(self, name: str) -> str:
        return self._sourced("product", name=name)

    def pipeline(self, name: str) -> str:
        return self._sourced("pipeline", name=name)

    def stage(self, name: str, *, pipeline: str | None = None, position: int = 0, status: str = "open") -> str:
        return self._sourced("stage", name=name, pipeline_id=pipeline, position=position, status=status)

    def deal(
        self,
        *,
        created: Day = None,
        won: Day = None,
        lost: Day = None,
        slept: Day = None,
        status: str | None = None,
        closed: Day = None,
        amount: int | None = None,
        currency: str | None = None,
        customer: str | None = None,
        owner: str | None = None,
        product: str | None = None,
        pipeline: str | None = None,
        stage: str | None = None,
        lead: str | None = None,
        segment: str | None = None,
        origin: str | None = None,
        kind: str | None = None,
        deleted: bool = False,
        source: str | None = None,
        created_seen: bool = False,
    ) -> str:
        """A deal, open unless `won`, `lost` or `slept` (dormant) says the day on which it was closed."""
        said = {"won": won, "lost": lost, "dormant": slept}
        told = status or next((name for name, value in said.items() if value is not None), "open")
        return self._sourced(
            "deal",
            source=source,
            deleted=deleted,
            name=f"Deal {len(self.rows.get('deal', ())) + 1}",
            status=told,
            raw_status=None,
            kind=kind,
            customer_id=customer,
            owner_id=owner,
            product_id=product,
            pipeline_id=pipeline,
            stage_id=stage,
            lead_id=lead,
            segment=segment,
            origin=origin,
            amount_minor=amount,
            currency=currency or self.currency,
            created_on=day(created),
            created_seen=created_seen,
            created_at=None,
            closed_on=day(closed or said.get(told)),
            closed_at=None,
        )

    def lead(
        self,
        *,
        created: Day = None,
        qualified_on: Day = None,
        qualified: bool | None = None,
        inbound: bool | None = None,
        converted: bool | None = None,
        converted_on: Day = None,
        customer: str | None = None,
        owner: str | None = None,
        segment: str | None = None,
        origin: str | None = None,
        deleted: bool = False,
        source: str | None = None,
    ) -> str:
        return self._sourced(
            "lead",
            source=source,
            deleted=deleted,
            name=f"Lead {len(self.rows.get('lead', ())) + 1}",
            created_on=day(created),
            created_at=None,
            qualified_on=day(qualified_on),
            qualified=qualified,
            inbound=inbound,
            converted=converted,
            converted_on=day(converted_on),
            customer_id=customer,
            owner_id=owner,
            segment=segment,
            origin=origin,
        )

    def contract(
        self,
        customer: str,
        starts: Day,
        ends: Day = None,
        *,
        amount: int | None = None,
        deleted: bool = False,
    ) -> str:
        """A contract from `starts` to `ends`, both included; open without `ends`."""
        return self._sourced(
            "contract",
            deleted=deleted,
            customer_id=customer,
            starts_on=day(starts),
            ends_on=day(ends),
            amount_minor=amount,
            currency=self.currency,
        )

    def purchase(
        self,
        customer: str,
        on: Day,
        amount: int | None = None,
        *,
        currency: str | None = None,
        product: str | None = None,
        deleted: bool = False,
    ) -> str:
        return self._sourced(
            "purchase",
            deleted=deleted,
            customer_id=customer,
            purchased_on=day(on),
            product_id=product,
            amount_minor=amount,
            currency=currency or self.currency,
        )

    def spend(
        self,
        amount: int,
        starts: Day,
        ends: Day,
        *,
        kind: str = "marketing",
        origin: str | None = None,
        currency: str | None = None,
        deleted: bool = False,
    ) -> str:
        """An amount spread over the days from `starts` to `ends`, both included."""
        return self._sourced(
            "spend",
            deleted=deleted,
            kind=kind,
            starts_on=day(starts),
            ends_on=day(ends),
            origin=origin,
            amount_minor=amount,
            currency=currency or self.currency,
        )

    def rate(self, base: str, rate: str, starts: Day, *, currency: str | None = None) -> str:
        """From this day on, 1 `base` is `rate` of `currency` (else the company's)."""
        return self._sourced(
            "rate", base=base, currency=currency or self.currency, starts_on=day(starts), rate=Decimal(rate)
        )

    def changed(self, deal: str, field: str, old: str | None, new: str | None, seen: datetime) -> None:
        """One row of change history of a deal."""
        self._row(
            "change",
            id=self._id("change"),
            source=self.source,
            object="deal",
            object_id=deal,
            field=field,
            old=old,
            new=new,
            seen_at=seen,
        )

    def synced(self, object_name: str, at: datetime, *, source: str | None = None) -> None:
        """The source's objects were read to their end at this moment."""
        self._row("cursor", source=source or self.source, object=object_name, position="{}", complete_at=at)

    def _sourced(self, table: str, *, source: str | None = None, deleted: bool = False, **values: Any) -> str:
        row_id = self._id(table)
        self._row(
            table,
            id=row_id,
            source=source or self.source,
            ext_id=row_id,
            modified_at=None,
            payload_hash="x",
            first_seen_at=SEEN,
            deleted_at=SEEN if deleted else None,
            **values,
        )
        return row_id

    def _id(self, table: str) -> str:
        self._numbers[table] = self._numbers.get(table, 0) + 1
        return f"{table}:{self._numbers[table]}"

    def _row(self, table: str, **values: Any) -> None:
        self.rows.setdefault(table, []).append({"workspace_id": self.workspace_id, **values})
