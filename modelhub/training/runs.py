"""One training run from files to a model's folder: weights, bank, and a record of the run. The starter's scale."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training import dialogue_manager
from modelhub.training.errors import TrainingError
from modelhub.training.hyperparameters import MANAGER_READS, changed
from modelhub.training.recipes import MANAGER, MANAGER_FOLDER, RECIPES, Recipe
from modelhub.training.tasks import bank_texts, tasks
from modelhub.training.trainer import Epoch, Trainer

#: The record of a run beside its weights.
RECORD = "training.json"


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run reads and writes, and how.

    ``minutes`` bounds the training itself, ``examples`` those of each data set. ``changes`` are values that a person
    gave, as text. The last four are for the paper's scale (paper_runs.py).
    """

    data: Path
    base: Path
    out: Path
    seed: int
    minutes: float = math.inf
    examples: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    from_scratch: bool = False
    restart: bool = False
    checkpoint_minutes: float = 10.0
    precision: str = "auto"

    @property
    def deadline(self) -> float:
        return time.monotonic() + self.minutes * 60


#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


def train_recipe(recipe: Recipe, run: Run, start: Path | None, progress: Progress) -> Path:
    """Train, save, embed the bank; the model's folder. ``start`` is the model it starts from, if any.

    Raises TrainingError, DatasetError, CheckpointError.
    """
    require_start(recipe, start)
    options = changed(recipe.hyperparameters, run.changes)
    torch.manual_seed(run.seed)
    network = checkpoints.load(start, run.base) if start else checkpoints.fresh(options.config, run.base)
    text_encoder = TextEncoder(run.base, network.config)
    learnt = tasks(recipe, run.data, run.seed, most=run.examples)
    trainer = Trainer(network, text_encoder, learnt, options, run.seed)
    trainer.prepare(lambda done, total: progress("frozen layers", done, total))
    epochs = trainer.run(lambda number, *done: progress(f"epoch {number}", *done), run.deadline)
    checkpoints.save(run.out, network.eval(), options.trained, run.base)
    write_record(run, recipe.slug, {"options": asdict(options), "epochs": _figures(epochs)})
    _embed_bank(recipe, run, text_encoder, progress)
    return run.out


def require_start(recipe: Recipe, start: Path | None) -> None:
    """Raises TrainingError for a recipe that starts from a model when none is named."""
    if recipe.start_from and start is None:
        raise TrainingError(
            f"{recipe.slug} starts from {recipe.start_from}: train that first, and name its folder with --from"
        )


def train_manager(run: Run, progress: Progress) -> Path:
    """Train the dialogue manager's head; its folder. Raises DatasetError, CheckpointError."""
    torch.manual_seed(run.seed)
    network = checkpoints.fresh_manager(ManagerConfig(last_utterances=MANAGER_READS), run.base)
    text_encoder = TextEncoder(run.base, network.config)
    rows: dict[str, tuple[Tensor, Tensor]] = {}
    for split in ("train", "valid"):
        given = dialogue_manager.samples(split, run.data, MANAGER_READS, run.seed, run.examples)
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
    write_record(run, MANAGER, asdict(outcome))
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
    texts, sources = bank_texts(recipe, run.data, run.seed, run.examples)
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


def write_record(run: Run, recipe: str, figures: dict[str, object]) -> None:
    """What the run was and what came of it; its bounds where it had any."""
    bounds = {"examples": run.examples, "minutes": run.minutes if run.minutes < math.inf else None}
    record = {"recipe": recipe, "seed": run.seed, "torch": torch.__version__, **figures}
    if any(bound is not None for bound in bounds.values()):
        record["bounds"] = bounds
    (run.out / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def _into(run: Run, name: str) -> Run:
    return replace(run, out=run.out / name)


def _named(progress: Progress, name: str) -> Progress:
    return lambda what, done, total: progress(f"{name}: {what}", done, total)
