"""``manage.py study create``: a study of any registered models."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chat.models import Study
from modelhub import registry
from modelhub.models import ModelHealth

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scripts() -> None:
    for slug in ("a", "b", "c"):
        registry.register(slug, slug.upper(), "scripted", None, {"replies": [slug]})


def create(*arguments: str) -> str:
    out = io.StringIO()
    call_command("study", "create", *arguments, stdout=out)
    return out.getvalue()


def test_a_study_has_an_arm_a_model_in_the_order_given() -> None:
    said = create("--template", "table7", "--models", "c,a", "--seed", "5")
    study = Study.objects.get(slug="table7")
    assert said == "study table7: draft, 200 contexts, c@1, a@1\n"
    assert [arm.revision.model.slug for arm in study.arms.all()] == ["c", "a"]
    assert (study.state, study.seed, study.conversations_per_worker) == (Study.State.DRAFT, 5, 10)


def test_it_can_have_a_name_and_a_title_and_be_opened() -> None:
    said = create("--models", "a", "--slug", "mine", "--title", "Talk to a program", "--open")
    study = Study.objects.get(slug="mine")
    assert said.startswith("study mine: open, ")
    assert (study.title, study.state) == ("Talk to a program", Study.State.OPEN)


def test_it_can_hold_replies_to_a_floor() -> None:
    create("--models", "a", "--slug", "level", "--reply-floor", "2.5")
    create("--models", "a", "--slug", "free")
    floors = Study.objects.order_by("slug").values_list("reply_floor", flat=True)
    assert [floor.total_seconds() for floor in floors] == [0, 2.5]


def test_it_can_ask_attention_items_and_tells_people_before_they_agree() -> None:
    create("--models", "a", "--slug", "asking", "--attention-every", "3")
    create("--models", "a", "--slug", "plain")
    asking, plain = Study.objects.order_by("slug")
    assert (asking.attention_every, plain.attention_every) == (3, 0)
    assert asking.consent_text.startswith(plain.consent_text)
    assert "choose a certain number" in asking.consent_text.removeprefix(plain.consent_text)
    assert "choose a certain number" not in plain.consent_text


@pytest.mark.parametrize(("every", "says"), [(1, "every talk of a worker"), (4, "every 4 talks of a worker")])
def test_a_study_is_shown_with_its_attention_items(every: int, says: str) -> None:
    create("--models", "a", "--slug", "mine", "--attention-every", str(every))
    out = io.StringIO()
    call_command("study", "show", "mine", stdout=out)
    assert out.getvalue().splitlines()[:2] == ["mine: draft", f"  an attention item {says}"]


def test_a_study_keeps_the_revision_that_was_named() -> None:
    registry.register("a", "A", "scripted", None, {"replies": ["newer"]})
    create("--models", "a@1,a")
    references = [arm.revision.reference for arm in Study.objects.get().arms.all()]
    assert references == ["a@1", "a@2"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--models", "a,nobody"), "No model 'nobody' is registered; registered are: a, b, c"),
        (("--models", "a,b,a@1"), "a revision is there twice"),
        (("--models", "a@9"), "no revision 9 of 'a'; it has: 1"),
        (("--models", "a,"), "No model '' is registered"),
        (("--models", "a", "--slug", "no slug"), "is no slug"),
        (("--models", "a", "--reply-floor", "soon"), "'soon' is no number of seconds"),
        (("--models", "a", "--reply-floor", "31"), "cannot be held for 31 s; choose a floor from 0 to 30 s"),
        (("--models", "a", "--reply-floor", "-1"), "cannot be held for -1 s"),
        (("--models", "a", "--reply-floor", "nan"), "is no number of seconds"),
        (("--models", "a", "--attention-every", "11"), "every 11 talks: a worker has at most 10"),
        (("--models", "a", "--attention-every", "-1"), "every -1 talks"),
        (("--models", "a", "--attention-every", "two"), "invalid int value: 'two'"),
        (("--models", "a", "--template", "table8"), "invalid choice: 'table8'"),
        (("--models", "a", "--slug", "taken"), "There is a study 'taken' already; name this one with --slug"),
    ],
)
def test_what_makes_no_study_is_refused(arguments: tuple[str, ...], says: str) -> None:
    Study.objects.create(slug="taken")
    with pytest.raises(CommandError, match=says):
        create(*arguments)
    assert Study.objects.count() == 1


def test_a_model_without_a_bank_is_refused_alone_or_as_a_part(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    mute = registry.register("mute", "Mute", "retrieval", tmp_path, {})
    registry.register("random", "Random", "random_skill", None, {}, [mute, registry.resolve("a")])
    for model in ("mute", "random"):
        with pytest.raises(
            CommandError, match=r"mute@1 has no bank to answer from; embed one with manage.py bank mute"
        ):
            create("--models", f"a,{model}")
    assert not Study.objects.exists()


def test_a_study_is_shown_with_who_serves_its_models() -> None:
    create("--models", "a,b", "--slug", "mine", "--open")
    sick = registry.resolve("b")
    ModelHealth.objects.create(revision=sick, is_open=True, reason="engine_timeout")
    out = io.StringIO()
    call_command("study", "show", "mine", stdout=out)
    assert out.getvalue().splitlines() == [
        "mine: open",
        "  A: 0 done, 0 talking, of 100; no worker holds it yet; the first turn has it loaded",
        "  B: 0 done, 0 talking, of 100; no talk begins now: paused after failures: engine_timeout",
    ]


def test_a_study_that_is_not_there_is_named_with_those_that_are() -> None:
    create("--models", "a", "--slug", "mine")
    with pytest.raises(CommandError, match="no study 'yours'; there are: mine"):
        call_command("study", "show", "yours")
