"""A site of its own for a test: ``manage.py up`` as a process, on a folder and a port of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
READY = "Ctrl-C stops the site."
START_LIMIT_S = 120.0
STOP_LIMIT_S = 40.0
#: Variables of the tests' own site, which a site under test must not inherit.
OWN_VARIABLES = ("COLLOQUY_DATA", "SITE_URL", "DATABASE_URL", "REDIS_URL", "BROKER_URL")


#: One turn of a talk through the services that pages call; prints the reply that comes back.
TALK = """
import sys, time, uuid
from chat import assignment, participation, turns
from chat.models import Study

person = participation.enter(Study.objects.get(slug="table7"), None, simulated_as="steady")
participation.consent(person)
talk = assignment.start_talk(person)
turns.say(talk.pk, person.pk, "I walked along the river this morning.", uuid.uuid4().hex)
for _ in range(600):
    if reply := talk.messages.filter(speaker="model").first():
        sys.exit(print("reply:", reply.text))
    time.sleep(0.1)
sys.exit("no reply came within a minute")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fresh_environment() -> dict[str, str]:
    """This process's environment without what points at the tests' own site."""
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}


class SiteProcess:
    """One run of ``manage.py up``. Its output goes to a file, so that nothing blocks on a full pipe."""

    def __init__(self, data: Path, port: int | None = None, *arguments: str, **variables: str) -> None:
        self.data, self.port = data, port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.output = data.parent / f"{data.name}-up.log"
        environment = fresh_environment() | variables
        command = [sys.executable, str(PROJECT / "manage.py"), "up"]
        command += ["--port", str(self.port), "--data", str(data), *arguments]
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)

    def __enter__(self) -> SiteProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop it by any means, whatever state it is in."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self, limit_s: float = START_LIMIT_S) -> SiteProcess:
        """Until the addresses are printed; fails with what it printed instead."""
        self.wait_until_said(READY, limit_s)
        return self

    def wait_until_said(self, text: str, limit_s: float = START_LIMIT_S) -> None:
        end = time.monotonic() + limit_s
        while text not in self.said():
            assert self.process.poll() is None, f"up ended with {self.process.returncode}:\n{self.said()}"
            assert time.monotonic() < end, f"up did not say {text!r} within {limit_s:.0f} s:\n{self.said()}"
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_LIMIT_S)

    def children(self) -> dict[int, str]:
        """Its processes by id, each with its command line (Linux)."""
        return {pid: command for pid, (parent, command) in processes().items() if parent == self.process.pid}

    def child(self, word: str) -> int:
        """The id of the child whose command line has this word."""
        return next(pid for pid, command in self.children().items() if word in command)

    def one_turn(self, **variables: str) -> str:
        """The reply to the first message of a new simulated worker's talk; fails when none comes."""
        command = [sys.executable, str(PROJECT / "manage.py"), "shell", "-c", TALK]
        environment = fresh_environment() | variables | {"COLLOQUY_DATA": str(self.data)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip().rpartition("reply: ")[2]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def processes() -> dict[int, tuple[int, str]]:
    """Every process of this machine that is no zombie: its parent and its command line (Linux)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if status[0] != "Z":
            found[int(folder.name)] = int(status[1]), command
    return found
