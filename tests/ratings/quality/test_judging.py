"""A study is judged: findings are stored with their evidence, kept up to date, and cleared when they hold no longer."""

from __future__ import annotations

import pytest
from django.utils import timezone

from chat.models import Conversation, Message
from ratings.models import Finding, Judgement, SafetyScore
from ratings.quality import judging, policy
from ratings.quality.due import mark_due

from .conftest import LINES, finished

pytestmark = pytest.mark.django_db


def rules(person) -> list[str]:
    return sorted(person.findings.filter(cleared_at=None).values_list("rule", flat=True))


def judge(person, **options):
    return judging.judge_study(person.study, simulated=person.worker.simulated, **options)


def test_a_finding_keeps_what_it_rests_on(worked):
    person = worked([["WHY DO YOU ASK ME THAT", "I AM NOT TELLING YOU", *LINES]])
    judged = judge(person)
    assert (judged.workers, judged.talks, judged.messages, judged.flags) == (1, 1, 6, 1)
    finding = person.findings.get()
    talk = person.conversations.get()
    assert (finding.rule, finding.rule_version, finding.threshold) == ("shouting", 1, 0.2)
    assert finding.policy == policy.in_force(person.study)
    assert finding.numbers == {"messages": 6, "found": 2, "share": 2 / 6}
    assert finding.places == [[str(talk.pk), 1, ""], [str(talk.pk), 3, ""]]
    assert set(finding.places[0][1:2]) <= set(Message.objects.values_list("position", flat=True))


def test_who_did_nothing_wrong_has_none(worked):
    person = worked()
    judge(person)
    assert rules(person) == []
    assert Judgement.objects.get().talks == 1


def test_more_talks_change_the_numbers_of_the_same_finding(worked):
    person = worked([["ok", "yes", "no", "fine"]])
    judge(person)
    before = person.findings.get()
    finished(person, 2, ["ok", "sure", *LINES[:2]], (4, 3, 2, 4), "Nice.")
    judge(person)
    after = person.findings.get()
    assert after.pk == before.pk
    assert (before.numbers["found"], after.numbers["found"], after.numbers["messages"]) == (4, 6, 8)


def test_what_holds_no_longer_is_cleared_and_stays(worked):
    person = worked([["ok", "yes", "no", "fine"]])
    judge(person)
    finished(person, 2, [*LINES, *(f"{line} Really." for line in LINES)], (4, 3, 2, 4), "Nice.")
    judge(person)
    assert rules(person) == []
    assert person.findings.get().cleared_at
    policy.declare(person.study, {"short_messages": {"threshold": 0.2}}, actor="me")
    judge(person)
    assert rules(person) == ["short_messages"]
    assert Finding.objects.count() == 2


def test_a_rule_that_is_off_is_not_asked_and_its_findings_are_cleared(worked):
    person = worked([["ok", "yes", "no", "fine"]])
    judge(person)
    policy.declare(person.study, {"short_messages": {"act": "off"}}, actor="me")
    judge(person)
    assert rules(person) == []


def test_the_classifiers_word_counts(worked):
    person = worked()
    message = Message.objects.filter(speaker="worker").first()
    SafetyScore.objects.create(message=message, probability=0.95, classifier="test")
    judge(person)
    assert rules(person) == ["unsafe_messages"]
    assert person.findings.get().places == [[str(message.conversation_id), message.position, ""]]


def test_a_talk_in_which_the_model_names_itself_is_flagged_and_not_its_worker(worked):
    person = worked([LINES, LINES], heard="I am Scripted 0-1, a language model.")
    judge(person)
    found = person.findings.filter(rule="unblinded")
    assert {each.conversation_id for each in found} == set(Conversation.objects.values_list("pk", flat=True))


def test_copies_are_found_across_workers_by_a_whole_run(worked):
    story = [f"{line} And that is the whole of my long story about it." for line in LINES]
    one, other = worked([story]), worked([story])
    judge(one)
    assert rules(one) == rules(other) == ["copied_text"]
    assert one.findings.get().numbers == {"messages": 4, "found": 4, "like_others": 4, "like_own": 0}


