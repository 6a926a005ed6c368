"""``manage.py draw_contexts``: a study's contexts from the data sets that are installed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from chat import assignment, studies
from chat.models import Conversation, SeedContext
from modelhub.datasets.contexts import draw_contexts
from modelhub.datasets.layout import STARTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(make_study):
    """A study that is not open; four contexts are in its pool."""
    study = make_study()
    studies.pause(study)
    return study


def drawn(study, **options) -> str:
    out = StringIO()
    call_command("draw_contexts", study=study.slug, data=STARTER, stdout=out, **options)
    return out.getvalue()


def values(study):
    return [context.as_value() for context in study.contexts.order_by("ordinal")]


def test_contexts_of_the_folder_take_the_place_of_those_there_were(draft):
    printed = drawn(draft, number=30, seed=6)
    assert values(draft) == draw_contexts(30, seed=6, folder=STARTER)
    assert printed.startswith(f"study {draft.slug}: 30 contexts with seed 6: ")
    assert "not installed" not in printed


def test_without_a_seed_the_studys_own_counts(draft):
    draft.seed = 11
    draft.save()
    assert "200 contexts with seed 11" in drawn(draft)
    assert values(draft) == draw_contexts(200, seed=11, folder=STARTER)


def test_data_sets_that_are_not_installed_are_named(draft, tmp_path):
    for name in ("ed", "persona_list.txt", "topic_to_persona_list.txt"):
        (tmp_path / name).symlink_to(STARTER / name)
    out = StringIO()
    call_command("draw_contexts", study=draft.slug, data=tmp_path, number=3, stdout=out)
    assert "3 from ed\n" in out.getvalue()
    assert f"not installed in {tmp_path}, so nothing is seeded by it: convai2, wow" in out.getvalue()


@pytest.mark.parametrize("change", [studies.open_study, None])
def test_a_study_that_is_open_or_in_which_somebody_talked_keeps_its_contexts(make_study, join, change):
    study = make_study()
    if change is None:
        assignment.start_talk(join(study))
        studies.close(study)
    before = values(study)
    with pytest.raises(CommandError, match="stay as they are"):
        drawn(study, number=5)
    assert values(study) == before


def test_other_studies_keep_theirs(draft, make_study, join):
    other = make_study()
    assignment.start_talk(join(other))
    drawn(draft, number=5)
    assert other.contexts.count() == 4 and Conversation.objects.get().context.study == other


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"study": "nowhere"}, "There is no study 'nowhere'"),
        ({"number": 0}, "--number counts from 1"),
        ({"data": "/nowhere"}, "/nowhere has neither valid nor test of convai2, ed, wow"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_changes(draft, tmp_path, options, reason):
    with pytest.raises(CommandError, match=reason):
        given = {"study": draft.slug, "data": STARTER, **options}
        call_command("draw_contexts", **{**given, "data": tmp_path.__class__(given["data"])})
    assert SeedContext.objects.count() == 4
