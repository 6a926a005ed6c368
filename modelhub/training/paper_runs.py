"""A run at the paper's scale from files to a model's folder; it can be killed at any moment, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder import base as base_encoder
from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training import dialogue_manager
from modelhub.training.classification import Classification
from modelhub.training.errors import TrainingError, VocabularyMismatch
from modelhub.training.fine_tuning import Bounds, FineTuner
from modelhub.training.hyperparameters import FineTuning, PolyEncoderTuning, changed
from modelhub.training.metrics import Metrics
from modelhub.training.objective import Objective, Progress
from modelhub.training.processes import Processes
from modelhub.training.ranking import Ranking
from modelhub.training.recipes import MANAGER, PAPER, PAPER_MANAGER, PAPER_VALUES, Recipe
from modelhub.training.runs import RECORD, Run, require_start, write_record
from modelhub.training.snapshots import Snapshots
from modelhub.training.tasks import bank_texts, tasks

#: A trained network is made of these; they stay when it is trained further.
FIXED = ("codes", "shared_encoder")
#: Asked after each step whether the run shall go on.
Wanted = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Job:
    """A run with everything that it needs."""

    name: str
    run: Run
    options: FineTuning
    processes: Processes
    objective: Objective
    text_encoder: TextEncoder
    #: SHA-256 of the weights that it starts from; "" for random ones.
    start: str
    progress: Progress

    @property
    def identity(self) -> dict[str, object]:
        """What decides the weights, by name. Bounds of epochs and minutes do not: a run may be given more of them."""
        options = {name: value for name, value in asdict(self.options).items() if name != "max_epochs"}
        return {
            "recipe": self.name,
            **options,
            "seed": self.run.seed,
            "max_examples": self.run.examples,
            **self.origin,
        }

    @property
    def origin(self) -> dict[str, object]:
        """What it is made from, and by how many."""
        return {
            "start_sha256": self.start,
            "data_sha256": sha256(self.objective.digest.encode()).hexdigest(),
            "bfloat16": self.processes.bfloat16,
            "processes": self.processes.count,
        }


def fine_tune_recipe(
    recipe: Recipe, run: Run, start: Path | None, progress: Progress, wanted: Wanted = lambda: True
) -> Path:
    """Fine-tune all layers, save, embed the bank; the model's folder. ``start`` is the model it starts from, if any.

    Raises TrainingError, DatasetError, CheckpointError, BaseEncoderMissing.
    """
    require_start(recipe, start)
    _refuse_finished(run)
    processes = Processes(run.precision)
    shown = progress if processes.main else _silent
    network, text_encoder, options = _poly_encoder(run, start)
    objective = Ranking(
        network,
        text_encoder,
        tasks(recipe, run.data, run.seed, official=True, most=run.examples),
        processes,
        batch=options.batch,
        seed=run.seed,
        # A trained model's codes have their meaning.
        fresh=() if start else ("codes",),
        progress=shown,
        equal_tasks=options.equal_tasks,
    )
    job = _Job(recipe.slug, run, options, processes, objective, text_encoder, _sha256_of(run, start), shown)
    snapshots, ended = _train(job, wanted)
    if processes.main:
        _embed_bank(recipe, job, start)
        _finish(snapshots, ended)
    return run.out


def fine_tune_manager(run: Run, progress: Progress, wanted: Wanted = lambda: True) -> Path:
    """Fine-tune the dialogue manager, its encoder too; its folder. Raises as ``fine_tune_recipe`` does."""
    _refuse_finished(run)
    processes = Processes(run.precision)
    shown = progress if processes.main else _silent
    options = changed(PAPER_MANAGER, run.changes)
    torch.manual_seed(run.seed)
    network = checkpoints.fresh_manager(options.config, run.base, scratch=run.from_scratch)
    text_encoder = TextEncoder(run.base, network.config)
    _check_vocabulary(run.base, network, text_encoder)
    train, valid = (
        dialogue_manager.samples(split, run.data, options.last_utterances, run.seed, run.examples)
        for split in ("train", "valid")
    )
    objective = Classification(
        network, text_encoder, train, valid, processes, batch=options.batch, seed=run.seed, progress=shown
    )
    job = _Job(MANAGER, run, options, processes, objective, text_encoder, _sha256_of(run, None), shown)
    snapshots, ended = _train(job, wanted)
    if processes.main:
        _finish(snapshots, ended)
    return run.out


def _train(job: _Job, wanted: Wanted) -> tuple[Snapshots, str]:
    """Train and save the best; the run's checkpoints, and what ended it."""
    run, processes = job.run, job.processes
    snapshots = Snapshots(run.out, job.identity)
    if run.restart and processes.main:
        snapshots.clear()
    processes.wait()
    tuner = FineTuner(job.objective, job.options, processes, snapshots, Metrics(run.out), run.seed)
    tuner.resume()
    bounds = Bounds(run.minutes * 60, run.checkpoint_minutes * 60)
    ended = tuner.run(bounds, job.progress, wanted)
    if processes.main:
        network = tuner.best_network()
        checkpoints.save_whole(run.out, network.eval(), job.text_encoder)
        write_record(
            run, job.name, {**_description(job), "ended": ended, **tuner.at.record(job.objective.measure)}
        )
    return snapshots, ended


