"""The files of deploy/ agree with each other, with the code and with the docs, as far as their own tools can tell."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.deploy.files import (
    DEPLOY,
    OF_LIBRARIES,
    OF_OTHERS,
    SYSTEMD,
    compose,
    documented,
    example_variables,
    procfile,
    unit,
)
from tests.site_process import PROJECT, fresh_environment

SERVICES = compose()["services"]
#: Those that run the code of this checkout.
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
UNITS = sorted(SYSTEMD.glob("*.service"))
INSTANCES = {"colloquy-web@.service": "8001", "colloquy-worker@.service": "1"}
#: systemd's measure, times ten: 0 is closed, 100 is open.
MOST_EXPOSED = 20
PINNED = re.compile(r"^[a-z/.-]+:\d+\.\d+")


def test_the_procfile_starts_commands_that_exist() -> None:
    assert set(procfile()) == {"web", "worker", "sweeper"}
    for python, manage, command, *_ in procfile().values():
        assert (python, manage) == (".venv/bin/python", "manage.py")
        assert command in get_commands()


# --- compose -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "process"),
    [
        ("web", "web"),
        ("web-2", "web"),
        ("worker", "worker"),
        ("worker-cpu", "worker"),
        ("sweeper", "sweeper"),
    ],
)
def test_compose_runs_what_the_procfile_runs(service: str, process: str) -> None:
    assert shlex.split(SERVICES[service]["command"]) == procfile()[process]


def test_compose_s_other_commands_exist() -> None:
    for name in ("prepare", "backup"):
        python, manage, command, *_ = shlex.split(SERVICES[name]["command"])
        assert (python, manage, command) == (".venv/bin/python", "manage.py", name)
        assert command in get_commands()


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_other_people_s_images_are_pinned(name: str) -> None:
    assert PINNED.match(SERVICES[name]["image"])


def test_variables_of_compose_are_documented() -> None:
    given = {name for service in OURS.values() for name in service["environment"]}
    assert not given - documented() - OF_LIBRARIES
    assert not set(SERVICES["proxy"]["environment"]) - OF_OTHERS


def test_what_compose_asks_for_stands_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked <= set(example_variables((DEPLOY / "example.env").read_text()))


def test_compose_holds_no_secret() -> None:
    """Passwords are asked for by name alone."""
    given = [pair for service in SERVICES.values() for pair in service.get("environment", {}).items()]
    secrets = [value for name, value in given if re.search("PASSWORD|SECRET|KEY|TOKEN", name)]
    assert secrets and all(value.startswith("${") for value in secrets)
    assert re.findall(r"://\w+:(?!\$\{)[^@/\s]+@", (DEPLOY / "compose.yaml").read_text()) == []


def test_volumes_are_declared_and_used() -> None:
    mounted = {
        volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])
    }
    assert {name for name in mounted if not name.startswith(".")} == set(compose()["volumes"])
    for name in mounted:
        assert not name.startswith(".") or (DEPLOY / name).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] and "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"] and service["restart"] in ("unless-stopped", "no") and service["logging"]
    assert service["restart"] == "no" or service["healthcheck"]


@pytest.mark.parametrize("name", OURS)
def test_our_processes_are_nobody_in_particular(name: str) -> None:
    assert OURS[name]["user"] == "10001:10001" and OURS[name]["cap_drop"] == ["ALL"]


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == {
        "web",
        "web-2",
        "proxy",
    }
    networks = compose()["networks"]
    assert networks["back"]["internal"]
    assert (
        networks["front"]["ipam"]["config"][0]["subnet"]
        == SERVICES["web"]["environment"]["FORWARDED_ALLOW_IPS"]
    )


def test_the_gpu_worker_asks_for_a_gpu_and_for_torch_with_cuda() -> None:
    worker = SERVICES["worker"]
    (device,) = worker["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"]
    assert worker["build"]["args"]["TORCH_INDEX"] == "" and worker["environment"]["SERVING_DEVICE"] == "cuda"
    assert worker["image"] != SERVICES["worker-cpu"]["image"]


def has_compose() -> bool:
    asked = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(asked, capture_output=True).returncode == 0


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    if not has_compose():
        pytest.skip("no docker compose here; the file was parsed alone")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "deploy" / ".env").write_text(filled_example())
    done = subprocess.run(
        ["docker", "compose", "--profile", "*", "config", "--quiet"],
        cwd=tmp_path / "deploy",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# --- The example environment -------------------------------------------------------------------------------


def filled_example() -> str:
    """The example with what an operator fills in."""
    text = (DEPLOY / "example.env").read_text()
    given = {
        "SECRET_KEY": "k1l2m3n4" * 9,
        "POSTGRES_PASSWORD": "letters1and2digits",
        "DATABASE_URL": "postgres://colloquy:letters1and2digits@127.0.0.1:5432/colloquy",
    }
    for name, value in given.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    return text


def test_every_variable_of_the_example_is_documented() -> None:
    given = example_variables((DEPLOY / "example.env").read_text(), commented=True)
    assert not set(given) - documented() - OF_OTHERS - OF_LIBRARIES


def test_the_example_has_no_secret() -> None:
    given = example_variables((DEPLOY / "example.env").read_text())
    assert [given[name] for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "DATABASE_URL")] == ["", "", ""]


def test_the_filled_example_passes_every_deployment_check(tmp_path: Path) -> None:
    given = example_variables(filled_example()) | {"COLLOQUY_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env=fresh_environment() | given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- The image ---------------------------------------------------------------------------------------------


def instructions(name: str) -> list[list[str]]:
    """The arguments of an instruction, each time that it stands in the Dockerfile."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    return [shlex.split(rest) for rest in re.findall(rf"^{name} (.*)$", text, re.MULTILINE)]


