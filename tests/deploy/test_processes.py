"""The Procfile's processes, started for real on PostgreSQL and Redis, and people who come through the proxy."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from ratings.simulation.browserless import Visitor
from tests.deploy.deployment import STOP_LIMIT_S, Deployment, deployed
from tests.deploy.files import DEPLOY
from tests.own_services import own_services, required_program
from tests.site.test_visit import LINES, SCORES, begin, talk

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def caddy() -> str:
    return required_program("caddy", "caddy")


@pytest.fixture(scope="module")
def site(caddy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with own_services(redis_number=6) as variables:
        own = {name: variables[name] for name in ("DATABASE_URL", "REDIS_URL")}
        with deployed(tmp_path_factory.mktemp("deployed"), own, caddy) as site:
            yield site


def test_caddy_finds_its_file_valid_and_tidy(caddy: str) -> None:
    file = str(DEPLOY / "Caddyfile")
    tidy = subprocess.run([caddy, "fmt", file], capture_output=True, text=True, check=True)
    assert tidy.stdout == (DEPLOY / "Caddyfile").read_text()
    valid = subprocess.run(
        [caddy, "validate", "--config", file, "--adapter", "caddyfile"], capture_output=True, text=True
    )
    assert valid.returncode == 0, valid.stderr


def test_pages_come_by_https_and_say_so(site: Deployment) -> None:
    page = site.ask("/e/table7/")
    assert page.status_code == 302
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Server" not in page.headers
    assert "__Host-worker=" in page.headers["Set-Cookie"] and "Secure" in page.headers["Set-Cookie"]
    plain = site.ask("/e/table7/", scheme="http")
    assert plain.status_code == 308
    assert re.fullmatch(r"https://localhost(:\d+)?/e/table7/", plain.headers["Location"])


def test_the_outside_gets_no_figures_and_sends_no_floods(site: Deployment) -> None:
    assert site.says("/metrics") == 404
    flood = site.ask("/e/table7/consent/", method="POST", content=b"x" * 300_000)
    assert flood.status_code in (413, 502)  # 502 by a Caddy before 2.7


def test_another_host_name_and_a_forwarded_scheme_move_nobody(site: Deployment) -> None:
    assert site.ask("/healthz", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200
    told = site.ask("/signin/", headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9"})
    assert told.status_code == 200


async def test_a_person_talks_over_wss_rates_and_gets_a_code(site: Deployment) -> None:
    async with Visitor(site.url, "table7", tls=site.tls) as visitor:
        await begin(visitor)
        replies = await talk(visitor)
        assert len(replies) == len(LINES) and all(replies)
        await visitor.finish()
        await visitor.rate(SCORES)
        await visitor.leave()
        assert re.fullmatch(r"([A-Z2-7]{5}-){3}[A-Z2-7]{5}", await visitor.code())


async def test_web_processes_restart_one_after_the_other_and_the_talk_goes_on(
    site: Deployment, eventually: object
) -> None:
    async with Visitor(site.url, "table7", tls=site.tls) as visitor:
        await begin(visitor)
        for line, name in zip(LINES[:4], ("web-1", "web-2") * 2, strict=True):
            await visitor.until("yours")
            await visitor.say(line)
            restart(site, name, eventually)
            assert (await visitor.reply()).text
        await visitor.until("yours")


def restart(site: Deployment, name: str, eventually: object) -> None:
    """As docs/operations.md rolls a release out: the next one only after this one answers again."""
    site.stop_process(name)
    site.start_process(name)
    assert callable(eventually)
    eventually(lambda: site.directly(name, "/healthz") == 200, f"{name} to be back", 60)


def test_logs_are_json_and_hold_no_traceback(site: Deployment) -> None:
    lines = site.logs().splitlines()
    assert lines and all(json.loads(line)["level"] for line in lines)
    assert "Traceback" not in site.logs()


def test_every_process_ends_in_time_when_asked(site: Deployment) -> None:
    """The last test of this module: nothing runs after it."""
    seconds = {name: site.stop_process(name) for name in list(site.running)}
    assert max(seconds.values()) < STOP_LIMIT_S, seconds
