"""The rules on a reference study with planted workers, judged from its ratings and times alone."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ratings.quality.honest import HonestModel, fit_honest_model
from ratings.quality.pace import hurried, short_talks
from ratings.quality.random_rating import likeness
from ratings.quality.repeated_answers import Reading
from ratings.quality.straight_lining import straight_liners
from ratings.quality.study_ratings import Floats, Integers, StudyRatings


@dataclass(frozen=True)
class Reference:
    """The study, seconds a talk, and what was planted and expected, by the workers' own names."""

    names: list[str]
    study: StudyRatings
    seconds: Floats
    model: HonestModel
    kinds: dict[str, str]
    expected: dict[str, list[str]]

    def called(self, flags: list) -> list[str]:  # type: ignore[type-arg]
        return [self.names[flag.worker] for flag in flags]

    def of_kind(self, kind: str) -> list[str]:
        return sorted(name for name, each in self.kinds.items() if each == kind)


def numbered(rows: list[dict[str, str]], column: str) -> tuple[list[str], Integers]:
    names, numbers = np.unique([row[column] for row in rows], return_inverse=True)
    return names.tolist(), numbers


def seconds_of(row: dict[str, str]) -> float:
    return (
        datetime.fromisoformat(row["ended_at"]) - datetime.fromisoformat(row["started_at"])
    ).total_seconds()


@pytest.fixture(scope="module")
def study(reference: Path) -> Reference:
    folder = reference / "vectors" / "statistics" / "public"
    rows = list(csv.DictReader((folder / "ratings.csv").open()))
    names, worker = numbered(rows, "worker_id")
    (_, talk), (_, model), (_, axis) = (numbered(rows, each) for each in ("conversation_id", "model", "axis"))
    ratings = StudyRatings(worker, talk, model, axis, np.array([int(row["rating"]) for row in rows]))
    seconds = np.zeros(talk.max() + 1)
    seconds[talk] = [seconds_of(row) for row in rows]
    truth = csv.DictReader((folder / "worker_truth.csv").open())
    return Reference(
        names=names,
        study=ratings,
        seconds=seconds,
        model=fit_honest_model(ratings),
        kinds={row["worker_id"]: row["kind"] for row in truth},
        expected=json.loads((folder / "expected_python.json").read_text())["qc"],
    )


@pytest.mark.parametrize("rule", Reading)
def test_straight_liners_are_found_and_no_honest_worker(study: Reference, rule: Reading) -> None:
    found = study.called(straight_liners(study.study, study.model, rule))
    assert found == study.expected["straightline_all_identical_k>=3"] == study.of_kind("straight")


def test_straight_liners_were_left_out_of_the_fit(study: Reference) -> None:
    assert [study.names[each] for each in study.model.left_out] == study.of_kind("straight")


def test_each_straight_liner_would_be_a_rare_honest_worker(study: Reference) -> None:
    for flag in straight_liners(study.study, study.model, Reading.EVERYWHERE):
        assert flag.null_probability < 5e-4
        assert flag.value_probability is not None and flag.value_probability < 1e-6
    assert study.model.expected_false_flags(study.study.talks, Reading.EVERYWHERE) < 0.1


def test_hurried_workers_are_those_of_the_reference_rule(study: Reference) -> None:
    flags = hurried(study.study.talks.worker, study.seconds)
    assert study.called(flags) == study.expected["worker_median_duration_lt_third_of_global_median"]
    assert flags[0].study_median_s == study.expected["global_median_duration_s"]


def test_the_one_honest_worker_who_hurried_had_a_single_talk_and_a_higher_probability(
    study: Reference,
) -> None:
    flags = {study.names[flag.worker]: flag for flag in hurried(study.study.talks.worker, study.seconds)}
    (honest,) = set(flags) - set(study.of_kind("speeder"))
    assert study.kinds[honest] == "honest" and flags[honest].talks == 1
    assert all(
        flags[honest].null_probability > 5 * flags[each].null_probability for each in flags if each != honest
    )


def test_short_talks_find_speeders_and_four_honest_workers(study: Reference) -> None:
    found = study.called(short_talks(study.study.talks.worker, study.seconds))
    kinds = [study.kinds[each] for each in found]
    assert sorted(kinds) == ["honest"] * 4 + ["speeder"] * 2 + ["straight"]


def test_ratings_alone_do_not_show_every_random_rater(study: Reference) -> None:
    """Of five who rate at random over eight to ten talks agreement shows none at .01, misfit two, and an honest one."""
    found = likeness(study.study, study.model)
    random = {*study.of_kind("random"), *study.of_kind("speeder")}
    by_misfit = {study.names[each.worker] for each in found if each.misfit_null <= 0.01}
    by_agreement = {study.names[each.worker] for each in found if each.agreement_null <= 0.01}
    assert len(by_misfit & random) == 2 and not by_agreement & random
    assert {study.kinds[each] for each in (by_misfit | by_agreement) - random} == {"honest"}
