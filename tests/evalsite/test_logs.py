"""What is in a log, and what never is: what people say, what databases quote, what opens a door."""

from __future__ import annotations

import io
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from chat import frames, turns
from chat.errors import FrameRefused
from chat.models import Conversation, Study
from chat.tasks import answer_turns
from evalsite import logs
from evalsite.redaction import without_secrets
from modelhub.errors import AgentFailed
from modelhub.serving import engine as engines
from tests.talk_page import TalkPage

CANARY = "Marmalade quarrels with the lighthouse."

Written = Callable[[], str]


@pytest.fixture(params=["line", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    """``written()``: everything that was logged, at every level, as a site would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.SiteFormatter(request.param))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)


@pytest.fixture
def lines(written: Written) -> Callable[[], list[dict]]:
    """``lines()``: JSON lines; skips the other form."""
    return lambda: [json.loads(line) for line in written().splitlines()]


as_json = pytest.mark.parametrize("written", ["json"], indirect=True)
as_lines = pytest.mark.parametrize("written", ["line"], indirect=True)
log = logging.getLogger("chat.turns")
foreign = logging.getLogger("uvicorn.error")


class Quoting:
    """An agent whose errors quote the person."""

    def reply(self, dialogues):
        if dialogues[-1].utterances and dialogues[-1].key != "warming":
            raise ValueError(f"cannot answer {dialogues[-1].utterances[-1].text!r}")
        return []


@pytest.fixture
def quoting_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engines.Engine(lambda revision_id, part_of: Quoting())  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(engines, "_engine", made)


# --- What people say ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_is_said_is_not_logged_and_an_agent_that_quotes_it_is_told_by_class(
    talk: Conversation, quoting_engine: None, written: Written
) -> None:
    turns.say(talk.pk, talk.participation_id, CANARY, "c1")
    answer_turns([talk.turns.get().pk])
    assert str(talk.pk) in written() and "builtins.ValueError" in written()
    assert "Marmalade" not in written()


@pytest.mark.django_db(transaction=True)
async def test_a_bad_frame_is_not_logged(
    talk: Conversation, open_page: Callable[..., TalkPage], written: Written
) -> None:
    page = await open_page(talk)
    await page.send_text('{"type": "say", "text": "' + CANARY)
    assert (await page.until("refused"))["code"] == "bad_json"
    await page.send(type="say", client_id="c1", text=CANARY, colour=CANARY)
    await page.until("refused")
    assert "Marmalade" not in written()


@pytest.mark.django_db(transaction=True)
def test_what_a_database_quotes_is_not_logged(study: Study, written: Written) -> None:
    Study.objects.filter(pk=study.pk).update(slug="marmalade")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO chat_study (slug, title) VALUES ('marmalade', %s)", [CANARY])
    except IntegrityError as error:
        log.exception("a row was refused: %s", error)
    assert "raceback" in written() and "IntegrityError" in written()
    assert "armalade" not in written()


@pytest.mark.django_db
def test_a_page_that_fails_shows_the_id_that_its_log_has(
    researcher: Client, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    def fail(study: Study) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("chat.research_views._summary", fail)
    Study.objects.create(slug="x", title="X")
    researcher.raise_request_exception = False
    answer = researcher.get("/studies/")
    reference = answer.content.decode().partition("this reference: ")[2][:12]
    assert answer.status_code == 500 and len(reference) == 12
    assert reference in written() and "builtins.RuntimeError" in written()
    assert "Marmalade" not in written()


def test_errors_behind_errors_are_told_by_class_too(written: Written) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError:
        log.exception("it failed")
    assert written().index("builtins.ValueError") < written().index("builtins.KeyError")
    assert "Marmalade" not in written()


def test_a_library_s_line_that_quotes_an_error_quotes_it_no_more(written: Written) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        foreign.error("Task exception was never retrieved\nfuture: %r", error, exc_info=True)
        foreign.error(f"Exception in application: {error}", exc_info=True)
        foreign.error("lost: %s", error)
    assert written().count("ValueError") >= 3
    assert "Marmalade" not in written()


def test_celery_s_report_of_a_task_keeps_its_name_alone(written: Written) -> None:
    told = {"name": "chat.answer_turns", "id": "7", "description": "raised unexpected", "exc": CANARY}
    logging.getLogger("celery.app.trace").error("Task %(name)s[%(id)s] %(description)s: %(exc)s", told)
    assert "Task chat.answer_turns[7] raised unexpected: ***" in written()


def test_our_own_sentences_stay(written: Written) -> None:
    try:
        frames.parse("{")
    except FrameRefused as refusal:
        log.warning("refused: %s", refusal)
        log.exception("it was refused")
    assert written().count("one JSON object") == 2


def test_what_others_say_by_our_errors_does_not(written: Written) -> None:
    try:
        raise AgentFailed(CANARY)
    except AgentFailed as error:
        log.exception("an agent failed: %s", error)
    assert "modelhub.errors.AgentFailed" in written()
    assert "Marmalade" not in written()


def test_a_thread_that_ends_by_an_error_is_logged_by_class(
    monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    monkeypatch.setattr(threading, "excepthook", logs._thread_ended)
    thread = threading.Thread(target=lambda: int(CANARY), name="batch")
    thread.start()
    thread.join()
    assert "a thread ended" in written() and "builtins.ValueError" in written()
    assert "Marmalade" not in written()


# --- Secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://me:s3cret@host:6379/0", "redis://***@host:6379/0"),
        ("amqp://me:p@ss@host//", "amqp://***@host//"),
        ("GET /signin/AbC_d-9/", "GET /signin/***/"),
        ("/e/plain/?sim=steady:1:abc&x=1", "/e/plain/?sim=***&x=1"),
        ("password=hunter2 host=db", "password=*** host=db"),
        ('{"token": "abc", "a": 1}', '{"token": "***", "a": 1}'),
        ("Cookie: session=abcdef", "Cookie: ***"),
        ("__Host-session=abc; worker=x:y:z", "__Host-session=***; worker=***"),
        ("device=x:y:z; __Host-device=x:y:z", "device=***; __Host-device=***"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("worker=7 is ready", "worker=7 is ready"),
        ("device=cuda:1 is ready", "device=cuda:1 is ready"),
        ("the token is too old", "the token is too old"),
    ],
)
def test_secrets_are_left_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_secrets_are_left_out_of_lines_and_fields(written: Written) -> None:
    log.info("asking redis://:s3cret@host", extra={"url": "amqp://me:s3cret@h", "api_token": "s3cret"})
    assert "host" in written() and "s3cret" not in written()


# --- How it looks ---------------------------------------------------------------------------------------------------


@as_json
def test_fields_of_a_json_line(lines: Callable[[], list[dict]]) -> None:
    talk = uuid.uuid4()
    log.info("message stored", extra={"talk": talk, "position": 3, "row": object()})
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "message stored",
        "level": "info",
        "logger": "chat.turns",
        "talk": str(talk),
        "position": 3,
    }


@as_lines
def test_a_line_to_read(written: Written) -> None:
    log.warning("asked again", extra={"turn": 7, "why": "nobody took it"})
    time, _, rest = written().partition(" ")
    assert time.endswith("Z")
    assert rest == 'WARNING chat.turns asked again turn=7 why="nobody took it"\n'


@as_lines
def test_nobody_writes_a_line_of_their_own(written: Written) -> None:
    log.info("not found: %s", "/x\n2030-01-01 ERROR chat all is lost\x1b[31m")
    assert len(written().splitlines()) == 1
    assert "\x1b" not in written()


@as_json
@pytest.mark.django_db
def test_every_line_of_a_request_has_its_id(client: Client, lines: Callable[[], list[dict]]) -> None:
    for path in ("/nowhere/", "/nowhere/else/"):
        client.get(path)
    ids = [line["request_id"] for line in lines() if line["logger"] == "django.request"]
    assert len(ids) == len(set(ids)) == 2


def test_libraries_say_only_what_is_wrong_whatever_the_level() -> None:
    found = logs.config("line", "DEBUG")
    assert found["root"]["level"] == "WARNING"
    assert found["loggers"]["chat"]["level"] == "DEBUG"
