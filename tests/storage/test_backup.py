"""Backups of the embedded database: whole or not at all, also when killed half-way."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import inbox, leases, outbox, schema
from storage.backup import BackupProblemError, backup, check, restore
from storage.database import open_engine, reading, writing
from storage.migrate import upgrade
from storage.workspaces import SINGLE, ensure_workspace

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def name_of(path: Path) -> str:
    """What the workspace of this database is called: which of two states it is in."""
    with closing(sqlite3.connect(path)) as connection:
        [(name,)] = connection.execute("SELECT name FROM workspace").fetchall()
    return str(name)


def letters(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT dedupe, state FROM letter"))


def rename(url: str, name: str) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(sa.update(schema.workspace).values(name=name))
    engine.dispose()


def post(url: str, dedupe: str, state: str) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        outbox.put(
            connection,
            workspace_id=SINGLE,
            dedupe=dedupe,
            kind="digest",
            channel_id="C1",
            payload={},
            now=NOW,
            state=state,
        )
    engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some thousand rows, in a state called "old"."""
    path = tmp_path_factory.mktemp("made") / "vigie.sqlite3"
    engine = open_engine(url_of(path))
    upgrade(engine)
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")
    change = {"workspace_id": SINGLE, "source": "files", "object": "deal", "field": "name", "seen_at": NOW}
    with writing(engine) as connection:
        rows = [change | {"id": f"{n:05}", "object_id": f"d{n}"} for n in range(20_000)]
        connection.execute(sa.insert(schema.change), rows)
    engine.dispose()
    rename(url_of(path), "old")
    return path


