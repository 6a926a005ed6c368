"""The researcher's pages of worker quality: what they show, what their buttons do, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from chat.assignment import start_talk
from chat.models import Conversation, Message, Participation, Study
from ratings import quality_views, tasks
from ratings.models import Decision, Finding, Policy, StudyNorms
from ratings.quality import decisions, judging

from .conftest import LINES

pytestmark = pytest.mark.django_db
SHORT = [["ok", "yes", "no", "fine"]]
SHOUT = [["WHY DO YOU ASK ME THAT", "I AM NOT TELLING YOU", *LINES]]


def page_of(client: Client, name: str, *args: object, status: int = 200, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status
    return answer.content.decode()


def judge(person: Participation) -> None:
    judging.judge_study(person.study, simulated=person.worker.simulated)


def short(person: Participation) -> str:
    return person.worker_id.hex[:8]


def listed(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a class="mono"[^>]*>(\w+)</a>', page)


def figures(page: str) -> dict[str, int]:
    return {name: int(n) for name, n in re.findall(r'<dt>([\w ]+)</dt><dd class="big num">(\d+)</dd>', page)}


@pytest.fixture
def crowd(worked: Callable[..., Participation]) -> dict[str, Participation]:
    """Four people who were judged, one by one worse than the one before."""
    people = {
        "good": worked(),
        "greets": worked([["Hi there, how are you?", *LINES]]),
        "short": worked(SHORT),
        "both": worked([["OK OK", "NO NO", "GO ON", "FINE THEN"]]),
    }
    judge(people["good"])
    return people


# --- The list -----------------------------------------------------------------------------------------------------


def test_who_is_due_comes_first_then_who_has_most_flags(crowd, researcher: Client) -> None:
    page = page_of(researcher, "workers", crowd["good"].study.slug)
    assert listed(page) == [short(crowd[name]) for name in ("both", "short", "greets", "good")]
    assert figures(page) == {"judged": 4, "flagged": 3, "due by policy": 2, "excluded": 0}


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("flagged", ["short", "greets", "both"]),
        ("due", ["short"]),
        ("excluded", ["both"]),
        ("nonsense", ["short", "greets", "both", "good"]),
    ],
)
def test_workers_are_filtered(show: str, names: list[str], crowd, researcher: Client) -> None:
    decisions.exclude(crowd["both"], reason="writing", actor="ada")
    page = page_of(researcher, "workers", crowd["good"].study.slug, show=show)
    assert set(listed(page)) == {short(crowd[name]) for name in names}


def test_workers_are_filtered_by_rule(crowd, researcher: Client) -> None:
    page = page_of(researcher, "workers", crowd["good"].study.slug, rule="greeting_openings")
    assert listed(page) == [short(crowd["greets"])]


def test_who_has_worked_how_stands_in_the_row(crowd, researcher: Client) -> None:
    Conversation.objects.update(last_position=10)
    page = page_of(researcher, "workers", crowd["good"].study.slug, rule="greeting_openings")
    assert 'aria-label="4 ratings: 0 × 1, 1 × 2, 1 × 3, 2 × 4, 0 × 5"' in page
    assert re.findall(r"<td>([\d.]+)</td>", page)[-4:] == ["1", "5", "60.0", "300"]
    assert "Greets in the middle" in page and '<span class="quiet">counts</span>' in page


def test_people_and_simulated_workers_are_listed_apart(crowd, worked, researcher: Client) -> None:
    simulated = worked(SHORT, simulated_as="short_writer")
    slug = simulated.study.slug
    page = page_of(researcher, "workers", slug, population="simulated")
    assert listed(page) == [short(simulated)]
    assert "short_writer" in page and "Simulated workers." in page
    assert short(simulated) not in page_of(researcher, "workers", slug)


def test_without_people_the_simulated_workers_are_shown(worked, researcher: Client) -> None:
    simulated = worked(SHORT, simulated_as="short_writer")
    assert listed(page_of(researcher, "workers", simulated.study.slug)) == [short(simulated)]


def test_an_unknown_population_is_refused(study: Study, researcher: Client) -> None:
    page_of(researcher, "workers", study.slug, population="robots", status=400)


def test_pages_keep_the_filter(crowd, researcher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality_views, "WORKERS_PER_PAGE", 1)
    slug = crowd["good"].study.slug
    assert "?show=due&amp;page=2" in page_of(researcher, "workers", slug, show="due")
    assert listed(page_of(researcher, "workers", slug, show="due", page="2")) == [short(crowd["short"])]


def test_a_study_without_workers_says_what_to_do(study: Study, researcher: Client) -> None:
    assert "No person has begun a talk" in page_of(researcher, "workers", study.slug)
    assert "manage.py simulate" in page_of(researcher, "workers", study.slug, population="simulated")


def test_the_list_costs_the_same_queries_however_many_workers(
    worked, researcher: Client, django_assert_num_queries
) -> None:
    for _ in range(3):
        judge(worked(SHORT))
    study = worked([*SHORT, LINES]).study
    with django_assert_num_queries(13):  # the session's two, and eleven
        page_of(researcher, "workers", study.slug)


def test_expected_false_flags_are_told_once_they_are_measured(crowd, researcher: Client) -> None:
    study = crowd["good"].study
    measured = StudyNorms.objects.get(study=study)
    measured.values["expected"] = {"talk_time": 0.127}
    measured.save()
    page = page_of(researcher, "workers", study.slug)
    assert "<td>0.13</td>" in page and "no model speaks of it" in page
    StudyNorms.objects.all().delete()
    assert "not measured yet: run a whole judgement" in page_of(researcher, "workers", study.slug)


@pytest.mark.parametrize(
    "name", ["workers", "carry_out_policy", "quality_policy", "decisions", "decisions_file", "worker"]
)
def test_looking_changes_nothing(name: str, worked, researcher: Client) -> None:
    person = worked(SHORT)
    page_of(researcher, name, person.study.slug, *([person.pk] if name == "worker" else []))
    assert not (Policy.objects.exists() or Decision.objects.exists() or Finding.objects.exists())


# --- Judging everybody --------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What was asked of the queue."""
    calls: list[tuple] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: calls.append((name, *args)))
    return calls