def test_the_image_copies_what_exists_and_every_app() -> None:
    copied = [
        source
        for arguments in instructions("COPY")
        if not arguments[0].startswith("--from")
        for source in arguments[:-1]
    ]
    assert all((PROJECT / source).exists() for source in copied)
    assert {"evalsite", "analysis", "ratings", "chat", "modelhub", "manage.py"} <= set(copied)


def test_what_the_image_copies_reaches_the_builder() -> None:
    allowed = [
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    sources = [s for a in instructions("COPY") if not a[0].startswith("--from") for s in a[:-1]]
    for source in sources:
        assert any(Path(source).match(pattern) or source.startswith(f"{pattern}/") for pattern in allowed), (
            source
        )


def test_the_image_serves_the_web_as_nobody_in_particular() -> None:
    ((command),) = re.findall(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert re.findall(r'"([^"]+)"', command) == procfile()["web"]
    assert instructions("USER") == [["10001:10001"]]


def test_the_image_s_base_is_pinned_and_its_client_is_not_older_than_the_server() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-", text, re.MULTILINE)
    (client,) = re.findall(r"postgresql-client-(\d+)", text)
    (server,) = re.findall(r"postgres:(\d+)", SERVICES["postgres"]["image"])
    assert int(client) >= int(server)


# --- systemd -----------------------------------------------------------------------------------------------


def commands_of(path: Path) -> list[str]:
    """What a unit starts of ours."""
    return [line.replace("/srv/colloquy/", "") for line in unit(path)["ExecStart"]]


@pytest.mark.parametrize(
    ("name", "process"), [("web@", "web"), ("worker@", "worker"), ("sweeper", "sweeper")]
)
def test_units_run_what_the_procfile_runs(name: str, process: str) -> None:
    (command,) = commands_of(SYSTEMD / f"colloquy-{name}.service")
    assert shlex.split(command.removesuffix(" --port %i")) == procfile()[process]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_set_documented_variables_and_commands_that_exist(path: Path) -> None:
    for command in commands_of(path):
        assert shlex.split(command)[2] in get_commands()
    common = unit(SYSTEMD / "colloquy-.service.d" / "hardening.conf")
    given = {
        pair.partition("=")[0]
        for line in [*unit(path).get("Environment", []), *common["Environment"]]
        for pair in line.split()
    }
    assert not given - documented() - OF_LIBRARIES


@pytest.fixture(scope="module")
def installed_units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as an operator installs them, with the paths of this checkout and one instance each."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here; the units were parsed alone")
    folder = tmp_path_factory.mktemp("units") / "system"
    shutil.copytree(SYSTEMD, folder)
    for path in folder.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/srv/colloquy", str(PROJECT)))
    for name, instance in INSTANCES.items():
        (folder / name).rename(folder / name.replace("@", f"@{instance}"))
    return folder


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=folder,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:", "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )


def test_systemd_finds_nothing_wrong_with_the_units(installed_units: Path) -> None:
    names = [f"./{path.name}" for path in installed_units.iterdir() if path.is_file()]
    done = analyze(installed_units, "verify", "--man=no", *names)
    ours = [line for line in done.stderr.splitlines() if "colloquy" in line]
    assert (done.returncode, ours) == (0, [])


def test_services_may_do_little(installed_units: Path) -> None:
    for path in sorted(installed_units.glob("*.service")):
        done = analyze(
            installed_units, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", f"./{path.name}"
        )
        assert done.returncode == 0, done.stdout + done.stderr
