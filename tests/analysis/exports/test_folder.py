"""An export's folder: whole or not at all, taken up where it was broken off, never over something else."""

from __future__ import annotations

import gc
import hashlib
import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import GeneratorType

import pytest
from django.db import connection

from analysis.errors import ExportRefused, UnknownFormat, UnknownRecords
from analysis.exports.data import FORMS, KINDS, Exported, export
from analysis.exports.data import source as reading
from analysis.exports.data.folder import UNFINISHED, digest_of
from analysis.exports.data.snapshot import one_moment
from chat.models import Conversation, Message
from tests.analysis.exports.collected import Collected

every_form = pytest.mark.parametrize("form", [form.name for form in FORMS])


class BrokenOff(Exception):
    """What a test does to a run."""


def breaking_at(kind: str) -> Callable[[str, int], None]:
    def tell(what: str, done: int) -> None:
        if what == kind:
            raise BrokenOff

    return tell


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@every_form
def test_the_same_data_gives_the_same_bytes(collected: Collected, tmp_path: Path, form: str) -> None:
    first, second = (
        contents(export(collected.study, tmp_path / name, form=form).folder) for name in ("one", "two")
    )
    assert first == second and len(first) > 1


@every_form
def test_what_an_export_says_of_itself_names_every_file_with_its_hash(
    exported: Callable[..., Exported], form: str
) -> None:
    done = exported(form)
    about = json.loads((done.folder / done.form.about).read_text())
    for name, told in about["files"].items():
        path = done.folder / name
        if path.is_file():
            assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            assert told["files"] == sum(each.is_file() for each in path.rglob("*"))
    assert about["sha256"] == digest_of(about)
    assert (about["study"], about["population"], about["identified"]) == ("table7", "people", False)