def _description(job: _Job) -> dict[str, object]:
    return {
        "scale": PAPER,
        "options": asdict(job.options),
        **job.origin,
        "examples": job.objective.sizes,
        "device": str(job.processes.device),
        "threads": torch.get_num_threads(),
    }


def _finish(snapshots: Snapshots, ended: str) -> None:
    """Checkpoints go, but for those of a run that may be given more minutes."""
    if ended != "minutes":
        snapshots.clear()


def _refuse_finished(run: Run) -> None:
    """Days of training are not to be overwritten by a command that is given twice."""
    if (run.out / RECORD).is_file() and not run.restart and not Snapshots.exist(run.out):
        raise TrainingError(
            f"{run.out / RECORD}: a model was trained here; name another folder with --out, "
            "or train it again with --restart"
        )


def _poly_encoder(run: Run, start: Path | None) -> tuple[PolyEncoder, TextEncoder, PolyEncoderTuning]:
    """The network to be trained, its vocabulary, and the values; those of a start's network are its own."""
    options = changed(PAPER_VALUES, run.changes)
    torch.manual_seed(run.seed)
    if start is None:
        network, vocabulary = checkpoints.fresh(options.config, run.base, scratch=run.from_scratch), run.base
    else:
        network, vocabulary = checkpoints.load(start, run.base), checkpoints.encoder_folder(start, run.base)
        wanted, stored = options.config.as_dict(), network.config.as_dict()
        given: dict[str, Any] = {name: wanted[name] for name in wanted if name in run.changes}
        for name in FIXED:
            if given.get(name, stored[name]) != stored[name]:
                raise TrainingError(
                    f"{start}: {name} is {stored[name]} and cannot be {given[name]}; leave it out"
                )
        network.config = replace(network.config, **given)
        own: dict[str, Any] = network.config.as_dict()
        options = replace(options, **own)
    text_encoder = TextEncoder(vocabulary, network.config)
    _check_vocabulary(vocabulary, network, text_encoder)
    return network, text_encoder, options


def _check_vocabulary(
    folder: Path, network: PolyEncoder | SkillClassifier, text_encoder: TextEncoder
) -> None:
    known = network.encoder.config.vocab_size
    if text_encoder.vocabulary_size > known:
        raise VocabularyMismatch(
            f"{folder}: its vocabulary has {text_encoder.vocabulary_size} tokens, but its encoder knows {known}; "
            "put the tokenizer there that the encoder was made with"
        )


def _sha256_of(run: Run, start: Path | None) -> str:
    if start:
        return checkpoints.file_sha256(start / checkpoints.WEIGHTS)
    return "" if run.from_scratch else base_encoder.fingerprint(run.base)


def _embed_bank(recipe: Recipe, job: _Job, start: Path | None) -> None:
    """With the saved weights. A fine-tuned model answers with what its start answers with, unless its recipe says."""
    run = job.run
    network = checkpoints.load(run.out, device=str(job.processes.device))
    if start and not recipe.start_from and (start / bank.TEXTS).is_file():
        stored = bank.load(start)
        texts, sources = list(stored.texts), list(stored.sources)
    else:
        texts, sources = bank_texts(recipe, run.data, run.seed, run.examples)
    made = bank.embed(network, job.text_encoder, texts, sources, lambda *done: job.progress("bank", *done))
    made.save(run.out)


def _silent(what: str, done: int, total: int) -> None:
    pass
