"""Studies from a template, their progress, and what serving workers are to load."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from chat import assignment, endings, studies
from chat.models import Conversation, SeedContext, Study
from modelhub import serving
from modelhub.dialogue import Skill
from modelhub.models import Revision
from modelhub.serving import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def table7(make_revision) -> Study:
    revisions = [make_revision(f"Model {n}") for n in range(1, 9)]
    return studies.create_from_template("table7", slug="table7", revisions=revisions, seed=5)


def test_the_template_has_the_papers_numbers(table7):
    assert [arm.revision.model.name for arm in table7.arms.all()] == [f"Model {n}" for n in range(1, 9)]
    assert {arm.target for arm in table7.arms.all()} == {100}
    assert (table7.conversations_per_worker, table7.min_turns, table7.max_words) == (10, 6, 30)
    assert table7.idle_limit.total_seconds() == 1800
    assert table7.state == Study.State.DRAFT


def test_the_pool_of_contexts_is_stored_as_it_was_drawn(table7):
    from modelhub.datasets.contexts import draw_contexts

    assert [context.as_value() for context in table7.contexts.all()] == list(draw_contexts(200, 5))
    assert {context.source for context in table7.contexts.all()} == {Skill.CONVAI2, Skill.WOW, Skill.ED}


def test_a_slug_is_taken_once(table7, make_revision):
    with pytest.raises(IntegrityError):
        studies.create_from_template("table7", slug="table7", revisions=[make_revision()])


def test_an_unknown_template_is_refused_and_nothing_is_made():
    with pytest.raises(KeyError):
        studies.create_from_template("table8", slug="x", revisions=[])
    assert not Study.objects.exists()


def test_a_study_opens_pauses_and_closes(table7):
    for change, state in (
        (studies.pause, "draft"),
        (studies.open_study, "open"),
        (studies.pause, "paused"),
        (studies.open_study, "open"),
        (studies.close, "closed"),
        (studies.pause, "closed"),
    ):
        change(table7)
        assert table7.state == state


def test_progress_counts_people_and_simulated_workers_apart(make_study, join, django_assert_num_queries):
    study = make_study(arms=2, target=5)
    ends = [Conversation.State.COMPLETE, Conversation.State.ABANDONED, None, None]
    for state in ends:
        for behaviour in ("", "steady"):
            talk = assignment.start_talk(join(study, simulated_as=behaviour))
            if state == Conversation.State.COMPLETE:
                Conversation.objects.filter(pk=talk.pk).update(state=Conversation.State.RATING)
                endings.complete(talk.pk)
            elif state:
                endings.end(talk.pk, state)
    health.unavailable()  # which is asked once a second
    with django_assert_num_queries(2):
        rows = studies.progress(study)
        names = [row.name for row in rows]
    assert names == ["Scripted 0-1", "Scripted 0-2"]
    assert [row.target for row in rows] == [5, 5]
    for field, total in (
        ("done", 1), ("talking", 2), ("ended_early", 1), ("simulated_done", 1), ("simulated_talking", 2),
    ):  # fmt: skip
        assert sum(getattr(row, field) for row in rows) == total, field


def test_a_serving_worker_is_told_what_open_studies_need(make_study):
    study, closed = make_study(arms=2), make_study(arms=1)
    studies.close(closed)
    wanted = {revision for hook in serving.wanted for revision in hook()}
    assert wanted == {arm.revision_id for arm in study.arms.all()}


def test_loading_the_starter_twice_makes_one_open_study_with_eight_models(capsys):
    call_command("load_starter")
    study = Study.objects.get(slug="table7")
    made = (Revision.objects.count(), SeedContext.objects.count())
    call_command("load_starter")
    assert study.is_open
    assert [arm.revision.model.name for arm in study.arms.all()] == [
        "ConvAI2",
        "WoW",
        "ED",
        "BST",
        "Random-Skill",
        "MT Two-Stage",
        "MT Single-Skills",
        "MT Single-Skills +BST fine-tuning",
    ]
    assert Study.objects.count() == 1
    assert (Revision.objects.count(), SeedContext.objects.count()) == made
    assert capsys.readouterr().out.splitlines() == [
        "study table7: made and opened",
        "study table7: there already",
    ]


def test_the_consent_says_that_typing_is_kept_and_what_of_it_is_not(table7):
    assert table7.keeps_paradata
    [kept] = [part for part in table7.consent_text.split("\n\n") if part.startswith("What is kept.")]
    assert "how you typed it" in kept and "never what you deleted" in kept


def test_the_consent_names_the_days_for_which_traces_are_kept(make_revision, settings):
    settings.ACCOUNT_TRACE_DAYS = 12
    study = studies.create_from_template("table7", slug="twelve", revisions=[make_revision()])
    assert "For at most 12 days we keep a coded form" in study.consent_text
