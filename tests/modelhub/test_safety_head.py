"""The logistic head: its fit against closed forms, what it is chosen on, and its file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from modelhub.errors import CheckpointError, SafetyClassifierError
from modelhub.safety import fitting, head, labelled, training
from modelhub.safety.head import BOTH, HEAD, LINEAR, Head
from modelhub.safety.labelled import Labelled

RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(120, 6))
LABELS = RNG.random(120) < expit(ROWS @ [2.0, -1, 0, 0, 1, 0])
ALIKE = np.ones(120)


def test_one_binary_feature_gives_the_log_odds_of_its_two_shares() -> None:
    rows = np.array([[0.0]] * 10 + [[1.0]] * 10)
    labels = np.array([True] * 3 + [False] * 7 + [True] * 8 + [False] * 2)
    weight, bias = fitting.fit_logistic(rows, labels, 0, np.ones(20))
    assert (bias, weight[0]) == pytest.approx((logit(0.3), logit(0.8) - logit(0.3)), abs=1e-6)


def test_a_penalised_fit_is_where_the_loss_is_level() -> None:
    weight, bias = fitting.fit_logistic(ROWS, LABELS, 0.1, ALIKE)
    residual = expit(ROWS @ weight + bias) - LABELS
    assert ROWS.T @ residual / 120 + 0.1 * weight == pytest.approx(np.zeros(6), abs=1e-6)
    assert residual.sum() == pytest.approx(0, abs=1e-4)


def test_a_weight_of_two_is_a_row_twice() -> None:
    weights = np.where(np.arange(120) < 40, 2.0, 1.0)
    twice = np.concatenate([np.arange(40), np.arange(120)])
    weighed = fitting.fit_logistic(ROWS, LABELS, 0.1, weights)
    repeated = fitting.fit_logistic(ROWS[twice], LABELS[twice], 0.1, np.ones(160))
    assert [*weighed[0], weighed[1]] == pytest.approx([*repeated[0], repeated[1]], abs=1e-5)


def test_f1_counts_rows_by_their_weight() -> None:
    found, labels = np.array([True, True, False]), np.array([True, False, True])
    assert fitting.f1(found, labels, np.array([2.0, 0.5, 1.0])) == pytest.approx(2 * 2 / (2.5 + 3))


def test_every_fold_has_its_share_of_every_kind() -> None:
    kinds = ["a"] * 20 + ["b"] * 30
    found = fitting.folds(kinds, seed=1, count=10)
    assert np.bincount(found[:20]).tolist() == [2] * 10 and np.bincount(found[20:]).tolist() == [3] * 10


def test_what_is_left_of_small_kinds_does_not_meet_in_one_fold() -> None:
    found = fitting.folds([kind for kind in "abcdefgh" for _ in range(3)], seed=1, count=4)
    assert np.bincount(found).tolist() == [6, 6, 6, 6]


def test_what_is_said_of_an_utterance_out_of_fold_does_not_depend_on_its_label() -> None:
    fold = np.arange(120) % 4
    other = LABELS.copy()
    other[fold == 2] = ~other[fold == 2]
    before, after = (fitting.out_of_fold(ROWS, labels, fold, 0.01, ALIKE) for labels in (LABELS, other))
    assert (before == after)[fold == 2].all() and not (before == after)[fold != 2].any()


def test_the_best_threshold_is_the_highest_of_those_with_the_best_f1() -> None:
    probabilities = np.array([0.1, 0.32, 0.5, 0.91])
    assert fitting.best_threshold(probabilities, np.array([False, False, True, True]), np.ones(4)) == 0.5
    assert fitting.best_threshold(probabilities, np.array([False, True, False, True]), np.ones(4)) == 0.3


# --- Reading both models together -----------------------------------------------------------------------------


@pytest.fixture
def made() -> Head:
    return Head(np.array([1.0, -2.0]), 0.5, np.array([0.7, 0.4, -0.1]), (0.35, 0.4, 0.6), "a base")


def test_both_is_the_weighed_sum_of_log_odds(made: Head) -> None:
    found = made.probabilities(np.array([[0.2, 0.1]], dtype=np.float32), np.array([0.8]))
    assert found[LINEAR] == 0.8 and found[HEAD] == pytest.approx(expit(0.5))
    assert found[BOTH] == pytest.approx(expit(0.7 * 0.5 + 0.4 * logit(0.8) - 0.1))


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_a_linear_model_that_is_certain_still_leaves_the_head_a_say(made: Head, certain: float) -> None:
    rows = np.array([[4.0, -4.0], [-4.0, 4.0]], dtype=np.float32)
    agrees, differs = made.probabilities(rows, np.array([certain, certain]))[BOTH]
    assert np.isfinite([agrees, differs]).all() and agrees > differs


def test_a_saved_head_answers_the_same(made: Head, tmp_path: Path) -> None:
    made.save(tmp_path)
    again, rows = Head.load(tmp_path, "a base"), np.array([[0.3, 0.9]], dtype=np.float32)
    assert again.thresholds == made.thresholds
    given = (head.probabilities(rows, np.array([0.2]))[BOTH] for head in (made, again))
    assert next(given) == pytest.approx(next(given), abs=1e-6)


def test_a_head_of_another_base_encoder_is_refused(made: Head, tmp_path: Path) -> None:
    made.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"train a head for this one: manage\.py train_safety"):
        Head.load(tmp_path, "another base")


def test_a_file_of_other_tensors_is_refused(made: Head, tmp_path: Path) -> None:
    Head(made.weight, 0.0, np.zeros(2), made.thresholds, "a base").save(tmp_path)
    with pytest.raises(CheckpointError, match="no safety head"):
        Head.load(tmp_path, "a base")


# --- Training -------------------------------------------------------------------------------------------------


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """120 utterances about cats, which are unsafe, and dogs."""
    animals = [("cats", "unsafe"), ("dogs", "safe")] * 60
    lines = [
        {"text": f"i like {animal} no {number}", "label": label, "kind": animal}
        for number, (animal, label) in enumerate(animals)
    ]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


def test_training_twice_writes_the_same_files(corpus: Path, tiny_base: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        list(training.train(tmp_path / name, corpus, tiny_base, seed=3))
    files = [head.WEIGHTS, head.RECORD]
    one, two = ([(tmp_path / name / file).read_bytes() for file in files] for name in ("one", "two"))
    assert one == two


def test_training_learns_what_it_is_shown(corpus: Path, tiny_base: Path, tmp_path: Path) -> None:
    said = list(training.train(tmp_path, corpus, tiny_base))
    assert re.match(r"head alone: F1 (1\.0|0\.9)\d+ out of fold", said[1])
    assert said[-1] == f"written to {tmp_path}"


def test_a_corpus_too_small_for_folds_is_refused(corpus: Path, tiny_base: Path, tmp_path: Path) -> None:
    corpus.write_text("\n".join(corpus.read_text().splitlines()[:50]))
    with pytest.raises(SafetyClassifierError, match="50 utterances; 100 are needed"):
        list(training.train(tmp_path / "out", corpus, tiny_base))


def test_the_penalty_is_the_one_with_the_lowest_loss_out_of_fold() -> None:
    samples = tuple(Labelled(str(place), bool(label), "all") for place, label in enumerate(LABELS))
    fitted = training.fit(training.TrainingSet(samples, ALIKE), ROWS, np.full(120, 0.5), "", seed=1)
    fold = fitting.folds(["all"] * 120, seed=1)
    losses = {
        penalty: fitting.log_loss(fitting.out_of_fold(ROWS, LABELS, fold, penalty, ALIKE), LABELS, ALIKE)
        for penalty in fitting.PENALTIES
    }
    assert fitted.penalty == min(losses, key=losses.__getitem__)


def test_ordinary_talk_counts_as_much_as_all_safe_utterances_together(corpus: Path) -> None:
    given = training.training_set(corpus)
    talk = np.array([sample.kind == training.TALK for sample in given.samples])
    assert talk.sum() > 1000 and not given.labels[talk].any()
    assert given.weights[talk].sum() == pytest.approx(60) and (given.weights[~talk] == 1).all()


@pytest.mark.parametrize(
    "line, said",
    [
        ("hello", "2: a line"),
        ('{"text": "hi", "label": "bad", "kind": "x"}', "2: a text, a kind and a label"),
        ('{"text": " ", "label": "safe", "kind": "x"}', "2: a text, a kind and a label"),
        ('{"text": "hi", "label": "safe", "kind": "x"}', "only one label"),
    ],
)
def test_a_line_that_is_no_labelled_utterance_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": "hi", "label": "safe", "kind": "x"}\n' + line + "\n")
    with pytest.raises(SafetyClassifierError, match=said):
        labelled.read(path)
