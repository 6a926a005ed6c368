"""One training run from files to a model's folder: weights, bank, and a record of the run."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training import dialogue_manager
from modelhub.training.errors import TrainingError
from modelhub.training.recipes import MANAGER, MANAGER_FOLDER, RECIPES, Recipe
from modelhub.training.tasks import bank_texts, tasks
from modelhub.training.trainer import Epoch, Trainer

#: The record of a run beside its weights.
RECORD = "training.json"
#: What the manager reads: the last utterances of a talk.
MANAGER_READS = 2


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run reads and writes. ``minutes`` bounds the training itself."""

    data: Path
    base: Path
    out: Path
    seed: int
    minutes: float = math.inf

    @property
    def deadline(self) -> float:
        return time.monotonic() + self.minutes * 60


#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


def train_recipe(recipe: Recipe, run: Run, start: Path | None, progress: Progress) -> Path:
    """Train, save, embed the bank; the model's folder. ``start`` is the model it starts from, if any.

    Raises TrainingError, DatasetError, CheckpointError.
    """
    if recipe.start_from and start is None:
        raise TrainingError(
            f"{recipe.slug} starts from {recipe.start_from}: train that first, and name its folder with --from"
        )
    torch.manual_seed(run.seed)
    config = recipe.hyperparameters.config
    network = checkpoints.load(start, run.base) if start else checkpoints.fresh(config, run.base)
    text_encoder = TextEncoder(run.base, network.config)
    trainer = Trainer(
        network, text_encoder, tasks(recipe, run.data, run.seed), recipe.hyperparameters, run.seed
    )
    trainer.prepare(lambda done, total: progress("frozen layers", done, total))
    epochs = trainer.run(lambda number, *done: progress(f"epoch {number}", *done), run.deadline)
    checkpoints.save(run.out, network.eval(), recipe.hyperparameters.trained, run.base)
    _write_record(run, recipe.slug, {"options": asdict(recipe.hyperparameters), "epochs": _figures(epochs)})
    _embed_bank(recipe, run, text_encoder, progress)
    return run.out


def train_manager(run: Run, progress: Progress) -> Path:
    """Train the dialogue manager's head; its folder. Raises DatasetError, CheckpointError."""
    torch.manual_seed(run.seed)
    network = checkpoints.fresh_manager(ManagerConfig(last_utterances=MANAGER_READS), run.base)
    text_encoder = TextEncoder(run.base, network.config)
    rows: dict[str, tuple[Tensor, Tensor]] = {}
    for split in ("train", "valid"):
        given = dialogue_manager.samples(split, run.data, MANAGER_READS)
        labels = torch.tensor([sample.label for sample in given])
        rows[split] = (dialogue_manager.embed(network, text_encoder, given), labels)
        progress(f"encoder, {split} texts", len(given), len(given))
    outcome = dialogue_manager.train(
        network,
        rows["train"],
        rows["valid"],
        run.seed,
        lambda number, *done: progress(f"epoch {number}", *done),
        run.deadline,
    )
    checkpoints.save(run.out, network, [], run.base)
    _write_record(run, MANAGER, asdict(outcome))
    return run.out


def train_everything(run: Run, progress: Progress) -> list[Path]:
    """All recipes in their order, each into a folder of ``run.out``; the bound of minutes holds for each."""
    made = []
    for recipe in RECIPES.values():
        start = run.out / recipe.start_from if recipe.start_from else None
        made.append(train_recipe(recipe, _into(run, recipe.slug), start, _named(progress, recipe.slug)))
    made.append(train_manager(_into(run, MANAGER_FOLDER), _named(progress, MANAGER)))
    return made


def _embed_bank(recipe: Recipe, run: Run, text_encoder: TextEncoder, progress: Progress) -> None:
    """With the saved weights: rounding to half precision moves embeddings a little."""
    network: PolyEncoder = checkpoints.load(run.out, run.base)
    texts, sources = bank_texts(recipe, run.data)
    made = bank.embed(network, text_encoder, texts, sources, lambda *done: progress("bank", *done))
    made.save(run.out)


def _figures(epochs: list[Epoch]) -> list[dict[str, object]]:
    def rounded(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 4)

    return [
        {
            "epoch": epoch.number,
            "train_loss": rounded(epoch.train_loss),
            "valid_loss": rounded(epoch.valid_loss),
            "valid_hits_at_1": {skill: rounded(value) for skill, value in epoch.valid_hits_at_1.items()},
        }
        for epoch in epochs
    ]


def _write_record(run: Run, recipe: str, figures: dict[str, object]) -> None:
    record = {"recipe": recipe, "seed": run.seed, "torch": torch.__version__, **figures}
    (run.out / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def _into(run: Run, name: str) -> Run:
    return Run(run.data, run.base, run.out / name, run.seed, run.minutes)


def _named(progress: Progress, name: str) -> Progress:
    return lambda what, done, total: progress(f"{name}: {what}", done, total)
