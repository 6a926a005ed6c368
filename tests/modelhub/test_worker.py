"""What a worker does when it starts and stops; and what stays out of web processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from celery.signals import worker_ready
from django.conf import settings
from django.db import InterfaceError, OperationalError

from modelhub import registry, serving
from modelhub.serving import keeper, worker
from modelhub.serving.engine import Engine, engine


@pytest.fixture
def two_scripts(transactional_db, monkeypatch) -> list[int]:
    ids = [
        registry.register(f"s{n}", f"S{n}", "scripted", None, {"replies": ["a", "b"]}).pk for n in range(2)
    ]
    monkeypatch.setattr(serving, "wanted", [lambda: ids, lambda: ids[:1]])
    return ids


def test_what_is_wanted_by_several_is_loaded_once(two_scripts) -> None:
    assert keeper.wanted_revisions() == two_scripts


def test_a_starting_worker_loads_what_is_wanted_and_says_it_is_ready(
    two_scripts, request, eventually
) -> None:
    request.getfixturevalue("serving")
    eventually(lambda: engine().loaded == two_scripts, "loading")
    # Celery's worker for tests does not send what its command sends when it begins to take tasks.
    worker_ready.send(sender=None)
    marker = json.loads(worker.ready_file().read_text())
    assert marker["models"] == two_scripts == engine().loaded
    assert marker["pid"] == os.getpid() and marker["at"]


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(monkeypatch, caplog) -> None:
    monkeypatch.setattr(worker, "LOOK_AGAIN_S", 0.01)
    answers = iter([OperationalError("refused"), InterfaceError("closed")])

    def step() -> str:
        if error := next(answers, None):
            raise error
        return "there"

    assert worker.once_the_database_answers(step) == "there"
    assert caplog.text.count("the worker waits") == 2


def test_a_stopping_worker_takes_its_marker_away(two_scripts) -> None:
    worker.write_ready(two_scripts)
    worker.on_worker_shutdown()
    assert not worker.ready_file().exists()
    assert engine().loaded == []


def test_another_workers_marker_is_left_alone() -> None:
    worker.ready_file().write_text('{"pid": 1, "at": "", "models": []}')
    worker.remove_ready()
    assert worker.ready_file().exists()
    worker.ready_file().unlink()


def test_a_model_that_fails_does_not_keep_the_others_out(two_scripts, monkeypatch, caplog) -> None:
    monkeypatch.setattr(serving, "wanted", [lambda: [4711, *two_scripts]])
    into = Engine()
    keeper.Keeper(into, "cpu").load_wanted()
    assert into.loaded == two_scripts
    assert "cannot be loaded: There is no revision 4711" in caplog.text
    into.close()


def test_web_processes_do_not_load_torch(tmp_path) -> None:
    """Importing the site and the doors that it uses must stay cheap."""
    code = (
        "import sys, django; django.setup()\n"
        "import evalsite.asgi, modelhub.registry, modelhub.serving.engine, modelhub.serving.worker\n"
        "import modelhub.starter.install, modelhub.agents.base, modelhub.polyencoder.config\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "COLLOQUY_DATA": str(tmp_path),
    }
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment, capture_output=True
    )
    assert found.returncode == 0, found.stderr.decode()
