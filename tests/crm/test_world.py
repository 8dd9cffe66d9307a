"""The world in which the fakes live keeps its own promises."""

import json
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import pytest

from tests.crm.world import Crm, Fault, serving


class Plain(Crm):
    source: ClassVar[str] = "plain"

    def options(self) -> dict[str, Any]:
        return {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"names": [thing["name"] for thing in self.visible("customer")]})


@pytest.fixture
def crm() -> Plain:
    return Plain()


def names(crm: Crm) -> list[str]:
    return [thing["name"] for thing in crm.visible("customer") if thing.deleted is None]


def test_of_two_writings_of_one_moment_the_last_is_seen(crm: Plain) -> None:
    customer = crm.create("customer", name="A")
    crm.edit("customer", customer, name="B")
    assert names(crm) == ["B"]


def test_what_is_written_late_carries_its_moment_and_shows_later(crm: Plain) -> None:
    with crm.late(timedelta(minutes=2)):
        customer = crm.create("customer", name="A")
    written = crm.now
    assert names(crm) == []
    crm.tick(120)
    assert names(crm) == ["A"]
    assert crm.visible("customer")[0].modified == written
    crm.edit("customer", customer, name="B")
    assert names(crm) == ["B"]


def test_what_named_a_merged_row_names_the_one_that_remains_also_when_it_comes_back(crm: Plain) -> None:
    first, second, third = (crm.create("customer", name=name) for name in "ABC")
    deal, other = (crm.create("deal", name="D", customer=first) for _ in range(2))
    crm.delete("deal", other)
    crm.merge("customer", first, second)
    crm.merge("customer", second, third)
    crm.restore("deal", other)
    assert {crm.get("deal", each)["customer"] for each in (deal, other)} == {third}
    assert names(crm) == ["C"]


def test_a_deal_keeps_its_closing_moment_until_it_opens_again(crm: Plain) -> None:
    won, lost, open_ = (crm.stages(status=status)[0].id for status in ("won", "lost", "open"))
    deal = crm.create("deal", name="D")
    crm.tick(10)
    crm.move(deal, won)
    closed = crm.now
    crm.tick(10)
    crm.move(deal, crm.stages(status="won")[1].id)
    assert crm.get("deal", deal)["closed"] == closed
    crm.move(deal, lost)
    assert crm.get("deal", deal)["closed"] == crm.now
    crm.move(deal, open_)
    assert crm.get("deal", deal)["closed"] is None


def test_behind_a_socket_answers_and_faults_are_the_same(crm: Plain) -> None:
    crm.create("customer", name="A")
    with serving(crm) as address, httpx.Client(base_url=address) as client:
        answer = client.get("/")
        assert answer.json() == {"names": ["A"]}
        assert answer.headers["date"] == "Mon, 05 Jan 2026 08:00:00 GMT"
        crm.faults.extend([Fault("half"), Fault("cut"), Fault(429, {"retry-after": "3"})])
        with pytest.raises(json.JSONDecodeError):
            client.get("/").json()
        with pytest.raises(httpx.TransportError):
            client.get("/")
        assert client.get("/").headers["retry-after"] == "3"
    assert len(crm.requests) == 4