def test_the_button_asks_for_a_judgement_and_the_page_tells_how_far_it_is(
    worked, researcher: Client, asked: list[tuple]
) -> None:
    person, study = worked(SHORT), worked().study
    answer = researcher.post(reverse("judge_workers", args=[study.slug]), {"population": "people"})
    assert asked == [(tasks.judge_study.name, study.pk, False)]
    assert "0 of 2</span> were judged since" in researcher.get(answer["Location"]).content.decode()
    tasks.judge_study(*asked[0][1:])
    page = researcher.get(answer["Location"]).content.decode()
    assert "2 of 2</span> were judged since" in page
    assert person.findings.get().rule == "short_messages"


def test_a_queue_that_is_away_is_told(worked, researcher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **options: object) -> None:
        raise OperationalError("no queue")

    monkeypatch.setattr(current_app, "send_task", away)
    answer = researcher.post(reverse("judge_workers", args=[worked().study.slug]))
    assert answer.status_code == 503
    assert "nothing was asked" in answer.content.decode()


def test_a_study_that_is_gone_is_not_judged(worked) -> None:
    tasks.judge_study(worked().study.pk + 1, False)
    assert not Policy.objects.exists()


# --- Whom the policy names ----------------------------------------------------------------------------------------


def test_the_page_names_them_and_changes_nothing(crowd, researcher: Client) -> None:
    page = page_of(researcher, "carry_out_policy", crowd["good"].study.slug)
    assert "Exclude 2 workers?" in page
    assert listed(page) == [short(crowd["both"]), short(crowd["short"])]
    assert not Participation.objects.filter(excluded_at__isnull=False).exists()


def test_the_button_excludes_them_one_decision_each(crowd, researcher: Client) -> None:
    slug = crowd["good"].study.slug
    sent = {"population": "people", "workers": "2", "note": "end of the study"}
    answer = researcher.post(reverse("carry_out_policy", args=[slug]), sent, follow=True)
    assert "2 workers excluded by the policy" in answer.content.decode()
    made = Decision.objects.filter(act="exclude")
    assert {(each.participation, each.reason, each.actor, each.note) for each in made} == {
        (crowd[name], "policy", "ada", "end of the study") for name in ("both", "short")
    }
    assert "The policy names nobody" in page_of(researcher, "carry_out_policy", slug)