def test_the_two_populations_are_judged_apart(worked):
    story = [f"{line} And that is the whole of my long story about it." for line in LINES]
    person, simulated = worked([story]), worked([story], simulated_as="honest")
    assert judge(person).workers == 1
    assert judge(simulated).workers == 1
    assert rules(person) == rules(simulated) == []


def test_simulated_workers_speak_from_one_book_and_do_not_copy(worked):
    story = [f"{line} And that is the whole of my long story about it." for line in LINES]
    one, other = (worked([story], simulated_as="honest") for _ in range(2))
    judge(one)
    assert rules(one) == rules(other) == []


def test_progress_is_told(worked, monkeypatch):
    monkeypatch.setattr(judging.reading, "WORKERS_AT_ONCE", 2)
    person, *_ = [worked() for _ in range(3)]
    told: list[tuple[int, int]] = []
    judge(person, on_progress=lambda done, of: told.append((done, of)))
    assert told == [(2, 3), (3, 3)]


def test_those_who_are_due_are_judged_once(worked):
    person, other = worked([["ok", "yes", "no", "fine"]]), worked()
    mark_due(person.pk)
    assert judging.judge_people(judging.who_is_due(), timezone.now()) == 1
    assert rules(person) == ["short_messages"]
    assert not Judgement.objects.filter(participation=other).exists()
    assert judging.judge_people(judging.who_is_due(), timezone.now()) == 0


def test_who_finishes_a_talk_while_being_judged_stays_due(worked, monkeypatch):
    person = worked()
    mark_due(person.pk)
    read = judging.reading.read

    def slow(ids):
        works = read(ids)
        mark_due(person.pk)
        return works

    monkeypatch.setattr(judging.reading, "read", slow)
    judging.judge_people(judging.who_is_due(), timezone.now())
    assert Judgement.objects.get().due_since


def test_workers_of_one_device_are_linked_and_the_finding_outlives_the_traces(worked):
    from chat import traces
    from chat.models import AccountTrace, Study

    one, other, stranger = worked(), worked(), worked()
    Study.objects.update(keeps_paradata=True)
    for person, device in ((one, "a"), (other, "a"), (stranger, "b")):
        person.study.refresh_from_db()
        traces.remember(person, traces.Facts(device=device))
    judge(one)
    assert (rules(one), rules(other), rules(stranger)) == (["shared_account"], ["shared_account"], [])
    assert one.findings.get().numbers == {"others": 1, "device": 1, "participations": str(other.pk)[:8]}
    AccountTrace.objects.all().delete()
    judge(one)
    assert rules(one) == ["shared_account"]
    policy.declare(one.study, {"shared_account": {"act": "off"}}, actor="me")
    judge(one)
    assert rules(one) == []


def test_a_talk_that_is_finished_while_others_are_read_waits_for_its_turn(worked, monkeypatch):
    person = worked([["ok", "yes", "no", "fine"]])
    read_talks = judging.reading._talks

    def then_another_is_finished(ids):
        talks = read_talks(ids)
        finished(person, 2, LINES, (4, 3, 2, 4), "Nice.")
        return talks

    monkeypatch.setattr(judging.reading, "_talks", then_another_is_finished)
    (work,) = judging.reading.read([person.pk])
    assert (len(work.talks), work.messages) == (1, 4)


def test_a_worker_is_found_by_the_beginning_of_a_pseudonym(worked, django_assert_num_queries) -> None:
    person, *others = [worked() for _ in range(3)]
    find = judging.reading.participation_of
    with django_assert_num_queries(2):
        assert find(person.study, str(person.worker_id)[:12]) == person
        assert find(person.study, str(person.pk)) == person
    assert find(person.study, person.worker_id.hex[:12].upper()) == person
    assert [find(person.study, each) for each in ("", "no worker", f"{person.pk}0")] == [None] * 3
    assert find(worked().study, str(others[0].pk)[:14]) == others[0]


def test_a_worker_of_another_study_is_not_found(worked, make_study) -> None:
    assert judging.reading.participation_of(make_study(), str(worked().pk)) is None
