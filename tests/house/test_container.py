"""The image and the compose file: installed by the recipe that CI runs, without root, on a read-only file system."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def instructions() -> list[tuple[str, str]]:
    """(keyword, rest) of every instruction, its continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines()]


def given(keyword: str) -> list[str]:
    return [rest for name, rest in instructions() if name == keyword]


def pip_steps(text: str) -> list[str]:
    """What each `python -m pip install` is given, in order."""
    return re.findall(r"python -m pip install (.+)", text)


def test_the_image_installs_by_the_recipe_of_make_install() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^\$\(VENV\)/\.installed: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    assert pip_steps(DOCKERFILE) == [step.replace("--editable ", "") for step in pip_steps(recipe[1])]
    assert "python -m venv" in given("RUN")[0]


def test_the_image_runs_as_a_numbered_user_without_a_shell() -> None:
    last = instructions()[max(index for index, (name, _) in enumerate(instructions()) if name == "FROM") :]
    assert [name for name, _ in last if name == "RUN"] == []
    user, group = given("USER")[-1].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert json.loads(given("ENTRYPOINT")[0]) == ["vigie"]
    assert json.loads(given("CMD")[0]) == ["serve"]
    assert json.loads(given("HEALTHCHECK")[0].partition("CMD ")[2])[0] == "python"


def test_both_stages_stand_on_the_same_image_so_that_the_environment_can_be_copied() -> None:
    bases = [rest.split()[0] for rest in given("FROM")]
    assert len(bases) == 2
    assert len(set(bases)) == 1


def test_the_health_check_is_true_only_for_a_healthy_vigie(monkeypatch: pytest.MonkeyPatch) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Answer(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self) -> None:
            self.send_response(self.status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("VIGIE_PORT", str(server.server_port))
    command = [sys.executable, *json.loads(given("HEALTHCHECK")[0].partition("CMD ")[2])[1:]]
    try:
        assert subprocess.run(command, check=False).returncode == 0  # noqa: S603
        Answer.status = 503
        assert subprocess.run(command, check=False, capture_output=True).returncode != 0  # noqa: S603
    finally:
        server.shutdown()
        server.server_close()
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0  # noqa: S603


def test_what_the_image_copies_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source.rstrip("/") for rest in given("COPY") if "--from" not in rest for source in rest.split()[:-1]}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_writes_only_where_the_compose_file_lets_it() -> None:
    vigie = COMPOSE["services"]["vigie"]
    environment = dict(part.split("=", 1) for part in given("ENV")[-1].split())
    writable = [*vigie["tmpfs"], *(volume.split(":")[1] for volume in vigie["volumes"])]
    assert writable == ["/tmp", "/data"]  # noqa: S108
    assert environment["MPLCONFIGDIR"].startswith("/tmp/")  # noqa: S108
    assert environment["VIGIE_DATABASE_URL"].startswith("sqlite:////data/")
    assert given("VOLUME") == ["/data"]


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_every_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "cap_add" not in service
    assert "privileged" not in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_secrets_come_from_the_environment_and_vigie_waits_for_a_healthy_database() -> None:
    services = COMPOSE["services"]
    assert services["vigie"]["env_file"] == ".env"
    assert services["vigie"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "${POSTGRES_PASSWORD:?" in services["vigie"]["environment"]["VIGIE_DATABASE_URL"]
    named = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert named == set(COMPOSE["volumes"])


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint here: the Dockerfile is not linted")
    found = subprocess.run([hadolint, str(ROOT / "Dockerfile")], check=False, capture_output=True, text=True)  # noqa: S603
    assert found.stdout == ""
    assert found.returncode == 0
