"""A few strikes against a running site; ``python -m tests.chaos --all`` plays hundreds (docs/reliability.md)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.site_process import PROJECT, fresh_environment

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("services", "kills", "talks"), [("postgresql+redis", 12, 12), ("embedded", 8, 8)], ids=str
)
def test_nothing_is_lost_or_doubled_and_nobody_is_stuck(services: str, kills: int, talks: int) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--services", services]
    command += ["--kills", str(kills), "--talks", str(talks), "--think-s", "2", "--limit-s", "800"]
    done = subprocess.run(
        command, cwd=PROJECT, env=fresh_environment(), capture_output=True, text=True, timeout=850
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
