"""A place of files as a lasting source: read again when it changed, and never believed when it is suddenly empty."""

import os
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from storage import schema
from storage.connectors.base import Connector, Opening, declarations
from storage.connectors.files import CONNECTOR, Options
from storage.connectors.files import watched as watched_room
from storage.connectors.files.names import known_names
from storage.connectors.files.reading import FileProblemError
from storage.connectors.http import Client, UnavailableError, UnexpectedError
from storage.database import reading
from storage.records import Position
from storage.sync import Report, load
from storage.workspaces import SINGLE
from tests.storage.files.folder import NOW, Folder

PARIS = ZoneInfo("Europe/Paris")
HEAD = "Deal ID,Deal Name,Status,Amount,Owner,Account,Created,Closed\n"
ROWS = [f"{n},Roof {n},open,10{n},Ann,Acme,2026-01-05,\n" for n in range(8)]
ADDRESS = "https://files.example/exports/deals.csv?key=k3y"


class Place:
    """A connected place, and a run of each look at it."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.now = folder, NOW
        self.options: dict[str, Any] = {"place": str(folder.path)}
        self.transport: httpx.BaseTransport | None = None
        self.pause: Callable[[float], None] = lambda _seconds: None
        self.reads = 0
        self.stages: dict[str, str] = {}

    def open(self) -> Connector:
        options = Options(**self.options)
        client = Client(CONNECTOR.limits(options), transport=self.transport, pause=self.pause)

        def known() -> Any:
            self.reads += 1
            with reading(self.folder.engine) as connection:
                return known_names(connection, SINGLE, "files")

        return CONNECTOR.open(
            Opening(
                options=options,
                client=client,
                currency="EUR",
                now=self.now,
                zone=PARIS,
                known=known,
                stages=self.stages,
            )
        )

    def sync(self, **more: Any) -> Report:
        self.now += timedelta(hours=1)
        return load(self.folder.engine, SINGLE, self.open(), now=self.now, **more)

    def deals(self) -> set[str]:
        return {row.ext_id for row in self.folder.rows(schema.deal) if row.deleted_at is None}

    def complete(self) -> dict[str, Any]:
        return {row.object: row.complete_at for row in self.folder.rows(schema.cursor)}

    def write(self, *rows: str) -> None:
        self.folder.write("deals.csv", HEAD + "".join(rows))


@pytest.fixture
def place(folder: Folder) -> Place:
    made = Place(folder)
    made.write(*ROWS)
    return made


def test_files_are_a_source_like_any_other() -> None:
    assert "files" in {each.source for each in declarations()}
    assert [walk.object for walk in CONNECTOR.walks][-4:] == ["deal", "contract", "purchase", "spend"]


def test_what_has_not_changed_is_not_read_and_is_confirmed(place: Place) -> None:
    first = place.sync()
    assert (first.outcome, first.objects["deal"].new, place.reads) == ("ok", 8, 1)
    second = place.sync()
    assert (second.outcome, second.total.seen, place.reads) == ("ok", 0, 1)
    assert set(place.complete().values()) == {place.now}
    assert {"deal", "stage", "lead", "spend"} <= place.complete().keys()


def test_a_changed_file_is_read_again_and_what_it_names_is_still_known(place: Place) -> None:
    place.folder.write("team.csv", "User ID,Full Name,Email\nU1,Ann,ann@exemple.example\n")
    place.sync()
    place.write(*ROWS[:7], ROWS[7].replace("open", "won").replace(",2026-01-05,", ",2026-01-05,2026-02-01"))
    report = place.sync()
    assert (report.objects["deal"].changed, report.objects["deal"].unchanged) == (1, 7)
    assert place.folder.deals()["7"].status == "won"
    assert {row.owner_id for row in place.folder.rows(schema.deal)} == {"files:U1"}
    assert place.reads == 2


def test_another_mapping_is_a_change_too(place: Place, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("", encoding="utf-8")
    place.options["mapping"] = str(mapping)
    place.sync()
    mapping.write_text('[statuses]\n"open" = "dormant"\n', encoding="utf-8")
    place.sync()
    assert {deal.status for deal in place.folder.deals().values()} == {"dormant"}


def test_what_a_person_decides_of_a_stage_is_read_in_the_same_files(place: Place) -> None:
    place.folder.write(
        "deals.csv", "Deal ID,Pipeline,Stage,Created\n1,Sales,Proposal,2026-01-05\n2,Sales,Won,2026-01-05\n"
    )
    place.sync()
    assert {row.ext_id: row.status for row in place.folder.rows(schema.stage)}["Sales / Proposal"] == "open"
    place.stages = {"Sales / Proposal": "dormant"}
    place.sync()
    assert {row.ext_id: row.status for row in place.folder.rows(schema.stage)}["Sales / Proposal"] == "dormant"
    assert {deal.ext_id: deal.status for deal in place.folder.deals().values()} == {"1": "dormant", "2": "won"}


def test_a_full_run_reads_what_has_not_changed(place: Place) -> None:
    place.sync()
    assert place.sync(full=True).total.unchanged > 0


def test_a_row_that_is_not_told_stays_unless_the_files_hold_everything(place: Place) -> None:
    place.sync()
    place.write(*ROWS[:7])
    assert place.sync().total.deleted == 0
    place.options["whole"] = True
    place.write(*ROWS[:7], "\n")
    report = place.sync()
    assert (report.outcome, report.total.deleted, len(place.deals())) == ("ok", 1, 7)


@pytest.mark.parametrize("content", ["", HEAD], ids=["nothing at all", "headers alone"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_is_suddenly_empty_deletes_nothing_and_waits(place: Place, content: str, whole: bool) -> None:
    place.options["whole"] = whole
    place.sync()
    known = place.complete()["deal"]
    place.folder.write("deals.csv", content)
    for _ in range(2):
        report = place.sync()
        assert [trouble.object for trouble in report.troubles] == ["deal"]
        assert report.outcome == "partial"
        assert (len(place.deals()), place.complete()["deal"]) == (8, known)
    place.write(*ROWS)
    assert place.sync().outcome == "ok"
    assert place.complete()["deal"] == place.now


def test_an_empty_folder_is_away_and_not_a_listing(place: Place) -> None:
    place.options["whole"] = True
    place.sync()
    (place.folder.path / "deals.csv").unlink()
    with pytest.raises(UnavailableError) as away:
        place.sync()
    assert isinstance(away.value.__cause__, FileProblemError)
    assert str(place.folder.path) not in str(away.value)
    assert len(place.deals()) == 8


def test_a_file_that_is_still_being_written_is_left_for_later(place: Place) -> None:
    file = place.folder.path / "deals.csv"
    rest = iter(["8,Roof", " 8,open,1,Ann,Acme,2026-01-05,\n"])

    def write_on(_seconds: float) -> None:
        with file.open("a", encoding="utf-8") as writing:
            writing.write(next(rest, ""))

    place.pause = write_on
    for _ in range(2):
        with pytest.raises(UnavailableError, match="still being written"):
            place.sync()
        assert place.deals() == set()
    assert place.sync().outcome == "ok"
    assert place.deals() == {str(n) for n in range(9)}


def test_a_table_that_needs_a_word_waits_and_the_others_are_loaded(place: Place) -> None:
    place.folder.write("spend.csv", "Month,Kind,Amount\n2026-01,marketing,100\n")
    place.write(*ROWS)
    place.folder.write("more.csv", "Deal ID,Status,Close date\n99,won,03/04/2025\n")
    report = place.sync()
    assert [(trouble.object, trouble.values["field"].split(":")[0]) for trouble in report.troubles] == [
        ("deal", "more.csv")
    ]
    assert len(place.deals()) == 8
    assert len(place.folder.rows(schema.spend)) == 1
    assert (place.complete()["spend"], place.complete().get("deal")) == (place.now, None)


def test_a_mapping_that_cannot_be_used_holds_everything_that_would_be_read(place: Place, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("nonsense = 1\n", encoding="utf-8")
    place.options["mapping"] = str(mapping)
    report = place.sync()
    assert {trouble.values["field"] for trouble in report.troubles} == {"mapping_key"}
    assert place.deals() == set()


def test_a_pattern_watches_its_files_only(place: Place) -> None:
    place.options["place"] = str(place.folder.path / "deals*.csv")
    place.folder.write("other.csv", HEAD + "77,Roof,open,1,Ann,Acme,2026-01-05,\n")
    place.sync()
    assert place.deals() == {str(n) for n in range(8)}
    place.folder.write("other.csv", "")
    place.sync()
    assert place.reads == 1
    place.folder.write("deals2.csv", HEAD + "8,Roof,open,1,Ann,Acme,2026-01-05,\n")
    place.sync()
    assert "8" in place.deals()


def test_a_file_with_the_same_size_and_another_moment_is_another_file(place: Place) -> None:
    place.sync()
    place.write(ROWS[0].replace("Roof", "Door"), *ROWS[1:])
    os.utime(place.folder.path / "deals.csv", (1, 1))
    assert place.sync().objects["deal"].changed == 1


def test_rows_are_read_again_by_id(place: Place) -> None:
    page = place.open().reread("deal", ["3", "99"])
    assert ([record.ext_id for record in page.records], page.gone) == (["3"], ())


class Server(httpx.BaseTransport):
    """One file behind an address, as web servers tell it."""

    def __init__(self, text: str) -> None:
        self.text, self.status = text, 200
        self.headers: dict[str, str] = {}
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        known = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        mine = self.headers.get("etag"), self.headers.get("last-modified")
        if self.status == 200 and any(mine) and all(a == b for a, b in zip(known, mine, strict=True) if b):
            return httpx.Response(304, headers=self.headers)
        return httpx.Response(self.status, headers=self.headers, content=self.text.encode())


@pytest.fixture
def server(place: Place) -> Server:
    place.transport = made = Server(HEAD + "".join(ROWS))
    place.options["place"] = ADDRESS
    return made


@pytest.mark.parametrize(
    "headers",
    [{"etag": '"1"'}, {"last-modified": format_datetime(NOW, usegmt=True)}, {}],
    ids=["etag", "moment", "none"],
)
def test_an_address_is_read_again_when_its_content_is_another(
    place: Place, server: Server, headers: dict[str, str]
) -> None:
    server.headers = headers
    assert place.sync().objects["deal"].new == 8
    assert place.sync().outcome == "ok"
    assert (place.reads, len(server.asked)) == (1, 2)
    server.text = server.text.replace("Roof 3", "Door 3")
    server.headers = {name: value.replace("1", "2").replace("09:", "10:") for name, value in headers.items()}
    assert place.sync().objects["deal"].changed == 1
    assert set(place.complete().values()) == {place.now}


def test_an_address_whose_server_is_gone_or_ill_loses_nothing(place: Place, server: Server) -> None:
    place.options["whole"] = True
    place.sync()
    server.status = 404
    with pytest.raises(UnexpectedError) as lost:
        place.sync()
    assert (lost.value.status, "k3y" in str(lost.value)) == (404, False)
    server.status = 500
    with pytest.raises(UnavailableError):
        place.sync()
    assert len(place.deals()) == 8
    server.status, server.text = 200, server.text + "8,Roof,open,1,Ann,Acme,2026-01-05,\n"
    assert place.sync().objects["deal"].new == 1


def test_a_page_of_a_web_site_is_no_table(place: Place, server: Server) -> None:
    server.text = "<!doctype html><html><body>Please sign in</body></html>"
    with pytest.raises(UnavailableError, match="file_html"):
        place.sync()


def test_a_file_that_is_too_large_is_refused_while_it_comes(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_room, "MOST", 100)
    with pytest.raises(UnexpectedError) as large:
        place.sync()
    assert large.value.status == 413


def test_a_link_is_followed_to_https_only(place: Place, server: Server) -> None:
    plain = "http://files.example/deals.csv"
    moved = {"https://files.example/a.csv": ADDRESS, "https://files.example/b.csv": plain}

    class Moved(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            to = moved.get(str(request.url))
            return httpx.Response(302, headers={"location": to}) if to else server.handle_request(request)

    place.transport = Moved()
    place.options["place"] = "https://files.example/a.csv"
    assert place.sync().objects["deal"].new == 8
    place.options["place"] = "https://files.example/b.csv"
    with pytest.raises(UnexpectedError, match="not https"):
        place.sync()


def test_a_run_that_was_stopped_half_way_reads_the_rest(place: Place) -> None:
    stop = iter([False, False, False, True])
    report = place.sync(stop=lambda: next(stop))
    assert report.outcome == "partial"
    assert place.sync().outcome == "ok"
    assert len(place.deals()) == 8


@pytest.mark.parametrize("said", ["http://files.example/a.csv", "https://me:pw@files.example/a.csv", "", "ftp://x/y"])
def test_another_place_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        Options(place=said)


def test_a_path_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Options(place=" exports ").place == str(tmp_path / "exports")


def test_connecting_says_what_is_not_there(place: Place, database: Engine) -> None:
    place.options["place"] = str(place.folder.path / "absent")
    with pytest.raises(UnavailableError) as away:
        list(place.open().pages(CONNECTOR.walks[0], Position(began=place.now)))
    assert isinstance(away.value.__cause__, FileProblemError)
    assert away.value.__cause__.reason == "file_absent"