def test_a_number_that_has_changed_meanwhile_is_asked_again(crowd, researcher: Client) -> None:
    sent = {"population": "people", "workers": "1", "note": "typed already"}
    answer = researcher.post(reverse("carry_out_policy", args=[crowd["good"].study.slug]), sent)
    assert answer.status_code == 409
    assert "The policy names 2 workers now." in answer.content.decode()
    assert 'value="typed already"' in answer.content.decode()
    assert not Participation.objects.filter(excluded_at__isnull=False).exists()


# --- One worker ---------------------------------------------------------------------------------------------------


def worker_page(client: Client, person: Participation, **query: str) -> str:
    return page_of(client, "worker", person.study.slug, person.pk, **query)


def decide(client: Client, act: str, person: Participation, **sent: str):
    return client.post(reverse(f"{act}_worker", args=[person.study.slug, person.pk]), sent)


def test_a_finding_is_shown_with_its_numbers_threshold_and_the_very_messages(worked, researcher) -> None:
    person = worked(SHOUT)
    judge(person)
    page = worker_page(researcher, person)
    transcript = reverse("transcript", args=[person.study.slug, person.conversations.get().pk])
    assert "<dt>Found</dt><dd>2</dd><dt>Share</dt><dd>33.3 %</dd>" in re.sub(r">\s+<", "><", page)
    assert "<dt>Threshold</dt><dd>20 % of messages</dd>" in page
    assert "Rule version 1, policy 1" in page
    for position, text in ((1, "WHY DO YOU ASK ME THAT"), (3, "I AM NOT TELLING YOU")):
        assert f'<p class="breakable" dir="auto">{text}</p>' in page
        assert f'href="{transcript}#m{position}"' in page
    assert f'<p class="breakable" dir="auto">{LINES[0]}' not in page


def test_the_transcript_has_the_place_that_a_finding_leads_to(worked, researcher: Client) -> None:
    person = worked(SHOUT)
    page = page_of(researcher, "transcript", person.study.slug, person.conversations.get().pk)
    assert '<li id="m3"' in page and 'id="ratings"' in page
    assert reverse("worker", args=[person.study.slug, person.pk]) in page


def test_ratings_that_never_differ_are_shown_with_the_odds(worked, researcher: Client) -> None:
    for _ in range(6):
        worked([LINES] * 3, [(4, 3, 2, 4), (2, 3, 4, 1), (5, 2, 3, 3)])
    person = worked([LINES] * 3, [(4, 4, 4, 4)])
    judge(person)
    finding = person.findings.get(rule="same_answer_everywhere")
    Finding.objects.filter(pk=finding.pk).update(null_probability=0.0004)
    page = worker_page(researcher, person)
    assert '<b class="num">1 of 2,500</b> honest workers of this study would be flagged' in page
    assert (
        page.count("Knowledge <b>4</b>, Empathy <b>4</b>, Personal <b>4</b>, Overall quality <b>4</b>") == 3
    )
    assert "1 of 2,500" in page_of(researcher, "workers", person.study.slug)


def test_markup_in_a_message_stays_text(worked, researcher: Client) -> None:
    person = worked([["<script>alert(1)</script>", "yes", "no", "fine"]])
    judge(person)
    page = worker_page(researcher, person)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_nothing_of_another_study_is_shown(worked, make_study, join, researcher: Client) -> None:
    person, other = worked(SHORT), join(make_study())
    judge(person)
    foreign = start_talk(other)
    Message.objects.create(conversation=foreign, position=1, speaker="worker", text="said elsewhere")
    person.findings.update(places=[[str(foreign.pk), 1, ""]])
    page = worker_page(researcher, person)
    assert "said elsewhere" not in page and str(foreign.pk) not in page