@pytest.fixture
def live(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "vigie.sqlite3"))


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_a_backup_is_one_moment_of_a_database_in_use(live: Path, tmp_path: Path) -> None:
    engine = open_engine(url_of(live))
    with reading(engine) as reader:
        reader.execute(sa.select(schema.workspace)).all()

        def meanwhile(_total: int, _done: int) -> None:
            rename(url_of(live), "written while it was backed up")

        size = backup(url_of(live), tmp_path / "b.backup", progress=meanwhile)
    engine.dispose()
    assert size == (tmp_path / "b.backup").stat().st_size
    assert name_of(tmp_path / "b.backup") == "old"
    assert name_of(live) == "written while it was backed up"
    assert stat.S_IMODE((tmp_path / "b.backup").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["b.backup"]


def test_a_backup_put_back_is_the_database_of_then_and_keeps_that_of_now(live: Path, tmp_path: Path) -> None:
    backup(url_of(live), tmp_path / "b.backup")
    rename(url_of(live), "new")
    restored = restore(url_of(live), tmp_path / "b.backup", now=NOW)
    assert name_of(live) == "old"
    assert restored.kept == tmp_path / "vigie.sqlite3.before-20261123T093000Z"
    assert name_of(restored.kept) == "new"
    assert check(restored.kept) == restored.revision
    again = restore(url_of(live), restored.kept, now=NOW)
    assert again.kept == tmp_path / "vigie.sqlite3.before-20261123T093000Z-2"
    assert name_of(live) == "new"


def test_a_backup_put_back_where_nothing_was_is_the_database(live: Path, tmp_path: Path) -> None:
    backup(url_of(live), tmp_path / "b.backup")
    restored = restore(url_of(tmp_path / "other.sqlite3"), tmp_path / "b.backup", now=NOW)
    assert restored.kept is None
    assert name_of(tmp_path / "other.sqlite3") == "old"


def test_what_was_posted_since_the_backup_is_not_forgotten(live: Path, tmp_path: Path) -> None:
    post(url_of(live), "waiting then, sent now", "pending")
    backup(url_of(live), tmp_path / "b.backup")
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("UPDATE letter SET state = 'sent'")
    post(url_of(live), "planned and sent since", "sent")
    restore(url_of(live), tmp_path / "b.backup", now=NOW)
    assert letters(live) == {"waiting then, sent now": "sent", "planned and sent since": "sent"}
    restore(url_of(tmp_path / "elsewhere.sqlite3"), tmp_path / "b.backup", now=NOW)
    assert letters(tmp_path / "elsewhere.sqlite3") == {"waiting then, sent now": "unknown"}


def test_what_people_asked_is_neither_done_twice_nor_long_after(live: Path, tmp_path: Path) -> None:
    def keep(name: str) -> None:
        engine = open_engine(url_of(live))
        with writing(engine) as connection:
            inbox.put(connection, [inbox.Said(SINGLE, name, "command", "sealed")], "a process of then")
        engine.dispose()

    def said(path: Path) -> list[tuple[str, str, str | None]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT id, state, body FROM inbox ORDER BY id").fetchall()

    keep("1 waits then, done now")
    backup(url_of(live), tmp_path / "b.backup")
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("UPDATE inbox SET state = 'done', body = NULL")
    keep("2 waits now")
    restore(url_of(live), tmp_path / "b.backup", now=NOW)
    assert said(live) == [("1 waits then, done now", "done", None), ("2 waits now", "running", "sealed")]
    restore(url_of(tmp_path / "elsewhere.sqlite3"), tmp_path / "b.backup", now=NOW)
    assert said(tmp_path / "elsewhere.sqlite3") == [("1 waits then, done now", "failed", None)]


def test_nobody_holds_anything_in_a_database_put_back(live: Path, tmp_path: Path) -> None:
    engine = open_engine(url_of(live))
    leases.take(engine, SINGLE, "sync:hubspot", "a run of then")
    engine.dispose()
    backup(url_of(live), tmp_path / "b.backup")
    restore(url_of(live), tmp_path / "b.backup", now=NOW)
    engine = open_engine(url_of(live))
    leases.take(engine, SINGLE, "sync:hubspot", "a run of now")
    engine.dispose()


def test_a_database_in_use_is_not_replaced(live: Path, tmp_path: Path) -> None:
    backup(url_of(live), tmp_path / "b.backup")
    rename(url_of(live), "new")
    engine = open_engine(url_of(live))
    with reading(engine) as connection:
        connection.execute(sa.select(schema.workspace)).all()
    # Nothing is under way, but the pool keeps its connection, as a running Vigie does.
    with pytest.raises(BackupProblemError) as told:
        restore(url_of(live), tmp_path / "b.backup", now=NOW)
    engine.dispose()
    assert told.value.code == "in_use"
    assert name_of(live) == "new"
    assert not list(tmp_path.glob("*before*"))
    assert not list(tmp_path.glob(".*"))


def test_an_existing_file_is_replaced_only_when_asked(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.backup"
    target.write_text("something of mine")
    with pytest.raises(BackupProblemError) as told:
        backup(url_of(live), target)
    assert told.value.code == "exists"
    assert target.read_text() == "something of mine"
    backup(url_of(live), target, replace=True)
    assert name_of(target) == "old"
    with pytest.raises(BackupProblemError) as told:
        backup(url_of(live), live, replace=True)
    assert told.value.code == "same"


def test_what_is_no_sound_backup_is_refused_and_changes_nothing(live: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    backup(url_of(live), whole)
    made = {
        "absent": None,
        "not_database": b"PK\x03\x04 a holiday picture" * 100,
        "damaged": whole.read_bytes()[: whole.stat().st_size // 2],
        "scratched": whole.read_bytes().replace(b"d19999", b"d\x00\xff\x00\xff9").replace(b"change", b"chango", 3),
        "not_vigie": b"",
        "newer": whole.read_bytes(),
    }
    for name, content in made.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with closing(sqlite3.connect(tmp_path / "newer")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    expected = {**{name: name for name in made}, "scratched": "damaged"}
    for name, code in expected.items():
        with pytest.raises(BackupProblemError) as told:
            restore(url_of(live), tmp_path / name, now=NOW)
        assert (name, told.value.code) == (name, code)
    assert name_of(live) == "old"
    assert not list(tmp_path.glob("*before*"))


def test_an_older_backup_is_brought_to_this_version(live: Path, tmp_path: Path) -> None:
    from alembic import command

    from storage.migrate import configuration

    older = open_engine(url_of(tmp_path / "older"))
    with writing(older) as connection:
        command.upgrade(configuration(connection), "0001")
        connection.execute(
            sa.insert(schema.workspace).values(
                workspace_id=SINGLE,
                name="older",
                time_zone="Europe/Paris",
                currency="EUR",
                language="fr",
                fiscal_start_month=1,
                visibility="team",
                created_at=NOW,
            )
        )
    older.dispose()
    assert restore(url_of(live), tmp_path / "older", now=NOW).revision == "0001"
    assert name_of(live) == "older"
    engine = open_engine(url_of(live))
    with reading(engine) as connection:
        assert connection.execute(sa.select(schema.source)).all() == []
    engine.dispose()


@pytest.mark.parametrize("how", ["garbage", "cut"])
def test_a_damaged_database_is_replaced_and_kept_as_it_is(live: Path, tmp_path: Path, how: str) -> None:
    backup(url_of(live), tmp_path / "b.backup")
    wrong = b"\x00garbage" * 5000 if how == "garbage" else live.read_bytes()[:20_000]
    live.write_bytes(wrong)
    restored = restore(url_of(live), tmp_path / "b.backup", now=NOW)
    assert name_of(live) == "old"
    assert restored.kept is not None
    assert restored.kept.read_bytes() == wrong


def test_another_kind_of_database_is_left_to_its_own_tools(tmp_path: Path) -> None:
    for act in (
        lambda: backup("postgresql://vigie@127.0.0.1/vigie", tmp_path / "b"),
        lambda: restore("postgresql://vigie@127.0.0.1/vigie", tmp_path / "b", now=NOW),
    ):
        with pytest.raises(BackupProblemError) as told:
            act()
        assert told.value.code == "not_embedded"


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage import backup
backup.PAGES = 50
at, calls = int(sys.argv[4]), 0
def progress(total, done):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "backup":
    backup.backup(sys.argv[2], Path(sys.argv[3]), progress=progress)
else:
    backup.restore(sys.argv[2], Path(sys.argv[3]), now=datetime(2026, 11, 23, tzinfo=UTC), progress=progress)
print(calls)
"""


def run_killed(action: str, url: str, path: Path, at: int) -> subprocess.CompletedProcess[str]:
    """Back up or restore in a process that kills itself when it is told of progress for the `at`th time."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", KILLED, action, url, str(path), str(at)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_backup_killed_half_way_leaves_no_file_that_passes_for_one(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.backup"
    whole = run_killed("backup", url_of(live), tmp_path / "whole.backup", 0)
    calls = int(whole.stdout)
    assert calls > 10
    for at in (1, calls // 2, calls - 1):
        killed = run_killed("backup", url_of(live), target, at)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not target.exists()
        for left in tmp_path.glob(".b.backup*.part"):
            with pytest.raises(BackupProblemError):
                check(left)
            left.unlink()
    assert name_of(live) == "old"
    backup(url_of(live), target)


def test_a_restore_killed_half_way_leaves_the_old_database(live: Path, tmp_path: Path) -> None:
    backup(url_of(live), tmp_path / "b.backup")
    rename(url_of(live), "new")
    whole = run_killed("restore", url_of(live), tmp_path / "b.backup", 0)
    calls = int(whole.stdout)
    assert name_of(live) == "old"
    # First the copy beside the database is made, then it is put in its place: the kills fall into both halves.
    for at in (calls // 4, 3 * calls // 4, calls - 1):
        rename(url_of(live), "new")
        killed = run_killed("restore", url_of(live), tmp_path / "b.backup", at)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert name_of(live) == "new"
        assert check(live)
    restore(url_of(live), tmp_path / "b.backup", now=NOW)
    assert name_of(live) == "old"
