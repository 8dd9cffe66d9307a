"""`vigie sync` over connected sources, as a person runs it."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result

from storage import leases
from storage.connectors.http import BudgetError
from storage.database import open_engine
from storage.workspaces import SINGLE
from tests.crm.toy import Toy, ToyCrm
from tests.crm.world import Fault

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def connected(run: Run, crm: ToyCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy is connected, and its clock is right."""
    monkeypatch.setenv("COLUMNS", "200")
    crm.now = datetime.now(UTC) - timedelta(hours=1)
    given = ("--set", "company=acme", "--set", "token=env:TOY_TOKEN")
    assert run("connect", "toy", *given, "--yes").exit_code == 0


def flat(result: Result) -> str:
    return " ".join(result.output.replace("\u202f", " ").replace("\xa0", " ").split())


def row(result: Result, name: str) -> list[str]:
    """The numbers of one line of the report."""
    return next(line.split()[1:] for line in result.output.splitlines() if line.startswith(name))


def ask(tmp_path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(tmp_path / "vigie.sqlite3")) as connection:
        return connection.execute(sql).fetchall()


def test_the_report_says_what_came_what_changed_what_went_and_what_it_cost(run: Run, crm: ToyCrm) -> None:
    first = run("sync", "--once")
    assert first.exit_code == 0, first.output
    assert row(first, "deals") == ["12", "12", "0", "0", "0"]
    assert "7 requests sent." in first.output
    again = run("sync", "--once", "--lang", "fr")
    assert "Rien n’a changé depuis la dernière synchronisation." in again.output
    deals = [thing.id for thing in crm.visible("deal")]
    crm.now = datetime.now(UTC)
    crm.edit("deal", deals[0], amount=Decimal(1))
    crm.edit("deal", deals[1], name="Other")
    crm.delete("deal", deals[2])
    changed = run("sync", "--source", "TOY", "--once")
    assert row(changed, "deals")[2:4] == ["2", "1"]


def test_a_full_sync_compares_month_by_month_and_says_that_nothing_differs(run: Run) -> None:
    run("sync", "--once")
    full = run("sync", "--full", "--once")
    assert "Compared with Toy CRM: the same deals, the same amounts, month by month." in full.output


def test_too_many_rows_that_vanish_are_kept_and_told_with_the_months_that_differ(run: Run, crm: ToyCrm) -> None:
    run("sync", "--once")
    for thing in crm.visible("deal")[:6]:
        crm._versions["deal"].pop(thing.id)  # noqa: SLF001 - the listing lacks them, and no delete was told
    full = run("sync", "--full", "--once")
    assert full.exit_code == 1
    assert "Deals: 6 of 12 are suddenly no longer listed" in flat(full)
    assert "Deals created in January 2026: €85,180.50 here, €70,366.50 in Toy CRM." in flat(full)
    french = run("sync", "--full", "--once", "--lang", "fr")
    assert "Affaires créées en janvier 2026 : 85 180,50 € ici, 70 366,50 € dans Toy CRM." in flat(french)


def test_a_refused_source_is_a_sentence_and_is_left_alone_until_it_is_connected_again(run: Run, crm: ToyCrm) -> None:
    crm.faults.append(Fault(401))
    refused = run("sync", "--once")
    assert refused.exit_code == 1
    assert "Toy CRM refuses the credentials, or they lack a right: run “vigie connect toy” again." in flat(refused)
    assert "GET /toy: 401" in refused.output
    again = run("sync", "--once")
    assert again.exit_code == 2
    assert "Toy CRM: refused since" in flat(again)
    assert run("connect", "toy", "--yes").exit_code == 0
    assert run("sync", "--once").exit_code == 0


def test_a_source_that_does_not_answer_is_a_sentence_and_is_tried_again(run: Run, crm: ToyCrm) -> None:
    crm.faults.append(Fault("timeout"))
    silent = run("sync", "--once", "--lang", "fr")
    assert silent.exit_code == 1
    assert "Toy CRM ne répond pas" in flat(silent)
    assert run("sync", "--once").exit_code == 0


def test_a_spent_budget_says_when_the_sync_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    until = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)

    def spent(_toy: Toy) -> None:
        raise BudgetError("GET /toy", until)

    monkeypatch.setattr(Toy, "_ask", spent)
    result = run("sync", "--once")
    assert result.exit_code == 1
    assert "the sync goes on after 24 Nov 2026 at 01:30." in flat(result)