def test_what_holds_no_longer_is_told_apart(worked, researcher: Client) -> None:
    person = worked(SHORT)
    judge(person)
    person.findings.update(cleared_at=timezone.now())
    page = worker_page(researcher, person)
    assert "No rule flags this worker." in page and "1 finding that holds no longer" in page


def test_a_talk_that_is_flagged_is_no_flag_of_its_worker(worked, researcher: Client) -> None:
    person = worked([LINES, LINES], heard="I am a language model.")
    judge(person)
    page = worker_page(researcher, person)
    assert "The model named itself, in 2 talks" in page
    assert "honest workers are flagged is not known" not in page
    assert figures(page_of(researcher, "workers", person.study.slug))["flagged"] == 0


def test_a_worker_s_page_costs_the_same_queries_however_much_they_said(
    worked, researcher: Client, django_assert_num_queries
) -> None:
    person = worked([*SHOUT, *SHOUT, LINES], heard="I am a language model.")
    judge(person)
    with django_assert_num_queries(13):  # the session's two, and eleven
        worker_page(researcher, person)


@pytest.mark.parametrize(
    "name",
    [
        *("worker", "exclude_worker", "restore_worker"),
        *("approve_pay", "reject_pay", "confirm_rejection", "give_bonus"),
    ],
)
def test_a_worker_of_another_study_is_none_here(name: str, worked, make_study, researcher: Client) -> None:
    person, other = worked(SHORT), make_study()
    address = reverse(name, args=[other.slug, person.pk])
    answer = researcher.get(address) if name == "worker" else researcher.post(address, {"reason": "writing"})
    assert answer.status_code == 404
    assert not Decision.objects.exists()


# --- Deciding -----------------------------------------------------------------------------------------------------


def test_an_exclusion_is_told_and_undone_by_its_button(worked, researcher: Client) -> None:
    person = worked(SHORT)
    answer = decide(researcher, "exclude", person, reason="writing", note="see talk 1")
    page = researcher.get(answer["Location"]).content.decode()
    assert "Excluded: 1 finished talk counts no longer." in page and ">Undo<" in page
    person.refresh_from_db()
    assert person.excluded_at
    answer = decide(researcher, "restore", person, reason="mistake")
    assert "Restored: 1 finished talk counts again." in researcher.get(answer["Location"]).content.decode()
    person.refresh_from_db()
    assert person.excluded_at is None
    assert "“see talk 1”" in worker_page(researcher, person)


def test_what_was_decided_before_is_not_told_again(worked, researcher: Client) -> None:
    person = worked(SHORT)
    first = decisions.exclude(person, reason="writing", actor="ada")
    decisions.restore(person, reason="mistake", actor="ada")
    assert ">Undo<" not in worker_page(researcher, person, decided=str(first.pk))
    decisions.exclude(person, reason="writing", actor="ada")
    assert ">Undo<" not in worker_page(researcher, person)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"reason": "", "note": "typed already"}, "reason", "choose one of: policy"),
        ({"reason": "mistake", "note": "typed already"}, "reason", "&#x27;mistake&#x27; is no reason here"),
        ({"reason": "other", "note": " "}, "note", "say in a few words"),
    ],
)
def test_a_refused_exclusion_says_why_at_its_field_and_loses_nothing(
    sent: dict[str, str], field: str, said: str, worked, researcher: Client
) -> None:
    person = worked(SHORT)
    answer = decide(researcher, "exclude", person, **sent)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert re.search(rf'id="decide-{field}-error">[^<]*{said}', page)
    assert f">{sent['note']}</textarea>" in page and "<title>Error: " in page
    person.refresh_from_db()
    assert person.excluded_at is None


@pytest.mark.parametrize(
    ("act", "said"), [("exclude", "excluded from the study already"), ("restore", "not excluded")]
)
def test_what_others_decided_meanwhile_is_told(act: str, said: str, worked, researcher: Client) -> None:
    person = worked(SHORT)
    if act == "exclude":
        decisions.exclude(person, reason="writing", actor="bob")
    answer = decide(researcher, act, person, reason={"exclude": "writing", "restore": "mistake"}[act])
    assert answer.status_code == 409
    assert said in answer.content.decode()
