"""The researcher's page of how serving goes, its live twin, and the command that says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import turns
from chat.models import Conversation, Message, Study
from chat.serving_board import Board, board
from chat.serving_status import serving_status
from modelhub.models import ModelHealth, ServedModel, ServingWorker

pytestmark = pytest.mark.django_db


@pytest.fixture
def serves(study: Study) -> Callable[..., ServedModel]:
    """``serves("ready", detail="")``: a worker that holds the study's model in this state."""

    def make(state: str = "ready", *, ago_s: float = 0, detail: str = "") -> ServedModel:
        now = timezone.now()
        worker = ServingWorker.objects.create(
            name="here:7",
            device="cuda:0",
            state="ready",
            memory_mb=1234,
            seen_at=now - timedelta(seconds=ago_s),
        )
        revision = study.arms.get().revision
        return ServedModel.objects.create(
            worker=worker, revision=revision, state=state, detail=detail, changed_at=now
        )

    return make


def cells(shown: Board, table: str) -> dict[str, tuple[str, str, str]]:
    """The first row of a table: text, tone and note by the column's label."""
    found = next(one for one in shown.tables if one.key == table)
    return {
        column.label: (cell.text, cell.tone, cell.note)
        for column, cell in zip(found.columns, found.rows[0].cells, strict=True)
    }


def now() -> Board:
    return board(serving_status())


# --- What is said ---------------------------------------------------------------------------------------------------


def test_a_site_without_workers_says_what_to_do(researcher: Client) -> None:
    page = researcher.get(reverse("serving")).content.decode()
    assert "manage.py serve" in page and "nothing is lost" in page
    assert "No model is wanted" in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("ready", ("ready", "good", "on 1 worker")),
        ("loading", ("loading", "warn", "")),
        ("refused", ("refused", "bad", "It needs 900 MB.")),
    ],
)
def test_a_model_is_as_well_as_its_best_worker(
    serves: Callable[..., ServedModel], state: str, said: tuple[str, str, str]
) -> None:
    serves(state, detail="It needs 900 MB." if state == "refused" else "")
    assert cells(now(), "models")["State"] == said


def test_a_model_that_was_taken_out_says_why_and_when_it_is_tried_again(
    serves: Callable[..., ServedModel],
) -> None:
    revision = serves().revision
    probe_at = timezone.now().replace(hour=9, minute=8, second=7)
    ModelHealth.objects.create(
        revision=revision, is_open=True, reason="3 failures in a row", probe_at=probe_at
    )
    note = "3 failures in a row. It is tried again at 09:08:07 UTC."
    assert cells(now(), "models")["State"] == ("taken out", "bad", note)


def test_a_model_that_nobody_serves_says_so(study: Study) -> None:
    assert cells(now(), "models")["State"] == ("not served", "warn", "No worker holds it.")


def test_a_silent_worker_is_bad_news(serves: Callable[..., ServedModel]) -> None:
    serves(ago_s=30)
    assert cells(now(), "workers")["State"][:2] == ("silent", "bad")
    assert cells(now(), "served")["State"][:2] == ("silent", "bad")
    assert cells(now(), "models")["State"][0] == "not served"


def test_times_are_read_as_people_say_them(talk: Conversation, converse: Callable[..., Message]) -> None:
    message = converse(talk, 1)
    Message.objects.filter(pk=message.pk).update(queued_ms=12, generated_ms=3456)
    said = cells(now(), "models")
    assert said["In the queue p50 · p95"][0] == "12 ms · 12 ms"
    assert said["In the model p50 · p95"][0] == "3.5 s · 3.5 s"


def test_the_figures_add_up_all_models(talk: Conversation) -> None:
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    talk.turns.update(asked_at=timezone.now() - timedelta(minutes=3))
    figures = {figure.key: figure.text for figure in now().figures}
    assert figures == {
        "workers": "0 of 0",
        "talks": "1",
        "owed": "1",
        "oldest": "3 min",
        "replies": "0",
        "failed": "0",
    }


# --- Where it is said -----------------------------------------------------------------------------------------------


def test_the_page_and_its_live_twin_say_the_same(
    serves: Callable[..., ServedModel], researcher: Client
) -> None:
    serves("refused", detail="It needs <900> MB.")
    page = researcher.get(reverse("serving")).content.decode()
    live = researcher.get(reverse("serving_live")).json()
    for table in live["tables"]:
        part = page.partition(f'data-table="{table["key"]}"')[2].partition("<template>")[0]
        said = re.findall(r'<span class="shown[^"]*">([^<]*)</span><small[^>]*>([^<]*)<', part)
        told = [(cell["text"], cell["note"]) for row in table["rows"] for cell in row["cells"]]
        kinds = [column["kind"] for _ in table["rows"] for column in table["columns"]]
        assert len(said) == len(told) > 0
        for (text, note), (shown, noted), kind in zip(said, told, kinds, strict=True):
            assert kind == "age" or (text, note) == (shown, noted.replace("<", "&lt;").replace(">", "&gt;"))


def test_the_page_costs_a_fixed_number_of_queries(
    serves: Callable[..., ServedModel], researcher: Client, django_assert_num_queries
) -> None:
    serves()
    with django_assert_num_queries(12):  # two for the session and the user
        researcher.get(reverse("serving"))


def test_a_serving_page_names_nothing_to_evaluators(client: Client) -> None:
    for name in ("serving", "serving_live"):
        assert client.get(reverse(name)).status_code == 302


def test_the_command_prints_the_same(serves: Callable[..., ServedModel]) -> None:
    serves("loading")
    out = StringIO()
    call_command("serving", stdout=out)
    assert re.search(r"Scripted 0-1 \(scripted-0@1\) +loading +0 +0 +– ", out.getvalue())
    assert re.search(r"here:7 +ready +all that no other group holds +cuda:0 +1,234 MB", out.getvalue())


def test_the_command_tells_programs_numbers(serves: Callable[..., ServedModel]) -> None:
    serves()
    out = StringIO()
    call_command("serving", "--format", "json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["workers"][0]["memory_mb"] == 1234
    assert told["models"][0]["ready_on"] == 1