def test_a_run_that_was_broken_off_leaves_nothing_under_its_name(
    collected: Collected, tmp_path: Path
) -> None:
    with pytest.raises(BrokenOff):
        export(collected.study, tmp_path / "out", on_progress=breaking_at("ratings"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [UNFINISHED]


def test_the_next_run_goes_on_where_it_was_broken_off(collected: Collected, tmp_path: Path) -> None:
    with pytest.raises(BrokenOff):
        export(collected.study, tmp_path / "out", on_progress=breaking_at("ratings"))
    read: list[str] = []
    export(collected.study, tmp_path / "out", on_progress=lambda what, done: read.append(what))
    assert read == ["ratings", "policies", "findings", "decisions", "plans", "looks"]
    assert contents(tmp_path / "out") == contents(export(collected.study, tmp_path / "whole").folder)


def test_after_a_change_of_the_data_it_begins_anew(collected: Collected, tmp_path: Path) -> None:
    with pytest.raises(BrokenOff):
        export(collected.study, tmp_path / "out", on_progress=breaking_at("ratings"))
    collected.talk("eve", 0, scores=(1, 1, 1, 1))
    read: list[str] = []
    export(collected.study, tmp_path / "out", on_progress=lambda what, done: read.append(what))
    assert read == [kind.name for kind in KINDS]


def test_a_finished_part_that_was_damaged_meanwhile_is_made_again(
    collected: Collected, tmp_path: Path
) -> None:
    with pytest.raises(BrokenOff):
        export(collected.study, tmp_path / "out", on_progress=breaking_at("ratings"))
    part = tmp_path / "out" / UNFINISHED / "workers.jsonl"
    part.write_text(part.read_text()[:-5])
    export(collected.study, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(export(collected.study, tmp_path / "whole").folder)


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file of this process may grow beyond 20 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_where_there_is_no_room_no_query_is_left_open(
    many: Collected, little_room: None, tmp_path: Path, form: str
) -> None:
    """A cursor that is closed after its database prints a traceback below the sentence."""
    with pytest.raises(OSError, match="File too large") as raised:
        export(many.study, tmp_path / "all", form=form, what=["ratings"])
    generators = [each for each in gc.get_objects() if type(each) is GeneratorType]
    assert not [each for each in generators if each.gi_code.co_name == "cursor_iter" and each.gi_frame]
    assert raised and not (tmp_path / "all" / "export.json").exists()


def test_a_later_export_takes_the_place_of_the_earlier_one(collected: Collected, tmp_path: Path) -> None:
    export(collected.study, tmp_path / "out")
    export(collected.study, tmp_path / "out", what=["ratings"])
    assert sorted(contents(tmp_path / "out")) == ["export.json", "ratings.jsonl"]


def test_a_listed_name_that_points_elsewhere_is_not_removed(collected: Collected, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    about = export(collected.study, tmp_path / "out", what=["ratings"]).folder / "export.json"
    told = json.loads(about.read_text())
    told["files"]["../precious.txt"] = told["files"]["ratings.jsonl"]
    about.write_text(json.dumps(told))
    export(collected.study, tmp_path / "out", what=["ratings"])
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("files", [{".": {}}, {"": {}}, {"sub/..": {}}, {"a\0": {}}, 5, [[1]]])
def test_an_export_that_lists_its_own_folder_takes_nothing_with_it(
    collected: Collected, tmp_path: Path, files: object
) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "mine.txt").write_text("keep")
    told = {"study": "table7", "form": "jsonl", "files": files}
    told["sha256"] = digest_of(told)
    (tmp_path / "all" / "export.json").write_text(json.dumps(told))
    export(collected.study, tmp_path / "all")
    assert (tmp_path / "all" / "mine.txt").read_text() == "keep"


def test_a_folder_of_other_files_is_left_alone(collected: Collected, tmp_path: Path) -> None:
    (tmp_path / "ratings.jsonl").write_text("mine")
    with pytest.raises(ExportRefused, match="holds other files; name a new or an empty folder"):
        export(collected.study, tmp_path)
    assert (tmp_path / "ratings.jsonl").read_text() == "mine"


def test_an_export_of_another_format_is_left_alone(collected: Collected, tmp_path: Path) -> None:
    export(collected.study, tmp_path / "out")
    with pytest.raises(ExportRefused, match=r"holds another export \(table7, jsonl\)"):
        export(collected.study, tmp_path / "out", form="csv")


def test_a_file_in_the_place_of_the_folder_is_a_sentence(collected: Collected, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportRefused, match="is no folder"):
        export(collected.study, tmp_path / "out")


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"form": "xlsx"}, UnknownFormat, "no format 'xlsx'; known: jsonl, csv, parquet, parlai"),
        ({"what": ["ratings", "votes"]}, UnknownRecords, "no records 'votes'; known: study, models"),
        ({"form": "bundle", "what": ["ratings"]}, ExportRefused, "no choice of records: leave --what away"),
    ],
)
def test_what_there_is_not_is_named(
    collected: Collected, tmp_path: Path, asked: dict, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        export(collected.study, tmp_path / "out", **asked)


# --- Reading ----------------------------------------------------------------------------------------------


def test_queries_grow_with_batches_of_talks_and_with_nothing_else(
    collected: Collected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable
) -> None:
    with django_assert_num_queries(25):
        export(collected.study, tmp_path / "one", what=["conversations"])
    monkeypatch.setattr(reading, "TALKS_AT_ONCE", 2)
    with django_assert_num_queries(25 + 2 * 5):
        export(collected.study, tmp_path / "three", what=["conversations"])
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


@pytest.mark.django_db(transaction=True)
def test_all_of_it_is_of_one_moment(study, talk: Conversation) -> None:
    def said_meanwhile() -> None:
        Message.objects.create(conversation=talk, position=1, speaker="worker", text="Hello?")
        connection.close()

    with one_moment():
        before = Message.objects.count()
        other = Thread(target=said_meanwhile)
        other.start()
        other.join(timeout=60)
        assert not other.is_alive()
        assert Message.objects.count() == before
    assert Message.objects.count() == before + 1
