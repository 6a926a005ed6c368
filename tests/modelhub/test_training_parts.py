"""What fine-tuning is made of, each part by itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modelhub.datasets import convai2
from modelhub.datasets.episodes import Example, examples_of
from modelhub.dialogue import Skill
from modelhub.polyencoder import checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.training.classification import Classification
from modelhub.training.dialogue_manager import Sample
from modelhub.training.hyperparameters import Hyperparameters, PolyEncoderTuning, changed
from modelhub.training.objective import Figures, batches_in_order, batches_of_like_lengths
from modelhub.training.position import Position, Validation
from modelhub.training.processes import Processes
from modelhub.training.ranking import Ranking, as_many_of_each
from modelhub.training.schedule import Schedule
from modelhub.training.tasks import Task
from modelhub.training.token_rows import encode

from .conftest import CONFIG
from .small_corpora import write_convai2
from .tiny_runs import silent

# --- Tokens and batches -----------------------------------------------------------------------------------


def test_rows_give_back_what_was_tokenised(text_encoder: TextEncoder) -> None:
    texts = ["i like cats", "", "the sea is deep and so on", "dogs"] * 700
    rows = encode(iter(texts), text_encoder.candidates)
    places = np.array([2, 1499, 0])
    tokens, mask = rows.padded(places)
    expected, expected_mask = text_encoder.candidates([texts[place] for place in places])
    assert torch.equal(mask, expected_mask) and torch.equal(tokens * mask, expected * expected_mask)
    assert rows.tokens.dtype == np.uint16 and len(rows) == len(texts)
    assert rows.lengths.tolist() == text_encoder.lengths(texts)


def test_large_numbers_of_tokens_are_kept() -> None:
    rows = encode(["one"], lambda _: (torch.tensor([[7, 70_000]]), torch.tensor([[True, True]])))
    assert rows.tokens.tolist() == [7, 70_000]


def test_rows_of_nothing_are_none(text_encoder: TextEncoder) -> None:
    assert len(encode([], text_encoder.candidates)) == 0


def test_an_epoch_has_every_example_once_in_batches_of_like_lengths() -> None:
    lengths = np.random.default_rng(0).integers(3, 360, 1000)
    batches = batches_of_like_lengths(np.arange(1000), lengths, 32, np.random.default_rng([1, 1]))
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))
    assert {len(batch) for batch in batches} == {31, 32}
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.1 * lengths.sum()
    again = batches_of_like_lengths(np.arange(1000), lengths, 32, np.random.default_rng([1, 1]))
    other = batches_of_like_lengths(np.arange(1000), lengths, 32, np.random.default_rng([1, 2]))
    assert all(map(np.array_equal, batches, again)) and not all(map(np.array_equal, batches, other))
    # Neither are short ones first.
    assert [lengths[batch].max() for batch in batches] != sorted(lengths[batch].max() for batch in batches)


def test_validation_batches_hold_so_many_tokens() -> None:
    lengths = np.array([5, 100, 7, 5, 90, 400])
    batches = batches_in_order(lengths, 200)
    assert [batch.tolist() for batch in batches] == [[0, 3, 2], [4, 1], [5]]


# --- The rate ---------------------------------------------------------------------------------------------


def test_the_rate_rises_and_falls_on_every_plateau() -> None:
    schedule = Schedule(warmup_steps=4, decay=0.4)
    assert [schedule.factor(step) for step in (0, 1, 3, 9)] == [0.25, 0.5, 1, 1]
    for step, loss, factor in [
        (4, 0.5, 1),
        (5, 2.0, 1),
        (6, 1.0, 1),
        (7, 1.0, 0.4),
        (8, 0.9, 0.4),
        (9, 0.95, 0.16),
    ]:
        schedule.validated(step, loss)
        assert schedule.factor(step) == pytest.approx(factor)


def test_a_position_is_the_same_after_it_was_stored() -> None:
    figures = Validation(3, 0.5, 1.25, 0.1 + 0.2, {"ed": 1 / 3})
    position = Position(Schedule(4, 0.4, 0.16, 0.9), 3, 1, 2, 24, 1.5, [0.1], 0.1, 1, [figures])
    assert Position.from_dict(json.loads(json.dumps(position.as_dict()))) == position


def test_values_are_read_from_text() -> None:
    values = changed(PolyEncoderTuning(), {"batch": "64", "shared_encoder": "True", "learning_rate": "1e-3"})
    assert (values.batch, values.shared_encoder, values.learning_rate) == (64, True, 1e-3)
    assert changed(Hyperparameters(), {"batch": "16"}) == replace(Hyperparameters(), batch=16)


def test_several_tasks_count_with_their_mean() -> None:
    assert Figures(1.0, {"convai2": 0.9, "wow": 0.3, "ed": 0.3}).macro == pytest.approx(0.5)


# --- Ranking ----------------------------------------------------------------------------------------------


@pytest.fixture
def task(tmp_path: Path) -> Task:
    found = examples_of(convai2.read(write_convai2(tmp_path) / "convai2" / "train.txt"))
    twin = Example(found[1].dialogue, found[0].label, Skill.CONVAI2, "twin")
    return Task(Skill.CONVAI2, [*found[:5], twin], found)


@pytest.fixture
def ranking(tiny_base: Path, task: Task) -> Ranking:
    torch.manual_seed(1)
    network = checkpoints.fresh(replace(CONFIG, shared_encoder=False), tiny_base).eval()
    text_encoder = TextEncoder(tiny_base, CONFIG)
    processes = Processes("float32")
    return Ranking(network, text_encoder, [task], processes, batch=4, seed=1, fresh=(), progress=silent)


def test_the_loss_is_that_of_the_papers_equations(ranking: Ranking, task: Task, tiny_base: Path) -> None:
    """Humeau et al. 2020, section 4.4, a context at a time; an equal label is no wrong answer."""
    ranking.network.requires_grad_(False)
    text_encoder, network, places = TextEncoder(tiny_base, CONFIG), ranking.network, np.array([0, 2, 3, 5])
    examples = [task.train[place] for place in places]
    rows = torch.cat(
        [network.encode_candidates(*text_encoder.candidates([e.label])) for e in examples]
    ).double()
    losses = []
    for place, example in enumerate(examples):
        (views,) = network.encode_context(*text_encoder.context(context_lines(example.dialogue))).double()
        scores = [float((torch.softmax(views @ row, 0) @ views) @ row) for row in rows]
        wrong = [score for score, other in zip(scores, examples, strict=True) if other.label != example.label]
        losses.append(math.log(sum(math.exp(score - scores[place]) for score in [scores[place], *wrong])))
    found = ranking.loss(*ranking.inputs(places))
    assert float(found) == pytest.approx(sum(losses) / 4, rel=1e-4)


def test_validation_does_not_depend_on_how_it_is_batched(
    ranking: Ranking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ranking.validate(silent)
    monkeypatch.setattr("modelhub.training.processes.CPU_TOKENS", 1)
    again = ranking.validate(silent)
    assert again.shares == first.shares and again.loss == pytest.approx(first.loss, rel=1e-5)


@pytest.mark.parametrize("sizes", [[3, 40, 11], [5], [6, 6], [1, 200]])
def test_an_epoch_has_as_many_of_each_data_set(sizes: list[int]) -> None:
    drawn, again, other = (as_many_of_each(sizes, np.random.default_rng(seed)) for seed in (1, 1, 2))
    wanted, start = sum(sizes) // len(sizes), 0
    assert np.array_equal(drawn, again)
    assert (sizes == [5] or sizes == [6, 6]) == np.array_equal(drawn, other)
    for size in sizes:
        times = np.bincount(drawn[(drawn >= start) & (drawn < start + size)] - start, minlength=size)
        assert times.sum() == wanted and times.max() - times.min() <= 1
        start += size


def test_several_tasks_are_learnt_from_equally_unless_asked_otherwise(
    ranking: Ranking, task: Task, tiny_base: Path
) -> None:
    few = Task(Skill.ED, task.train[:2], task.valid)
    given = (ranking.network, TextEncoder(tiny_base, CONFIG), [task, few], Processes("float32"))
    options = {"batch": 3, "seed": 1, "fresh": (), "progress": silent}
    equal, as_they_are = (Ranking(*given, **options, equal_tasks=each) for each in (True, False))
    of_few = [sum(int((batch >= 6).sum()) for batch in each.batches(1)) for each in (equal, as_they_are)]
    assert of_few == [4, 2]


def test_a_tie_counts_as_a_miss(ranking: Ranking) -> None:
    with torch.no_grad():
        for parameter in ranking.network.own_candidate_encoder.parameters():
            parameter.zero_()
    assert ranking.validate(silent).shares == {"convai2": 0.0}


# --- Classes ----------------------------------------------------------------------------------------------


@pytest.fixture
def classes(tiny_base: Path) -> Classification:
    torch.manual_seed(1)
    config = ManagerConfig(hidden=8, text_truncate=48)
    network = checkpoints.fresh_manager(config, tiny_base).eval()
    counts = {0: 9, 1: 4, 2: 2}
    given = [
        Sample((f"cats {place} sea {label}",), label, "") for label, n in counts.items() for place in range(n)
    ]
    text_encoder = TextEncoder(tiny_base, config)
    return Classification(network, text_encoder, given, given, Processes(), batch=5, seed=1, progress=silent)


def test_smaller_classes_are_filled_up_in_each_epoch_anew(classes: Classification) -> None:
    first, second = (np.concatenate(classes.batches(epoch)) for epoch in (1, 2))
    assert [int(((first >= low) & (first < high)).sum()) for low, high in ((0, 9), (9, 13), (13, 15))] == [
        9
    ] * 3
    assert set(first.tolist()) == set(range(15)) and sorted(first) != sorted(second)
    assert np.array_equal(first, np.concatenate(classes.batches(1)))


def test_a_managers_figures_are_by_class(classes: Classification) -> None:
    with torch.no_grad():
        classes.network.head[2].bias[1] = 50.0
    figures = classes.validate(silent)
    assert figures.shares == {"convai2": 0.0, "wow": 1.0, "ed": 0.0} and figures.macro == pytest.approx(1 / 3)
