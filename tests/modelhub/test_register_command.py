"""``manage.py register``: trained folders and systems of them, looked at before they are stored."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modelhub import registry
from modelhub.models import Revision
from modelhub.serving.engine import Engine

from .conftest import talk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("use_tiny_base")]
PARTS = "convai2=mine,wow=yours,ed=theirs"


@pytest.fixture
def skills(make_model) -> None:
    """Three models whose names are no skills."""
    for seed, (slug, text) in enumerate((("mine", "i like cats"), ("yours", "the sea"), ("theirs", "oh no"))):
        registry.register(slug, slug, "retrieval", make_model(slug, seed, [text, f"{text}!"]), {})


def register(*arguments: object) -> str:
    out = io.StringIO()
    call_command("register", *map(str, arguments), stdout=out)
    return out.getvalue()


def skill_of_the_answer(slug: str, key: str = "talk") -> str:
    engine = Engine()
    try:
        return str(engine.reply(registry.resolve(slug).pk, talk("hello", key=key)).reply.evidence["skill"])
    finally:
        engine.close()


def test_a_trained_folder_becomes_a_model_that_answers(make_model) -> None:
    folder = make_model("fresh")
    assert register(folder, "--slug", "fresh", "--name", "Fresh") == "registered fresh@1 as Fresh\n"
    revision = registry.resolve("fresh")
    assert (revision.kind, registry.folder_of(revision)) == (Revision.Kind.RETRIEVAL, folder)
    assert skill_of_the_answer("fresh") in ("convai2", "wow", "ed")


def test_the_same_folder_is_the_same_revision_and_another_the_next(make_model) -> None:
    register(make_model("one", 1), "--slug", "m")
    assert register(make_model("one", 1), "--slug", "m") == "registered m@1 as m\n"
    assert register(make_model("two", 2), "--slug", "m") == "registered m@2 as m\n"


def test_random_skill_has_the_skills_that_were_named(skills: None) -> None:
    register("--kind", "random-skill", "--parts", PARTS, "--slug", "random")
    revision = registry.resolve("random")
    assert [part.model.slug for part in registry.parts_of(revision)] == ["mine", "yours", "theirs"]
    found = {skill_of_the_answer("random", key) for key in map(str, range(12))}
    assert found == {"convai2", "wow", "ed"}


def test_two_stage_answers_with_the_skill_that_its_manager_chooses(skills: None, make_manager) -> None:
    register(make_manager("wow"), "--kind", "two-stage", "--parts", PARTS, "--slug", "two", "--name", "Two")
    assert skill_of_the_answer("two") == "wow"
    part = registry.parts_of(registry.resolve("two"))[1]
    assert part.reference == "yours@1"


def test_a_part_can_be_an_older_revision(skills: None, make_model) -> None:
    registry.register("mine", "mine", "retrieval", make_model("newer", 8), {})
    register("--kind", "random-skill", "--parts", "convai2=mine@1,ed=mine", "--slug", "random")
    parts = registry.parts_of(registry.resolve("random"))
    assert [part.reference for part in parts] == ["mine@1", "mine@2"]


# --- Refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--kind", "random-skill"), "needs two parts or more"),
        (("--kind", "random-skill", "--parts", "ed=mine"), "needs two parts or more"),
        (("--kind", "random-skill", "--parts", "ed=mine,wow=nobody"), "No model 'nobody' is registered"),
        (("--kind", "random-skill", "--parts", "ed=mine,ed=yours"), "names a skill twice"),
        (("--kind", "random-skill", "--parts", "ed,wow"), "SKILL=MODEL,SKILL=MODEL is needed"),
        (("--kind", "two-stage", "--parts", PARTS), "needs a folder of weights"),
        ((), "needs a folder of weights"),
        (("nowhere",), r"nowhere.config\.json is missing"),
    ],
)
def test_what_makes_no_model_is_refused(skills: None, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        register(*arguments, "--slug", "new")
    assert not Revision.objects.filter(model__slug="new").exists()


def test_a_folder_that_does_not_fit_its_kind_is_refused(skills: None, make_model, make_manager) -> None:
    manager, model = make_manager("ed"), make_model("fresh")
    for arguments, says in (
        ((manager,), "holds a dialogue manager; register it with --kind two-stage"),
        ((model, "--kind", "two-stage", "--parts", PARTS), "a manager of format 1 is needed"),
        ((manager, "--kind", "two-stage", "--parts", "ed=mine,wow=yours"), "names no model for convai2"),
        ((model, "--parts", PARTS), "has no parts"),
        ((model, "--kind", "random-skill", "--parts", PARTS), "has no weights of its own"),
    ):
        with pytest.raises(CommandError, match=says):
            register(*arguments, "--slug", "new")
    assert not Revision.objects.filter(model__slug="new").exists()


def test_broken_folders_are_refused_before_anybody_talks_to_them(make_model) -> None:
    folder = make_model("fresh")
    bank = (folder / "bank.jsonl").read_text()
    (folder / "bank.jsonl").write_text(bank.replace("cats", "bats"))
    with pytest.raises(CommandError, match=r"embedded by other weights .* or from other texts"):
        register(folder, "--slug", "new")
    (folder / "bank.safetensors").unlink()
    with pytest.raises(CommandError, match=r"has no bank to answer from; embed one with manage\.py bank"):
        register(folder, "--slug", "new")


@pytest.mark.parametrize("slug", ["no slug!", "a" * 61])
def test_a_slug_is_checked(make_model, slug: str) -> None:
    with pytest.raises(CommandError, match=r"is no slug|is longer than 60"):
        register(make_model("fresh"), "--slug", slug)


def test_a_folder_can_lie_elsewhere(make_model, monkeypatch, tmp_path: Path) -> None:
    """A relative path is that of the person's folder, not of the project's."""
    make_model("fresh")
    monkeypatch.chdir(tmp_path)
    register("fresh", "--slug", "fresh")
    assert registry.folder_of(registry.resolve("fresh")) == tmp_path / "fresh"
