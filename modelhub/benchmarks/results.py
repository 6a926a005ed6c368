"""Measure trained models against the untrained base on the test split; ``results.json`` beside the weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch

from modelhub.agents.random_skill import RandomSkillAgent
from modelhub.agents.two_stage import TwoStageAgent
from modelhub.benchmarks.bootstrap import RESAMPLES, paired_difference
from modelhub.benchmarks.candidates import CANDIDATES, DRAWS, Question, drawn_questions
from modelhub.benchmarks.hits import Hit, hits_at_1, scorer, share
from modelhub.datasets import layout
from modelhub.datasets.episodes import examples_of
from modelhub.dialogue import Dialogue, Skill
from modelhub.polyencoder import checkpoints
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training import dialogue_manager
from modelhub.training.recipes import MANAGER_FOLDER, RECIPES, SINGLE_SKILLS

RESULTS = "results.json"
#: Seeds candidates and resamples; the seed of training is another, and stands in each model's record.
MEASURING_SEED = 7
#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]
HitsByTask = dict[Skill, list[Hit]]


def write(folder: Path, data: Path, base: Path, seed: int, progress: Progress) -> dict[str, Any]:
    """Measure every model of the folder and write its ``results.json``; returns what was written.

    Raises CheckpointError for models that are missing or do not fit.
    """
    asked = {skill: questions_of(skill, data) for skill in Skill}
    untrained = {
        config: _hits(untrained_network(config, base), base, asked, progress, "the untrained base")
        for config in dict.fromkeys(recipe.hyperparameters.config for recipe in RECIPES.values())
    }
    hits = {
        slug: _hits(checkpoints.load(folder / slug, base), base, asked, progress, slug) for slug in RECIPES
    }
    figures = {
        slug: _model(hits[slug], untrained[recipe.hyperparameters.config], recipe.tasks)
        for slug, recipe in RECIPES.items()
    }
    figures |= _composites(folder, base, asked, hits, untrained[RECIPES["convai2"].hyperparameters.config])
    written = {
        "command": f"python manage.py train all --seed {seed}",
        "measured_by": "python manage.py train results",
        "training_seed": seed,
        "measuring_seed": MEASURING_SEED,
        "candidates": CANDIDATES,
        "draws": DRAWS,
        "resamples": RESAMPLES,
        "models": figures,
        "manager": manager_accuracy(folder / MANAGER_FOLDER, data, base),
    }
    (folder / RESULTS).write_text(json.dumps(written, indent=1) + "\n")
    return written


def questions_of(skill: Skill, data: Path) -> list[Question]:
    """What models are asked about a data set's test split: both speakers' utterances, as they are trained on."""
    return drawn_questions(examples_of(layout.read(skill, "test", data), both_sides=True), MEASURING_SEED)


def untrained_network(config: PolyEncoderConfig, base: Path) -> PolyEncoder:
    """The packaged base with codes as they are before training."""
    torch.manual_seed(MEASURING_SEED)
    return checkpoints.fresh(config, base).eval()


def _hits(
    network: PolyEncoder, base: Path, asked: Mapping[Skill, list[Question]], progress: Progress, name: str
) -> HitsByTask:
    score = scorer(network, TextEncoder(base, network.config))
    found: HitsByTask = {}
    for done, (skill, given) in enumerate(asked.items(), 1):
        found[skill] = hits_at_1(score, given)
        progress(f"measuring {name}", done, len(asked))
    return found


def _model(ours: HitsByTask, theirs: HitsByTask, tasks: tuple[Skill, ...]) -> dict[str, Any]:
    """hits@1 on the model's own tasks against the base, and on every data set."""
    difference = paired_difference([(ours[task], theirs[task]) for task in tasks], MEASURING_SEED)
    return {
        "tasks": [task.value for task in tasks],
        "questions": sum(len(ours[task]) for task in tasks) // DRAWS,
        "dialogues": sum(len({hit.episode for hit in ours[task]}) for task in tasks),
        "hits_at_1": _mean(ours, tasks),
        "untrained_hits_at_1": _mean(theirs, tasks),
        "difference": {name: round(value, 4) for name, value in asdict(difference).items()},
        "by_data_set": {skill.value: round(share(hits), 4) for skill, hits in ours.items()},
        "untrained_by_data_set": {skill.value: round(share(hits), 4) for skill, hits in theirs.items()},
    }


def _mean(hits: HitsByTask, tasks: tuple[Skill, ...]) -> float:
    return round(sum(share(hits[task]) for task in tasks) / len(tasks), 4)


def _composites(
    folder: Path,
    base: Path,
    asked: Mapping[Skill, list[Question]],
    hits: Mapping[str, HitsByTask],
    untrained: HitsByTask,
) -> dict[str, Any]:
    """A composite's ranking of a question is that of the model it chooses for it."""
    parts = {skill.value: None for skill in SINGLE_SKILLS}
    manager = checkpoints.load_manager(folder / MANAGER_FOLDER, base)
    # Neither is asked to reply, so the parts themselves are not needed.
    two_stage = TwoStageAgent(manager, TextEncoder(base, manager.config), parts)  # type: ignore[arg-type]
    random_skill = RandomSkillAgent(parts)  # type: ignore[arg-type]

    @cache
    def managed(dialogue: Dialogue) -> str:
        shares = two_stage.shares([dialogue])[0]
        return max(shares, key=lambda skill: shares[skill])

    return {
        slug: _model(_chosen(asked, hits, choose), untrained, SINGLE_SKILLS)
        for slug, choose in (("random-skill", random_skill.choose), (MANAGER_FOLDER, managed))
    }


def _chosen(
    asked: Mapping[Skill, list[Question]], hits: Mapping[str, HitsByTask], choose: Callable[[Dialogue], str]
) -> HitsByTask:
    return {
        skill: [hits[choose(question.example.dialogue)][skill][place] for place, question in enumerate(given)]
        for skill, given in asked.items()
    }


def manager_accuracy(folder: Path, data: Path, base: Path) -> dict[str, Any]:
    """How often the manager names the data set of what was said last in test dialogues; mean over classes."""
    manager = checkpoints.load_manager(folder, base)
    given = dialogue_manager.samples("test", data, manager.config.last_utterances)
    rows = dialogue_manager.embed(manager, TextEncoder(base, manager.config), given)
    labels = torch.tensor([sample.label for sample in given])
    return {"texts": len(given), "accuracy": round(dialogue_manager.accuracy(manager, rows, labels), 4)}


def table(written: Mapping[str, Any]) -> Iterator[str]:
    """The results as lines of a Markdown table."""
    yield "| model | test dialogues | questions | untrained | trained | difference, 95 % interval |"
    yield "|---|---|---|---|---|---|"
    for slug, row in written["models"].items():
        difference = row["difference"]
        yield (
            f"| {slug} | {row['dialogues']} | {row['questions']} | {100 * row['untrained_hits_at_1']:.1f} | "
            f"{100 * row['hits_at_1']:.1f} | {100 * difference['value']:+.1f} "
            f"({100 * difference['lower']:+.1f} to {100 * difference['upper']:+.1f}) |"
        )
    manager = written["manager"]
    yield f"The manager names the data set of {manager['texts']} texts with accuracy {manager['accuracy']:.3f}."
