"""Training on a tiny random base: it learns, repeats itself, keeps the best, and refuses what cannot work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command

from modelhub.benchmarks.candidates import questions
from modelhub.benchmarks.hits import hits_at_1, scorer, share
from modelhub.datasets import convai2, layout
from modelhub.datasets.episodes import Example, examples_of
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.training import dialogue_manager, runs
from modelhub.training.errors import Diverged, TrainingError
from modelhub.training.frozen import SplitEncoder, first_trained_layer
from modelhub.training.hyperparameters import Hyperparameters
from modelhub.training.recipes import RECIPES, Recipe
from modelhub.training.runs import Run, train_manager, train_recipe
from modelhub.training.tasks import Task, bank_texts, tasks
from modelhub.training.trainer import Epoch, Trainer, _without_twins

from .conftest import CONFIG
from .small_corpora import write_convai2

OPTIONS = Hyperparameters(
    trained=("encoder.encoder.layer.1.", "codes"),
    learning_rate=5e-3,
    code_learning_rate=5e-3,
    batch=8,
    max_epochs=30,
    patience=30,
    dropout=0.0,
    warmup_steps=2,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_convai2(tmp_path / "data")


@pytest.fixture
def task(data: Path) -> Task:
    found = examples_of(convai2.read(data / "convai2" / "train.txt"))
    return Task(Skill.CONVAI2, found, found)


def trained(
    base: Path, task: Task, seed: int = 1, options: Hyperparameters = OPTIONS
) -> tuple[Trainer, list[Epoch]]:
    torch.manual_seed(seed)
    trainer = Trainer(checkpoints.fresh(CONFIG, base), TextEncoder(base, CONFIG), [task], options, seed)
    trainer.prepare(lambda done, total: None)
    return trainer, trainer.run(lambda *_: None)


# --- The trainer ------------------------------------------------------------------------------------------


def test_a_few_examples_are_learnt_by_heart(tiny_base: Path, task: Task) -> None:
    trainer, epochs = trained(tiny_base, task)
    asked = questions(task.train, seed=1)
    reached = share(hits_at_1(scorer(trainer.network.eval(), TextEncoder(tiny_base, CONFIG)), asked))
    assert epochs[0].rank[0] < 0.6 < 0.75 <= reached
    assert epochs[-1].train_loss < epochs[1].train_loss / 2


def test_the_network_keeps_the_epoch_that_was_best(tiny_base: Path, task: Task) -> None:
    trainer, epochs = trained(tiny_base, task, options=OPTIONS)
    best = max(epochs, key=lambda epoch: epoch.rank)
    kept = trainer._validated(0, 0.0)
    assert kept.rank == pytest.approx(best.rank, abs=1e-4)


def test_the_same_seed_gives_the_same_weights(tiny_base: Path, task: Task) -> None:
    first, second, other = (trained(tiny_base, task, seed)[0].network.codes for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_training_stops_when_nothing_gets_better(tiny_base: Path, task: Task) -> None:
    frozen = Hyperparameters(
        trained=OPTIONS.trained,
        learning_rate=1e-12,
        code_learning_rate=1e-12,
        max_epochs=30,
        patience=3,
        batch=8,
    )
    _, epochs = trained(tiny_base, task, options=frozen)
    best = max(epochs, key=lambda epoch: epoch.rank).number
    assert len(epochs) - 1 == best + 3 < 30


def test_nothing_but_the_named_tensors_changes(tiny_base: Path, task: Task) -> None:
    before = {name: p.detach().clone() for name, p in checkpoints.fresh(CONFIG, tiny_base).named_parameters()}
    trainer, _ = trained(tiny_base, task)
    changed = {
        name
        for name, p in trainer.network.named_parameters()
        if name != "codes" and not torch.equal(p, before[name])
    }
    assert changed and all(name.startswith("encoder.encoder.layer.1.") for name in changed)


def test_a_loss_that_is_not_finite_ends_the_run(tiny_base: Path, task: Task) -> None:
    wild = Hyperparameters(trained=OPTIONS.trained, learning_rate=1e30, batch=8, clip=1e30, warmup_steps=1)
    with pytest.raises(Diverged, match="lower learning rate"):
        trained(tiny_base, task, options=wild)


def test_equal_labels_are_no_wrong_answers_to_each_other(task: Task) -> None:
    twin = Example(task.train[1].dialogue, task.train[0].label, Skill.CONVAI2, "elsewhere")
    scores = _without_twins(torch.zeros(3, 3), [task.train[0], twin, task.train[2]])
    assert (scores == -torch.inf).tolist() == [[False, True, False], [True, False, False], [False] * 3]


# --- The frozen part --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trained_prefixes", "layer"),
    [
        (("encoder.encoder.layer.5.", "codes"), 5),
        (("encoder.encoder.layer.10.", "encoder.encoder.layer.2."), 2),
        (("codes",), 12),
        (("encoder.",), 0),
        (("",), 0),
        (("encoder.embeddings.",), 0),
    ],
)
def test_the_cut_is_below_the_lowest_trained_layer(trained_prefixes: tuple[str, ...], layer: int) -> None:
    assert first_trained_layer(trained_prefixes, 12) == layer


@pytest.mark.parametrize("first", [0, 1, 2])
def test_both_parts_of_a_cut_encoder_give_what_the_whole_gives(tiny_base: Path, first: int) -> None:
    network = checkpoints.fresh(CONFIG, tiny_base).eval()
    text_encoder = TextEncoder(tiny_base, CONFIG)
    texts = ["i like cats", "the sea is deep and the dogs like the sea", "cats"]
    split = SplitEncoder(network.encoder, first)
    below = split.below(texts, text_encoder.candidates, lambda done: None)
    hidden, mask = split.above([below[text] for text in texts])
    whole = network.encoder(
        input_ids=text_encoder.candidates(texts)[0], attention_mask=text_encoder.candidates(texts)[1]
    ).last_hidden_state
    assert torch.allclose(hidden[mask], whole[mask], atol=5e-3)


# --- Recipes ----------------------------------------------------------------------------------------------


def test_a_debiased_recipe_shows_persona_and_topic_in_every_example() -> None:
    for each in tasks(RECIPES["mt-single-skills"], STARTER, seed=1):
        for example in each.train[:40]:
            lines = context_lines(example.dialogue)
            assert lines[0].startswith("your persona: ") and example.dialogue.context.topic in lines


def test_a_single_skill_recipe_leaves_dialogues_as_they_are() -> None:
    (each,) = tasks(RECIPES["ed"], STARTER, seed=1)
    assert not any(example.dialogue.context.topic for example in each.train)


def test_banks_hold_training_utterances_of_the_skill_once() -> None:
    texts, sources = bank_texts(RECIPES["mt-single-skills-bst"], STARTER)
    assert set(sources) == {"convai2", "wow", "ed"} and len(set(texts)) == len(texts) > 1000
    held_out = {e.label for skill in Skill for e in examples_of(layout.read(skill, "test"), both_sides=True)}
    assert not held_out & set(texts)


def test_the_wizards_bank_has_no_apprentice_in_it() -> None:
    texts, _ = bank_texts(RECIPES["wow"], STARTER)
    assert set(texts) == {example.label for example in examples_of(layout.read(Skill.WOW, "train"))}


# --- Runs and the command ---------------------------------------------------------------------------------


@pytest.fixture
def tiny_recipe() -> Recipe:
    return Recipe("convai2", (Skill.CONVAI2,), (Skill.CONVAI2,), hyperparameters=OPTIONS)


def test_a_run_leaves_a_model_that_loads_with_its_bank_and_record(
    tiny_base: Path, data: Path, tiny_recipe: Recipe, tmp_path: Path, short_texts: None
) -> None:
    out = train_recipe(tiny_recipe, Run(data, tiny_base, tmp_path / "out", seed=3), None, lambda *_: None)
    network = checkpoints.load(out, tiny_base)
    made = bank.load(out)
    again = bank.embed(network, TextEncoder(tiny_base, network.config), made.texts, made.sources)
    assert torch.allclose(made.embeddings.float(), again.embeddings.float(), atol=1e-2)
    record = json.loads((out / runs.RECORD).read_text())
    assert (record["recipe"], record["seed"]) == ("convai2", 3) and len(record["epochs"]) > 1


def test_a_run_is_bounded_by_minutes(
    tiny_base: Path, data: Path, tiny_recipe: Recipe, tmp_path: Path, short_texts: None
) -> None:
    run = Run(data, tiny_base, tmp_path / "out", seed=3, minutes=0)
    train_recipe(tiny_recipe, run, None, lambda *_: None)
    assert len(json.loads((run.out / runs.RECORD).read_text())["epochs"]) == 2


def test_fine_tuning_without_its_start_says_what_to_train_first(tiny_base: Path, tmp_path: Path) -> None:
    run = Run(STARTER, tiny_base, tmp_path, seed=1)
    with pytest.raises(TrainingError, match="train that first"):
        train_recipe(RECIPES["mt-single-skills-bst"], run, None, lambda *_: None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gpt"], "there is no recipe gpt; there are convai2"),
        (["ed"], "name the folder for ed with --out"),
        (["ed", "--data", "/nowhere", "--out", "{tmp}"], "has no train split of ed"),
        (
            ["ed", "--base", "/nowhere", "--out", "{tmp}"],
            "/nowhere/config.json is missing|/nowhere/.* is missing",
        ),
    ],
)
def test_the_command_refuses_in_words(arguments: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("train", *(argument.format(tmp=tmp_path) for argument in arguments))


@pytest.fixture
def short_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny base reads 64 tokens."""
    monkeypatch.setattr(Hyperparameters, "config", CONFIG)
    monkeypatch.setattr(
        runs, "ManagerConfig", lambda **options: ManagerConfig(hidden=8, text_truncate=48, **options)
    )
    yield


