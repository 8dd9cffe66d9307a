"""The contract of every connector, for files: the exports of a CRM in a folder that is watched."""

import contextlib
import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage import schema
from storage.connectors.base import Connector, declarations
from tests.crm.exported import HEADERS, ExportedCrm
from tests.crm.lives import Killed, opened
from tests.crm.world import Crm
from tests.laws.houses import House
from tests.storage.desk import Desk

FILES = next(each for each in declarations() if each.source == "files")


@pytest.fixture
def desk(database: Engine, tmp_path: Path) -> Desk:
    def open_(crm: Crm) -> Connector:
        return opened(FILES, crm)

    desk = Desk(database, House(lambda: ExportedCrm(tmp_path / "exports"), open_, FILES))
    export(desk)
    return desk


def export(desk: Desk) -> Path:
    """Gives the file of the deals."""
    assert isinstance(desk.crm, ExportedCrm)
    assert desk.crm.folder is not None
    desk.crm.export(desk.crm.folder)
    return desk.crm.folder / "deals.csv"


def test_the_first_load_holds_everything_and_the_second_changes_nothing(desk: Desk) -> None:
    report = desk.sync()
    assert (report.outcome, report.objects["deal"].new) == ("ok", len(desk.deals))
    assert desk.wrong() == []
    held = desk.held()
    desk.crm.tick(3600)
    assert (desk.sync().total.changed, desk.sync(full=True).total.changed) == (0, 0)
    assert desk.held() == held
    assert desk.all(schema.change) == []


def test_what_changed_in_the_files_is_changed_and_nothing_else(desk: Desk) -> None:
    desk.sync()
    desk.crm.tick(timedelta(days=1))
    desk.crm.edit("deal", desk.deals[0], amount=Decimal("7777.77"))
    desk.crm.move(desk.deals[1], desk.crm.stages(status="won")[0].id)
    desk.deal(99)
    export(desk)
    report = desk.sync()
    assert (report.objects["deal"].new, report.objects["deal"].changed) == (1, 2)
    assert desk.wrong() == []


def test_a_deal_that_is_exported_no_more_was_deleted_where_the_folder_holds_everything(desk: Desk) -> None:
    assert not any(walk.tells_deletes or walk.tells_merges for walk in FILES.walks)
    desk.sync()
    desk.crm.tick(3600)
    desk.crm.delete("deal", desk.deals[3])
    export(desk)
    assert desk.sync(full=True).total.deleted == 1
    assert desk.wrong() == []


def test_an_export_without_deals_deletes_nothing(desk: Desk) -> None:
    desk.sync()
    before = desk.held()
    desk.crm.tick(3600)
    with (export(desk)).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(HEADERS["deal"])
    report = desk.sync(full=True)
    assert (report.outcome, report.total.deleted) == ("partial", 0)
    assert {trouble.object for trouble in report.troubles} == {"deal"}
    assert desk.held().rows == before.rows


def test_one_unreadable_row_is_set_aside_until_it_can_be_read(desk: Desk) -> None:
    desk.crm.edit("deal", desk.deals[5], amount=Decimal("987654.32"))
    file = export(desk)
    file.write_text(file.read_text(encoding="utf-8").replace("987654.32", "much"), encoding="utf-8")
    report = desk.sync()
    assert (report.objects["deal"].new, report.objects["deal"].quarantined) == (len(desk.deals) - 1, 1)
    desk.crm.tick(60)
    export(desk)
    desk.sync()
    assert desk.all(schema.quarantine) == []
    assert desk.wrong() == []


def test_a_run_killed_at_any_page_goes_on(desk: Desk) -> None:
    for number in range(6):
        left = number

        def die(_object: str, _rows: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        with contextlib.suppress(Killed):
            desk.sync(progress=die, full=True)
        desk.crm.edit("deal", desk.deals[number], amount=Decimal(number))
        desk.crm.tick(60)
        export(desk)
    assert desk.sync().outcome == "ok"
    assert desk.wrong() == []
