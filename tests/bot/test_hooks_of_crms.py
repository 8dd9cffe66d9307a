"""A deal is won in a CRM, its webhook knocks, and within one tick Vigie counts it: for every CRM that has webhooks."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import sync, turn
from bot.slack import Slack
from storage import sources
from storage.database import reading, writing
from storage.schema import deal
from storage.vault import Vault
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.test_hooks import Door, settings
from tests.bot.test_loop import Hurried
from tests.crm.hubspot import HubSpot
from tests.crm.koban import Koban
from tests.crm.pipedrive import Pipedrive
from tests.crm.world import Crm, Fault

CRMS = (HubSpot, Koban, Pipedrive)


@pytest.fixture(params=CRMS, ids=lambda kind: kind.source)
def crm(request: pytest.FixtureRequest) -> Crm:
    found: Crm = request.param()
    for number in range(3):
        found.create("deal", name=f"Deal {number}", amount=Decimal(1000))
        found.tick(60)
    return found


@pytest.fixture
def context(database: Engine, crm: Crm) -> Iterator[Context]:
    ensure_workspace(database, now=crm.now, time_zone="Europe/Paris", currency="EUR", language="en")
    slack = Slack("xoxb-none", "http://127.0.0.1:9/api/")
    knock = crm.knock("deal", crm.latest("deal")[0].id, "1")
    assert knock is not None
    public = "https://" + urlsplit(knock.url).netloc
    found = Context(database, FixedClock(crm.now), slack, settings(public_url=public))
    options = sources.declared(crm.source).options.model_validate(crm.options())
    vault = Vault(found.settings.vault_keys)
    with writing(database) as connection:
        sources.connect(connection, SINGLE, crm.source, options, vault, account="", now=crm.now)
    yield found
    slack.close()


def statuses(context: Context) -> list[str]:
    with reading(context.engine) as connection:
        return sorted(connection.scalars(sa.select(deal.c.status).where(deal.c.deleted_at.is_(None))))


def test_a_won_deal_counts_within_one_tick_of_its_webhook(crm: Crm, context: Context) -> None:
    sync.run(context, Hurried(), crm.transport())
    assert statuses(context) == ["open"] * 3
    crm.tick(timedelta(minutes=1))
    assert isinstance(context.clock, FixedClock)
    context.clock.move(crm.now - context.clock.now())
    won = crm.latest("deal")[1].id
    crm.move(won, crm.stages(status="won")[0].id)
    crm.tick(1)
    asked = len(crm.requests)
    knock = crm.knock("deal", won, "77")
    assert knock is not None
    door = Door(context)
    parts = urlsplit(knock.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    forged = dict(knock.headers) | {"authorization": "Basic Z3Vlc3M6Z3Vlc3M=", "x-hubspot-signature-v3": "guess"}
    assert door.send(knock.body, path.replace("hush", "guess") + "x", forged).status_code in {401, 404}
    assert door.send(knock.body, path, dict(knock.headers)).status_code == 200
    assert door.send(knock.body, path, dict(knock.headers)).status_code == 200
    door.hooks.close()
    assert len(crm.requests) == asked, "a knock asks the CRM nothing: the next tick does"
    sync.run(context, Hurried(), crm.transport())
    assert statuses(context) == ["open", "open", "won"]


@pytest.mark.parametrize("crm", [HubSpot], indirect=True)
def test_a_crm_that_asks_to_wait_a_minute_holds_no_thread(crm: Crm, context: Context) -> None:
    crm.faults.append(Fault(429, {"retry-after": "60"}))
    waits: list[float] = []

    class Watched(Hurried):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return super().wait(timeout)

    sync.run(context, Watched(), crm.transport())
    assert max(waits, default=0) <= turn.LONGEST_WAIT
    assert statuses(context) == []
    with reading(context.engine) as connection:
        source = sources.read(connection, SINGLE, crm.source)
    assert source is not None
    wait = source.due_at - context.clock.now()
    assert timedelta(seconds=60) <= wait <= timedelta(seconds=90)
    assert source.failures == 0
    assert isinstance(context.clock, FixedClock)
    context.clock.move(wait)
    sync.run(context, Hurried(), crm.transport())
    assert statuses(context) == ["open"] * 3
