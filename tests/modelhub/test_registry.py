"""Registered once, found by name, verified by hash, protected by the database."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from modelhub import registry
from modelhub.errors import ChangedFiles, ModelhubError, UnknownModel, UnknownRevision
from modelhub.models import RegisteredModel, Revision

pytestmark = pytest.mark.django_db
SCRIPT = {"replies": ["one", "two"]}


@pytest.fixture
def scripted() -> Revision:
    return registry.register("script", "Script", "scripted", None, SCRIPT)


def test_the_same_content_is_the_same_revision(scripted: Revision) -> None:
    assert registry.register("script", "Script", "scripted", None, SCRIPT) == scripted
    assert Revision.objects.count() == 1


def test_new_content_is_the_next_revision(scripted: Revision) -> None:
    newer = registry.register("script", "Script", "scripted", None, {"replies": ["three"]})
    assert (scripted.number, newer.number) == (1, 2)
    assert registry.resolve("script") == newer
    assert registry.get(scripted.pk).config == SCRIPT


def test_other_weights_are_the_next_revision(make_model) -> None:
    first = registry.register("m", "M", "retrieval", make_model(seed=2), {"skill": "ed"})
    again = registry.register("m", "M", "retrieval", make_model(seed=2), {"skill": "ed"})
    other = registry.register("m", "M", "retrieval", make_model(seed=3), {"skill": "ed"})
    assert again == first
    assert other.number == 2 and other.weights_sha256 != first.weights_sha256


def test_a_path_in_the_project_is_kept_relative(make_model, settings) -> None:
    folder = make_model()
    settings.BASE_DIR = folder.parent
    revision = registry.register("m", "M", "retrieval", folder, {})
    assert revision.path == folder.name
    assert registry.folder_of(revision) == folder


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "bank.safetensors", "bank.jsonl"])
def test_a_changed_file_is_refused(make_model, name: str) -> None:
    folder = make_model()
    revision = registry.register("m", "M", "retrieval", folder, {})
    registry.verify(revision)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ChangedFiles, match=r"changed since M r1 was registered.*restore them"):
        registry.verify(revision)


def test_a_folder_without_a_model_is_refused(tmp_path) -> None:
    with pytest.raises(ChangedFiles, match=r"none of config\.json"):
        registry.register("m", "M", "retrieval", tmp_path, {})
    assert not RegisteredModel.objects.exists()


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ModelhubError, match="kind 'oracle' does not exist; choose one of retrieval"):
        registry.register("m", "M", "oracle", None, {})


def test_parts_keep_their_order(scripted: Revision) -> None:
    other = registry.register("other", "Other", "scripted", None, SCRIPT)
    whole = registry.register("whole", "Whole", "random_skill", None, {}, [other, scripted])
    assert whole.config["parts"] == ["other@1", "script@1"]
    assert registry.parts_of(whole) == [other, scripted]
    assert set(whole.parts.all()) == {other, scripted}


def test_other_parts_are_another_revision(scripted: Revision) -> None:
    other = registry.register("other", "Other", "scripted", None, SCRIPT)
    first = registry.register("whole", "Whole", "random_skill", None, {}, [other, scripted])
    newer = registry.register("script", "Script", "scripted", None, {"replies": ["three"]})
    second = registry.register("whole", "Whole", "random_skill", None, {}, [other, newer])
    assert (first.number, second.number) == (1, 2)


def test_a_retired_model_is_not_resolved_until_it_is_registered_again(scripted: Revision) -> None:
    registry.retire("script")
    with pytest.raises(UnknownModel, match="'script' is retired; register it again"):
        registry.resolve("script")
    with pytest.raises(UnknownModel, match="nothing to retire"):
        registry.retire("script")
    assert registry.register("script", "Script", "scripted", None, SCRIPT) == scripted
    assert registry.resolve("script") == scripted


def test_an_unknown_name_tells_the_known_ones(scripted: Revision) -> None:
    with pytest.raises(UnknownModel, match="No model 'nobody' is registered; registered are: script"):
        registry.resolve("nobody")


def test_an_unknown_revision_is_an_error_of_its_own() -> None:
    with pytest.raises(UnknownRevision, match="There is no revision 4711"):
        registry.get(4711)


def test_a_name_can_be_corrected(scripted: Revision) -> None:
    registry.register("script", "A better name", "scripted", None, SCRIPT)
    assert RegisteredModel.objects.get().name == "A better name"


# --- The database's own refusal -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", [{"number": 9}, {"config": {}}, {"weights_sha256": "0" * 64}, {"path": "/x"}]
)
def test_the_database_refuses_to_change_a_revision(scripted: Revision, field: dict) -> None:
    with pytest.raises(DatabaseError, match="a revision is immutable"), transaction.atomic():
        Revision.objects.filter(pk=scripted.pk).update(**field)


def test_the_database_refuses_to_delete_a_revision(scripted: Revision) -> None:
    with pytest.raises(DatabaseError, match="a revision is immutable"), transaction.atomic():
        scripted.delete()
    assert Revision.objects.filter(pk=scripted.pk).exists()


def test_the_database_refuses_to_change_parts(scripted: Revision) -> None:
    whole = registry.register("whole", "Whole", "random_skill", None, {}, [scripted])
    with pytest.raises(DatabaseError, match="a revision is immutable"), transaction.atomic():
        whole.parts.clear()
