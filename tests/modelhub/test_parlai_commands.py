"""Imported models registered, served, and fetched from a zoo."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modelhub import registry
from modelhub.agents.retrieval import RetrievalAgent
from modelhub.errors import ChangedFiles
from modelhub.models import RegisteredModel, Revision
from modelhub.parlai import importing, storage, zoo
from modelhub.polyencoder import bank
from modelhub.serving.engine import Engine

from .conftest import talk
from .parlai_files import CANDIDATES, CONFIG, packed, write_malicious, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "parlai")


# --- Served -------------------------------------------------------------------------------------------------------


@pytest.fixture
def imported(model: Path, tmp_path: Path, db: None) -> Revision:
    call_command(
        "import_parlai", model, slug="mine", name="Mine", out=tmp_path / "mine", stdout=io.StringIO()
    )
    return registry.resolve("mine")


def test_an_imported_model_answers(imported: Revision) -> None:
    engine = Engine()
    try:
        reply = engine.reply(imported.pk, talk("i like the river")).reply
    finally:
        engine.close()
    network, text_encoder = storage.load(registry.folder_of(imported))
    views = network.encode_context(*text_encoder.contexts([["i like the river"]]))
    scores = network.score(views, network.encode_candidates(*text_encoder.candidates(CANDIDATES)))
    assert reply.text == CANDIDATES[int(scores.argmax())]
    assert reply.evidence["score"] == pytest.approx(float(scores.max()), rel=1e-2)


@pytest.mark.parametrize("view_type", ["codes", "n_first"])
def test_an_agent_does_not_repeat_what_was_said(tmp_path: Path, view_type: str) -> None:
    config = replace(CONFIG, view_type=view_type)
    source = write_model(tmp_path / "parlai", config, polyencoder_type=view_type)
    folder = importing.convert(source, tmp_path / "out", None, lambda *_: None)
    agent = RetrievalAgent(*storage.load(folder), bank.load(folder))
    said = ["hello"]
    for _ in CANDIDATES:
        said += [agent.reply([talk(*said)])[0].text, "and?"]
    assert sorted(said[1::2]) == sorted(CANDIDATES)


def test_a_changed_dictionary_changes_the_hash(imported: Revision) -> None:
    path = registry.folder_of(imported) / "dictionary.txt"
    path.write_text(path.read_text().replace("boat", "ship"))
    with pytest.raises(ChangedFiles, match="the files changed since"):
        registry.verify(imported)


# --- Commands -----------------------------------------------------------------------------------------------------


def run(*arguments: object, **given: object) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, **given)
    return out.getvalue()


def test_import_registers_a_model_and_a_revision(db: None, model: Path, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    said = run("import_parlai", model, slug="bst-zoo")
    revision = registry.resolve("bst-zoo")
    assert revision.kind == Revision.Kind.RETRIEVAL and revision.model.name == "bst-zoo"
    assert registry.folder_of(revision) == tmp_path / "data" / "models" / "bst-zoo"
    assert "registered bst-zoo@1 as bst-zoo" in said
    registry.verify(revision)


@pytest.mark.parametrize(
    ("slug", "words"),
    [("no slug!", "is no slug"), ("a" * 61, "is longer than 60 characters"), ("", "is no slug")],
)
def test_a_slug_is_checked_before_the_work(
    db: None, model: Path, tmp_path: Path, slug: str, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run("import_parlai", model, slug=slug, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refusal_is_an_error_of_the_command(db: None, model: Path, tmp_path: Path) -> None:
    write_malicious(model, tmp_path / "trap", "beside")
    with pytest.raises(CommandError, match="Pickled code is never run"):
        run("import_parlai", model, slug="bad", out=tmp_path / "out")
    assert not RegisteredModel.objects.exists() and not (tmp_path / "trap").exists()


@pytest.fixture
def mirror(tmp_path: Path, model: Path) -> Iterator[tuple[str, Path]]:
    """A server of the zoo's archives, and the archive of one."""
    folder = tmp_path / "web" / "ed_single_task"
    folder.mkdir(parents=True)
    packed(model).rename(folder / "v1.0.tar.gz")

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder / "v1.0.tar.gz"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_of_the_zoo_is_fetched_imported_and_registered(
    db: None, mirror, settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    address, archive = mirror
    said = run("fetch_zoo", "ed_single_task", mirror=address)
    revision = registry.resolve("zoo-ed-single-task")
    assert revision.model.name == "ED (zoo)" and revision.config == {"skill": "ed"}
    assert set(bank.load(registry.folder_of(revision)).sources) == {"ed"}
    noted = (tmp_path / "data" / "zoo" / "ed_single_task.tar.gz.sha256").read_text().split()[0]
    assert f"SHA-256 {noted} (none is published" in said
    # Again: nothing is fetched, nothing new is registered.
    archive.unlink()
    assert "was imported already" in run("fetch_zoo", "ed_single_task", mirror=address)
    assert Revision.objects.count() == 1


def test_an_archive_that_changed_since_it_was_noted_is_refused(
    db: None, mirror, settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    address, archive = mirror
    run("fetch_zoo", "ed_single_task", mirror=address)
    shutil.rmtree(tmp_path / "data" / "models")
    here = tmp_path / "data" / "zoo" / "ed_single_task.tar.gz"
    here.write_bytes(here.read_bytes() + b"more")
    with pytest.raises(CommandError, match=r"ed_single_task\.tar\.gz is there already, but is another file"):
        run("fetch_zoo", "ed_single_task", mirror=address)
    here.unlink()
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(CommandError, match="another file came than was asked for"):
        run("fetch_zoo", "ed_single_task", mirror=address)


def test_after_a_failed_import_the_archive_is_not_fetched_again(
    db: None, mirror, settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    address, archive = mirror
    (tmp_path / "lines.txt").write_bytes(b"\xff")
    with pytest.raises(CommandError, match="the bank cannot be read"):
        run("fetch_zoo", "ed_single_task", mirror=address, bank=tmp_path / "lines.txt")
    archive.unlink()
    run("fetch_zoo", "ed_single_task", mirror=address)
    assert registry.resolve("zoo-ed-single-task")


def test_offline_the_zoo_says_what_to_do(db: None, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    with pytest.raises(CommandError, match=r"no answer.*put it at .*zoo/multi_task\.tar\.gz"):
        # Port 9 of this machine: nothing listens there.
        run("fetch_zoo", "multi_task", mirror="http://127.0.0.1:9")


def test_a_model_that_the_zoo_does_not_have_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="The zoo has no 'bst'; it has convai2_single_task"):
        run("fetch_zoo", "bst")


def test_the_zoo_has_the_six_models_of_the_paper() -> None:
    assert len(zoo.MODELS) == 6 and {model.skill for model in zoo.MODELS.values()} == {
        "convai2",
        "wow",
        "ed",
        "bst",
        "",
    }
    assert zoo.model("multi_task").url() == (
        "http://parl.ai/downloads/_models/blended_skill_talk/multi_task/v1.0.tar.gz"
    )
