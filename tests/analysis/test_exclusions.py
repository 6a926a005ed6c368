"""What leaving workers out does to Table 7: before and after, by rule and together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.exclusions import effect_of_worker, effects, in_a_sentence
from analysis.reading.frames import Population, complete_talks, ratings_frame
from analysis.report import analysis_of_study
from analysis.statistics.interval_methods import IntervalOptions
from chat import exclusion
from ratings.models import Finding
from ratings.quality import policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def spoilt(rated_study):
    """Two models, eight fair workers, and one who gives the first model 5 and the second 1, whatever it says."""
    study = rated_study(models=["ConvAI2", "WoW"])
    for n in range(8):
        study.talk(f"fair {n}", 0, [3, 3, 3, 2 + n % 2])
        study.talk(f"fair {n}", 1, [3, 3, 3, 3 + n % 2])
    for _ in range(4):
        study.talk("liner", 0, [5, 5, 5, 5])
        study.talk("liner", 1, [1, 1, 1, 1])
    return study


def flag(study, name: str, rule: str, **fields) -> None:
    Finding.objects.create(
        participation=study.participation(name, False),
        rule=rule,
        rule_version=1,
        policy=policy.in_force(study.study),
        threshold=0,
        numbers={},
        places=[],
        found_at=timezone.now(),
        **fields,
    )


def variants(study) -> dict:
    return {each.name: each for each in effects(study.study, Population.PEOPLE).variants}


def test_each_rule_alone_and_all_together(spoilt):
    flag(spoilt, "liner", "same_answer_everywhere")
    flag(spoilt, "fair 0", "pasted_text")
    found = variants(spoilt)
    assert {name: (each.workers, each.talks) for name, each in found.items()} == {
        "excluded": (0, 0),
        "policy": (1, 8),
        "same_answer_everywhere": (1, 8),
        "pasted_text": (1, 2),
        "all": (2, 10),
    }
    assert (found["policy"].act, found["pasted_text"].act) == (None, "review")


def test_means_and_bold_before_and_after(spoilt):
    flag(spoilt, "liner", "same_answer_everywhere")
    overall = [each for each in variants(spoilt)["policy"].changes if each.axis == "overall"]
    before, after = (8 * 2.5 + 4 * 5) / 12, 2.5
    assert overall[0].before.mean == pytest.approx(before) and overall[0].after.mean == pytest.approx(after)
    assert overall[0].shift == pytest.approx(after - before)
    assert [each.before.n for each in overall] == [12, 12] and [each.after.n for each in overall] == [8, 8]
    assert [(each.before.bold, each.after.bold) for each in overall] == [(True, False), (True, True)]
    largest = variants(spoilt)["policy"].largest
    assert largest.shift == max((each.shift for each in variants(spoilt)["policy"].changes), key=abs)


def test_cleared_findings_and_those_about_talks_leave_nobody_out(spoilt):
    talk = spoilt.talk("fair 1", 0, [3, 3, 3, 3])
    flag(spoilt, "fair 1", "unblinded", conversation=talk)
    flag(spoilt, "liner", "shouting", cleared_at=timezone.now() + timedelta(days=1))
    assert set(variants(spoilt)) == {"excluded", "policy", "all"}
    assert variants(spoilt)["all"].workers == 0


def test_excluded_workers_are_in_no_table_and_come_back(spoilt):
    liner = spoilt.participation("liner", False)
    exclusion.take_out(liner.pk)
    assert complete_talks(spoilt.study)[Population.PEOPLE] == 16
    assert ratings_frame(spoilt.study, Population.PEOPLE).talks == 16
    assert variants(spoilt)["excluded"].talks == 8
    exclusion.bring_back(liner.pk)
    assert ratings_frame(spoilt.study, Population.PEOPLE).talks == 24


def test_a_frame_without_somebody_is_what_the_database_gives_without_them(spoilt):
    everybody = ratings_frame(spoilt.study, Population.PEOPLE)
    liner = spoilt.participation("liner", False)
    left = everybody.without({liner.worker_id})
    exclusion.take_out(liner.pk)
    read = ratings_frame(spoilt.study, Population.PEOPLE)
    assert sorted(left.score) == sorted(read.score)
    assert (left.table().total.sum(axis=0) == read.table().total.sum(axis=0)).all()
    assert left.sha256 != everybody.sha256


def test_the_whole_report_tells_what_leaving_flagged_workers_out_changes(spoilt):
    flag(spoilt, "liner", "same_answer_everywhere")
    found = analysis_of_study(spoilt.study, Population.PEOPLE, IntervalOptions())
    assert [(each.rule, each.workers, each.talks) for each in found.left_out] == [
        ("All rules that exclude", 1, 8),
        ("One answer everywhere", 1, 8),
        ("All rules together", 1, 8),
    ]


def test_what_excluding_one_worker_changes_is_foretold(spoilt):
    liner = spoilt.participation("liner", False)
    foretold = effect_of_worker(liner)
    exclusion.take_out(liner.pk)
    now = {each.name: each for each in effects(spoilt.study, Population.PEOPLE).variants}["excluded"]
    assert (foretold.workers, foretold.talks) == (1, 8)
    assert [each.after for each in foretold.changes] == [each.after for each in now.changes]
    overall = next(each for each in foretold.changes if each.axis == "overall")
    assert overall.shift == pytest.approx(2.5 - (8 * 2.5 + 4 * 5) / 12)


def test_what_restoring_one_worker_changes_starts_from_who_counts_now(spoilt):
    liner, other = (spoilt.participation(name, False) for name in ("liner", "fair 0"))
    exclusion.take_out(other.pk)
    excluding = effect_of_worker(liner)
    exclusion.take_out(liner.pk)
    restoring = effect_of_worker(liner)
    assert (restoring.talks, restoring.before.talks) == (8, 14)
    assert [each.shift for each in restoring.changes] == pytest.approx(
        [-(each.shift or 0.0) for each in excluding.changes]
    )


def test_an_effect_is_told_in_a_sentence(spoilt):
    said = in_a_sentence(effect_of_worker(spoilt.participation("liner", False)), restoring=False)
    assert said == "drops 8 talks; a mean changes by up to 0.83 (ConvAI2, overall); bold changes in 1 cell"
    quiet = in_a_sentence(effect_of_worker(spoilt.participation("fair 0", False)), restoring=True)
    assert quiet.startswith("brings back 2 talks; a mean changes by up to 0.")


def test_who_finished_nothing_changes_nothing(spoilt, join):
    idle = effect_of_worker(join(spoilt.study))
    assert (idle.workers, idle.talks) == (0, 0)
    assert (
        in_a_sentence(idle, restoring=False) == "drops 0 talks; no mean changes by 0.01; bold stays as it is"
    )