# --- The dialogue manager ---------------------------------------------------------------------------------


def test_the_manager_learns_classes_that_can_be_told_apart(tiny_base: Path) -> None:
    torch.manual_seed(1)
    network = checkpoints.fresh_manager(ManagerConfig(hidden=16, text_truncate=48), tiny_base)
    centres = torch.randn(3, 32) * 2
    labels = torch.arange(3).repeat_interleave(torch.tensor([60, 20, 10]))
    rows = centres[labels] + torch.randn(90, 32) * 0.3
    outcome = dialogue_manager.train(network, (rows, labels), (rows, labels), 1, lambda *_: None)
    assert outcome.accuracies[outcome.best_epoch] > 0.95


def test_the_manager_never_sees_utterances_of_two_data_sets() -> None:
    given = dialogue_manager.samples("train", STARTER, 2)
    by_text: dict[tuple[str, ...], set[int]] = {}
    for sample in given:
        by_text.setdefault(sample.lines, set()).add(sample.label)
    assert {len(labels) for labels in by_text.values()} == {1}
    assert {len(sample.lines) for sample in given} == {1, 2}


def test_classes_are_filled_up_to_equal_size() -> None:
    _, labels = dialogue_manager._balanced(torch.randn(9, 4), torch.tensor([0] * 6 + [1] * 2 + [2]))
    assert labels.bincount().tolist() == [6, 6, 6]


def test_a_managers_run_leaves_a_model_that_loads(tiny_base: Path, tmp_path: Path, short_texts: None) -> None:
    run = Run(STARTER, tiny_base, tmp_path / "manager", seed=1, minutes=0)
    manager = checkpoints.load_manager(train_manager(run, lambda *_: None), tiny_base)
    assert manager.config.classes == ("convai2", "wow", "ed")
