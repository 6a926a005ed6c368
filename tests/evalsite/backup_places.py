"""Places for backups: a data folder and, where DATABASE_URL is set, a PostgreSQL database of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.site_process import PROJECT, fresh_environment


@dataclass(frozen=True)
class Place:
    """Where a site lives, and its commands."""

    data: Path
    database: str = ""

    def environment(self, **variables: str) -> dict[str, str]:
        own = {"COLLOQUY_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "evalsite.settings"}
        given = (
            fresh_environment() | own | ({"DATABASE_URL": self.database} if self.database else {}) | variables
        )
        return {name: value for name, value in given.items() if value}

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run a command that must go well; what it printed."""
        done = self.run(*arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refusal(self, *arguments: str, **variables: str) -> str:
        """Run a command that must be refused; its one sentence."""
        done = self.run(*arguments, **variables)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.strip().removeprefix("CommandError: ")

    def shell(self, program: str) -> str:
        return self.manage("shell", "--no-imports", "-c", program)


@contextmanager
def empty_place(data: Path) -> Iterator[Place]:
    """On the engine that the tests run on."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield Place(data)
        return
    import psycopg

    base, name = url.rpartition("/")[0], f"colloquy_backup_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield Place(data, f"{base}/{name}")
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


#: A rated study whose messages have everything that a dump could get wrong.
FILL = r"""
from chat.models import Conversation, Message
from tests.analysis.rated_studies import make_study

make_study("pilot").fill(6)
texts = ["plain", "tab\tand\nline\r\n", "back\\slash \\N", "naïve 🙂 'quoted' \"twice\"", "", "; DROP TABLE x"]
Message.objects.bulk_create(
    Message(
        conversation=talk,
        position=place + 1,
        speaker="worker",
        text=text,
        evidence={"score": 0.1, "of": [1, None]},
    )
    for talk in Conversation.objects.all()[:20]
    for place, text in enumerate(texts)
)
"""
#: Writes models and their revisions, always both or none, until its input ends.
WRITE_PAIRS = """
import select, sys
from django.db import transaction
from modelhub import registry

print("writing", flush=True)
number = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    number += 1
    registry.register(f"pair-{number}", "Pair", "scripted", None, {"replies": ["one"]})
"""
COUNT_PAIRS = """
from modelhub.models import RegisteredModel, Revision
print(RegisteredModel.objects.filter(slug__startswith="pair-").count(),
      Revision.objects.filter(model__slug__startswith="pair-").count())
"""
