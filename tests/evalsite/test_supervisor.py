"""The supervisor with small children of its own: order, failures, grace."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalsite import children
from evalsite.console import Console
from evalsite.errors import ChildFailed
from evalsite.preflight import Address
from evalsite.supervisor import Child, Supervisor

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(Console(io.StringIO()), tmp_path / "logs", dict(os.environ), tmp_path)
    yield made
    made.stop()


def said(supervisor: Supervisor) -> str:
    return supervisor.console.stream.getvalue()  # type: ignore[attr-defined]


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-u", "-c", program


def test_a_child_that_dies_at_the_start_shows_its_last_lines(supervisor: Supervisor) -> None:
    program = "import sys; [print('line', n) for n in range(40)]; print('no such model'); sys.exit(3)"
    with pytest.raises(ChildFailed) as failure:
        supervisor.start([Child("worker", "Starting it", python(program), ready=lambda pid: False)])
    message = str(failure.value)
    assert message.startswith("worker stopped while it started (exit code 3). Its log: ")
    assert message.endswith("    | line 39\n    | no such model")
    assert "line 25" not in message


def test_a_child_may_have_variables_of_its_own(supervisor: Supervisor, tmp_path: Path) -> None:
    program = "import os, time; print(os.environ['PORT'], 'PATH' in os.environ); time.sleep(600)"
    log = tmp_path / "logs" / "web.log"
    ready = lambda pid: "1234 True" in log.read_text()  # noqa: E731
    supervisor.start([Child("web", "Starting it", python(program), ready=ready, variables={"PORT": "1234"})])


def test_the_processes_of_a_site_share_no_metrics_port(settings) -> None:
    settings.METRICS_ADDRESS = ("::1", 9100)
    address = Address("127.0.0.1", 8000)
    found = [child.variables["METRICS_ADDRESS"] for child in (children.web(address), children.worker())]
    assert [*found, children.sweeper().variables["METRICS_ADDRESS"]] == [
        "[::1]:9100",
        "[::1]:9101",
        "[::1]:9102",
    ]


def test_a_child_that_never_gets_ready_is_given_up_in_time(supervisor: Supervisor) -> None:
    child = Child("web", "Starting it", SLEEPER, ready=lambda pid: False, ready_within_s=0.3)
    with pytest.raises(ChildFailed, match="web was not ready within 0 s"):
        supervisor.start([child])


def test_a_child_with_two_attempts_may_fail_once(supervisor: Supervisor, tmp_path: Path) -> None:
    program = f"import os, time; os.mkdir({str(tmp_path / 'first')!r}) or os._exit(1)"
    second = f"exec('try:\\n {program}\\nexcept FileExistsError:\\n time.sleep(600)')"
    mark = tmp_path / "second"
    prepared = [mark.touch, lambda: None]
    child = Child(
        "queue",
        "Starting it",
        python(f"import time; {second}"),
        ready=lambda pid: mark.exists(),
        prepare=lambda: prepared.pop()(),
        start_attempts=2,
    )
    supervisor.start([child])
    assert supervisor.running[0].is_ready


def test_children_stop_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    program = (
        "import signal, sys, time; name = sys.argv[1]\n"
        f"def leave(*_): open({str(order)!r}, 'a').write(name); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave); print('ready', flush=True); time.sleep(600)"
    )
    for name in "abc":
        log = supervisor.logs / f"{name}.log"
        ready = lambda pid, log=log: "ready" in log.read_text()  # noqa: E731
        supervisor.start([Child(name, "Starting it", (*python(program), name), ready=ready)])
    supervisor.stop()
    assert order.read_text() == "cba"


def test_a_child_that_ignores_the_request_is_killed_after_its_grace(supervisor: Supervisor) -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    log = supervisor.logs / "deaf.log"
    supervisor.start(
        [
            Child(
                "deaf",
                "Starting it",
                python(program),
                ready=lambda pid: "deaf" in log.read_text(),
                grace_s=0.2,
            )
        ]
    )
    process = supervisor.running[0].process
    supervisor.stop()
    assert process is not None and process.returncode == -signal.SIGKILL


def test_a_child_that_keeps_dying_waits_longer_each_time(supervisor: Supervisor) -> None:
    supervisor.start([Child("worker", "Starting it", SLEEPER)])
    waits = []
    for _ in range(3):
        running = supervisor.running[0]
        process = running.process
        assert process is not None
        process.kill()
        process.wait()
        supervisor._look_after(running)
        waits.append(running.restart_at - time.monotonic())
        running.restart_at = 0
        supervisor._look_after(running)
    assert [round(wait) for wait in waits] == [1, 2, 4]
    assert said(supervisor).count("worker stopped (killed by SIGKILL); starting it again in") == 3


def test_watching_ends_when_a_stop_is_asked_for(supervisor: Supervisor) -> None:
    supervisor.start([Child("web", "Starting it", SLEEPER)])
    threading.Timer(0.2, lambda: setattr(supervisor, "stop_requests", 1)).start()
    supervisor.watch()
    supervisor.stop()
    assert all(running.process is None for running in supervisor.running)


def test_what_a_child_left_behind_is_killed_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import subprocess, sys, time\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(left.pid)); time.sleep(600)"
    )
    ready = lambda pid: pid_file.exists() and bool(pid_file.read_text())  # noqa: E731
    supervisor.start([Child("web", "Starting it", python(program), ready=ready)])
    supervisor.stop()
    left = int(pid_file.read_text())
    end = time.monotonic() + 5
    while Path(f"/proc/{left}").exists() and "Z" not in Path(f"/proc/{left}/stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.02)
