"""Which model and which context a worker gets, and that parallel starters never overfill."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from chat import assignment, endings
from chat.errors import CapReached, ChatError, StudyFull, WrongStep
from chat.models import Arm, Conversation, Participation

STARTERS = 40


def finish(talk: Conversation) -> None:
    """The talk is over and rated."""
    Conversation.objects.filter(pk=talk.pk).update(state=Conversation.State.RATING)
    endings.complete(talk.pk)


def talk_with(participation: Participation) -> Arm:
    """A whole talk; the arm it was with."""
    talk = assignment.start_talk(participation)
    finish(talk)
    return talk.arm


def at_once(works: list, do) -> list[str]:
    """Do something with each of the works on a thread of its own, all released together; "ok" or the code."""
    gate = Barrier(len(works))

    def run(work) -> str:
        gate.wait()
        try:
            do(work)
            return "ok"
        except ChatError as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_forty_parallel_starters_on_ten_slots_get_exactly_ten(make_study, join):
    study = make_study(target=10)
    outcomes = at_once([join(study) for _ in range(STARTERS)], assignment.start_talk)
    assert Counter(outcomes) == {"ok": 10, "study_full": 30}
    assert Conversation.objects.count() == 10
    assert study.arms.get().taken == 10
    assert Participation.objects.filter(talks_taken=1).count() == 10


@pytest.mark.django_db(transaction=True)
def test_parallel_starters_fill_the_arms_evenly(make_study, join):
    study = make_study(arms=8, target=10)
    outcomes = at_once([join(study) for _ in range(STARTERS)], assignment.start_talk)
    assert set(outcomes) == {"ok"}
    assert [arm.taken for arm in study.arms.all()] == [5] * 8


@pytest.mark.django_db(transaction=True)
def test_one_worker_in_many_tabs_gets_one_talk(make_study, join):
    study = make_study(arms=4, target=10)
    mine = join(study)
    assert set(at_once([mine] * 12, assignment.start_talk)) == {"ok"}
    assert Conversation.objects.count() == 1
    assert sum(arm.taken for arm in study.arms.all()) == 1


@pytest.mark.django_db
def test_a_slot_is_taken_by_a_guarded_update_alone(study, django_assert_num_queries):
    arm = study.arms.get()
    Arm.objects.update(taken=10)
    with django_assert_num_queries(1):
        assert not assignment._take(arm, simulated=False)
    arm.refresh_from_db()
    assert arm.taken == 10


@pytest.mark.django_db
def test_starting_again_gives_the_talk_that_is_under_way(study, participation, talk):
    assert assignment.start_talk(participation) == talk
    assert study.arms.get().taken == 1


@pytest.mark.django_db
def test_the_least_filled_arm_comes_first_counting_running_and_finished_talks(make_study, join):
    study = make_study(arms=3, target=10)
    first, second, third = study.arms.all()
    for taken, arm in ((3, first), (1, second), (2, third)):
        Arm.objects.filter(pk=arm.pk).update(taken=taken)
    got = [assignment.start_talk(join(study)).arm.position for _ in range(3)]
    assert got[0] == 2
    assert sorted(got[1:]) == [2, 3]


@pytest.mark.django_db
def test_filled_is_a_share_of_the_target(make_study, join):
    study = make_study(arms=2, target=10)
    Arm.objects.filter(position=1).update(taken=5)
    Arm.objects.filter(position=2).update(taken=6, target=20)
    assert assignment.start_talk(join(study)).arm.position == 2


@pytest.mark.django_db
def test_no_arm_comes_twice_for_a_worker_until_all_were_seen(make_study, join):
    study = make_study(arms=4, target=100)
    Arm.objects.filter(position=1).update(taken=0)
    Arm.objects.exclude(position=1).update(taken=50)
    mine = join(study)
    seen = [talk_with(mine).position for _ in range(8)]
    assert sorted(seen[:4]) == sorted(seen[4:]) == [1, 2, 3, 4]


@pytest.mark.django_db
def test_an_arm_that_is_full_counts_as_seen(make_study, join):
    study = make_study(arms=2, target=3)
    Arm.objects.filter(position=1).update(taken=3)
    mine = join(study)
    assert [talk_with(mine).position for _ in range(3)] == [2, 2, 2]
    with pytest.raises(StudyFull):
        assignment.start_talk(mine)
    mine.refresh_from_db()
    assert mine.talks_taken == 3


@pytest.mark.django_db
def test_an_abandoned_talks_arm_was_seen_too(make_study, join):
    mine = join(make_study(arms=6, target=10))
    seen = []
    for _ in range(6):
        talk = assignment.start_talk(mine)
        seen.append(talk.arm.position)
        endings.end(talk.pk, Conversation.State.ABANDONED)
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_a_worker_has_ten_talks_over_all_arms(make_study, join):
    study = make_study(arms=8, target=100, conversations_per_worker=10)
    mine = join(study)
    for _ in range(10):
        talk_with(mine)
    with pytest.raises(CapReached):
        assignment.start_talk(mine)
    assert mine.conversations.count() == 10
    assert sum(arm.taken for arm in study.arms.all()) == 10


@pytest.mark.django_db
def test_nobody_talks_without_consent(study, join):
    mine = join(study)
    Participation.objects.update(state=Participation.State.ENTERED)
    with pytest.raises(WrongStep):
        assignment.start_talk(mine)
    assert study.arms.get().taken == 0


@pytest.mark.django_db
def test_simulated_workers_take_no_slot_and_are_spread_by_their_own_count(make_study, join):
    study = make_study(arms=2, target=1)
    Arm.objects.update(taken=1)
    talks = [assignment.start_talk(join(study, simulated_as="steady")) for _ in range(6)]
    assert all(talk.simulated for talk in talks)
    assert [(arm.taken, arm.simulated_taken) for arm in study.arms.all()] == [(1, 3), (1, 3)]


@pytest.mark.django_db
def test_ties_are_drawn_and_not_always_the_first(make_study, join):
    study = make_study(arms=4, target=100)
    assert len({next(assignment.arms_due(join(study))).position for _ in range(30)}) == 4


@pytest.mark.django_db
def test_contexts_of_an_arm_are_used_evenly_and_in_order(make_study, join):
    study = make_study(target=10, contexts_n=3)
    used = [assignment.start_talk(join(study)).context.ordinal for _ in range(6)]
    assert used == [1, 2, 3, 1, 2, 3]


@pytest.mark.django_db
def test_a_worker_sees_no_context_twice_while_others_are_left(make_study, join):
    study = make_study(arms=2, target=10, contexts_n=3)
    mine = join(study)
    seen = []
    for _ in range(3):
        talk = assignment.start_talk(mine)
        seen.append(talk.context.ordinal)
        finish(talk)
    assert sorted(seen) == [1, 2, 3]


@pytest.mark.django_db
def test_simulated_talks_use_up_no_context_of_people(make_study, join):
    study = make_study(target=10, contexts_n=3)
    assignment.start_talk(join(study, simulated_as="steady"))
    assert assignment.start_talk(join(study)).context.ordinal == 1


@pytest.mark.django_db
def test_the_database_itself_refuses_an_overfilled_arm_and_a_second_live_talk(study, talk):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE chat_arm SET taken = target + 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.create(
            participation=talk.participation,
            arm=talk.arm,
            context=talk.context,
            ordinal=2,
            last_activity_at=talk.started_at,
        )