def test_a_spent_budget_is_told_also_where_an_object_waits(
    run: Run, crm: ToyCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sync", "--once")
    for thing in crm.visible("deal")[:6]:
        crm._versions["deal"].pop(thing.id)  # noqa: SLF001 - the listing lacks them, and no delete was told
    run("sync", "--full", "--once")

    def spent(_toy: Toy) -> None:
        raise BudgetError("GET /toy", datetime(2026, 11, 24, 0, 30, tzinfo=UTC))

    monkeypatch.setattr(Toy, "_ask", spent)
    result = run("sync", "--once")
    assert "suddenly no longer listed" in flat(result)
    assert "the sync goes on after 24 Nov 2026 at 01:30." in flat(result)


def test_a_source_that_another_run_holds_is_left_to_it(run: Run, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'vigie.sqlite3'}")
    leases.take(engine, SINGLE, "sync:toy", "another")
    engine.dispose()
    busy = run("sync", "--once")
    assert busy.exit_code == 1
    assert "Toy CRM is being synced by another run; if that was killed, its place is free after" in flat(busy)


def test_secrets_that_no_key_opens_are_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_KEYS", "A" * 43 + "=")
    result = run("sync", "--once")
    assert result.exit_code == 1
    assert "The secrets of Toy CRM cannot be read with the keys in VIGIE_KEYS" in flat(result)
    monkeypatch.delenv("VIGIE_KEYS")
    assert "cannot be read with the keys in VIGIE_KEYS" in flat(run("sync", "--once"))


def test_what_cannot_be_synced_is_a_sentence_that_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert "did you mean “toy”?" in run("sync", "--source", "tou", "--once").output
    run("disconnect", "toy")
    stopped = run("sync", "--once")
    assert stopped.exit_code == 2
    assert "Toy CRM: disconnected since" in stopped.output
    (tmp_path / "vigie.sqlite3").unlink()
    nothing = run("sync")
    assert nothing.exit_code == 2
    assert "Nothing is connected yet: run “vigie connect”" in nothing.output


def test_a_round_in_which_one_source_fails_reads_the_others(run: Run, crm: ToyCrm, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "vigie.sqlite3")) as connection, connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(source)")]
        copied = ", ".join("'hubspot'" if name == "source" else name for name in columns)
        connection.execute(f"INSERT INTO source SELECT {copied} FROM source")  # noqa: S608 - names of the schema
    result = run("sync", "--once")
    assert result.exit_code == 1
    assert "The secrets of HubSpot cannot be read" in flat(result)
    assert row(result, "deals")[:2] == ["12", "12"]


def test_without_once_it_goes_on_until_it_is_told_to_stop(run: Run, crm: ToyCrm, tmp_path: Path) -> None:
    seen = 0

    def interrupt() -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            os.kill(os.getpid(), signal.SIGINT)

    crm.between = interrupt
    stopped = run("sync")
    assert stopped.exit_code == 0, stopped.output
    assert "Stopping after this page" in stopped.output
    assert "Toy CRM was not read to its end: the next sync goes on from there." in stopped.output
    assert "Stopped. What was read is kept" in stopped.output
    assert ask(tmp_path, "SELECT outcome FROM run") == [("partial",)]
    assert ask(tmp_path, "SELECT count(*) FROM lease") in ([(0,)], [(1,)])
    crm.between = lambda: None
    on = run("sync", "--once")
    assert on.exit_code == 0
    assert ask(tmp_path, "SELECT count(*) FROM deal WHERE deleted_at IS NULL") == [(12,)]


def test_between_two_rounds_it_says_when_the_next_one_is(
    run: Run, crm: ToyCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.cli import syncing

    class Impatient(syncing.Event):
        """Time that passes at once; at the second pause somebody presses Ctrl-C."""

        pauses = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == 300
            Impatient.pauses += 1
            if Impatient.pauses == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return self.is_set()

    monkeypatch.setattr(syncing, "Event", Impatient)
    result = run("sync")
    assert result.exit_code == 0, result.output
    assert result.output.count("Next sync:") == 2
    assert "Nothing has changed since the last sync." in result.output
    assert "Stopping after this page" not in result.output


def test_a_fault_that_nobody_foresaw_is_a_sentence_and_a_line_of_the_log(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_toy: Toy) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Toy, "_ask", broken)
    result = run("sync", "--once")
    assert result.exit_code == 1
    assert "The sync of Toy CRM failed (ZeroDivisionError): it is tried again." in flat(result)
    assert "sync_failed source=toy" in result.stderr


def test_rows_of_a_crm_in_quarantine_are_told_by_its_name_and_their_ids_once(run: Run, tmp_path: Path) -> None:
    run("sync", "--once")
    with closing(sqlite3.connect(tmp_path / "vigie.sqlite3")) as connection, connection:
        for number in range(5):
            values = ("toy", "deal", f"deal {number}", f"{number}", json.dumps({"column": "amount", "said": "much"}))
            connection.execute(
                "INSERT INTO quarantine (workspace_id, id, source, object, place, ext_id, field, reason, details,"
                " payload, kept, first_seen_at) VALUES ('main', ?, ?, ?, ?, ?, 'amount', 'amount_unreadable', ?,"
                " '{}', 0, '2026-11-01 00:00:00')",
                (f"q{number}", *values),
            )
    french = run("quarantine", "--lang", "fr").output.replace("\u202f", " ")
    assert "  Toy CRM 0 (affaires)\n  Toy CRM 1 (affaires)\n  Toy CRM 2 (affaires)\n" in french
    assert french.count("n’est pas un montant") == 1
    assert "et 2 autres lignes : 3, 4" in french
