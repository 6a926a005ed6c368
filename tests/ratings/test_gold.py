"""Gold talks: what is expected is stated by a command, shown, replaced and taken back."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from chat import assignment
from chat.models import Arm, Participation, Study
from ratings.models import GoldExpectation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(make_study: Callable[..., Study]) -> Study:
    """``study-0`` of the models ``scripted-0`` and ``scripted-1``."""
    return make_study(arms=2)


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("study", *arguments, stdout=out)
    return out.getvalue()


def stated(position: int = 1) -> dict[str, tuple[int, int]]:
    rows = GoldExpectation.objects.filter(arm__position=position)
    return {axis: (low, high) for axis, low, high in rows.values_list("axis", "low", "high")}


def test_ranges_are_stated_for_one_model(study: Study) -> None:
    said = command("gold", study.slug, "scripted-0", "overall=1-3", "knowledge=1")
    assert stated(1) == {"knowledge": (1, 1), "overall": (1, 3)}
    assert stated(2) == {}
    assert said == "Scripted 0-1: gold talks, expected knowledge 1, overall 1-3\n"


def test_what_is_stated_again_takes_the_place_of_what_was(study: Study) -> None:
    command("gold", study.slug, "scripted-0", "knowledge=1-2", "overall=1-3")
    command("gold", study.slug, "scripted-0@1", "overall=1-2")
    assert stated() == {"overall": (1, 2)}


def test_clear_makes_it_a_model_like_any_other(study: Study) -> None:
    for model in ("scripted-0", "scripted-1"):
        command("gold", study.slug, model, "knowledge=1-2")
    assert command("gold", study.slug, "scripted-0", "--clear") == "Scripted 0-1: no gold talks\n"
    assert (stated(1), stated(2)) == ({}, {"knowledge": (1, 2)})


def test_what_is_stated_after_talks_says_so(study: Study, join: Callable[..., Participation]) -> None:
    for _ in range(2):
        talk = assignment.start_talk(join(study))
    assignment.start_talk(join(study, simulated_as="honest"))
    model = talk.arm.revision.model
    said = command("gold", study.slug, model.slug, "overall=1-3")
    assert said == f"{model.name}: gold talks, expected overall 1-3; stated after 1 of its talks\n"


def test_show_tells_what_is_expected_under_the_model(study: Study) -> None:
    command("gold", study.slug, "scripted-1", "overall=1-3", "empathy=2")
    lines = command("show", study.slug).splitlines()
    assert lines[0] == "study-0: open"
    assert lines[2].startswith("  Scripted 0-2: ")
    assert lines[3] == "    gold talks, expected empathy 2, overall 1-3"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("study-0", "scripted-0", "charm=1-2"), "no axis 'charm'; there are: knowledge, empathy"),
        (
            ("study-0", "scripted-0", "overall=3-1"),
            "overall: 3-1 is no range; write LOW-HIGH, within 1 and 5",
        ),
        (("study-0", "scripted-0", "overall=0-2"), "0-2 is no range"),
        (("study-0", "scripted-0", "overall=4-6"), "4-6 is no range"),
        (("study-0", "scripted-0", "overall=1-5"), "1-5 holds every answer and expects nothing"),
        (("study-0", "scripted-0", "overall"), "'overall': write AXIS=LOW-HIGH"),
        (("study-0", "scripted-0", "overall=one"), "'overall=one': write AXIS=LOW-HIGH"),
        (("study-0", "scripted-0", "overall=1-2", "overall=1-3"), "An axis is there twice"),
        (("study-0", "scripted-0"), "Say what is expected"),
        (("study-0", "scripted-0", "overall=1-2", "--clear"), "one of the two"),
        (
            ("study-0", "nobody", "overall=1-2"),
            "'nobody' is no model of study 'study-0'; choose from: scripted-0@1, scripted-1@1",
        ),
        (("elsewhere", "scripted-0", "overall=1-2"), "no study 'elsewhere'; there are: study-0"),
    ],
)
def test_what_cannot_be_expected_is_refused_and_nothing_changes(
    arguments: tuple[str, ...], says: str, study: Study
) -> None:
    command("gold", study.slug, "scripted-0", "knowledge=2")
    with pytest.raises(CommandError, match=says):
        command("gold", *arguments)
    assert stated() == {"knowledge": (2, 2)}


def test_a_name_of_two_revisions_is_refused_and_a_revision_is_not(study: Study) -> None:
    first = study.arms.get(position=1).revision
    newer = type(first).objects.create(model=first.model, number=2, kind=first.kind, config=first.config)
    Arm.objects.create(study=study, revision=newer, position=3, target=1)
    with pytest.raises(
        CommandError, match=r"names several models .* choose from: scripted-0@1, scripted-0@2"
    ):
        command("gold", study.slug, "scripted-0", "overall=1")
    command("gold", study.slug, "scripted-0@2", "overall=1")
    assert stated(3) == {"overall": (1, 1)}


@pytest.mark.parametrize(
    ("axis", "low", "high"), [("overall", 0, 2), ("overall", 2, 6), ("overall", 3, 2), ("charm", 1, 2)]
)
def test_the_database_itself_refuses_what_is_no_range(axis: str, low: int, high: int, study: Study) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ratings_goldexpectation (arm_id, axis, low, high, stated_at) VALUES (%s, %s, %s, %s, %s)",
            [study.arms.first().pk, axis, low, high, study.created_at],
        )


def test_the_database_itself_refuses_a_second_range_on_an_axis(study: Study) -> None:
    GoldExpectation.objects.create(arm=study.arms.first(), axis="overall", low=1, high=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        GoldExpectation.objects.create(arm=study.arms.first(), axis="overall", low=1, high=3)
