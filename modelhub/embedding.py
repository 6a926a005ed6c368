"""Give a model another bank: the utterances of data sets, embedded with its weights."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from modelhub import registry
from modelhub.datasets import layout
from modelhub.dialogue import Skill
from modelhub.errors import CheckpointError, ModelhubError, UnknownModel
from modelhub.models import RegisteredModel, Revision
from modelhub.parlai import importing, storage
from modelhub.parlai.network import ParlaiPolyEncoder
from modelhub.parlai.tokens import ParlaiTextEncoder
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.folders import made_whole
from modelhub.progress import Bars, Progress
from modelhub.serving import loading, placement
from modelhub.training.tasks import utterances


class NothingToEmbed(ModelhubError):
    """A folder of data sets has no utterance for a bank."""

    code = "nothing_to_embed"


def embed_bank(
    model: str,
    data: Path,
    datasets: Sequence[str] | None = None,
    split: str = "train",
    out: Path | None = None,
) -> Iterator[str]:
    """Embed a split's utterances for a registered model or a folder; yields lines for a person.

    A registered model's files never change: it gets a new folder and a new revision. A folder that nobody registered
    gets the bank in its place, or in a copy ``out``. Without ``datasets`` all that ``data`` holds are taken.
    Raises ModelhubError.
    """
    revision = _revision(model)
    folder = registry.folder_of(revision) if revision else _unregistered(Path(model), out)
    texts, sources = _utterances(data, datasets, split)
    copy = out or (settings.DATA_DIR / "models" / _next_name(revision) if revision else None)
    with Bars("utterances") as bars, _place(folder, copy) as place:
        _embed(place, texts, sources, bars.show).save(place)
    target = copy or folder
    counts = ", ".join(f"{count} from {source}" for source, count in Counter(sources).items())
    yield f"embedded {len(texts)} utterances into {target}: {counts}"
    if revision:
        made = registry.register(
            revision.model.slug, revision.model.name, revision.kind, target, revision.config
        )
        yield f"registered {made.reference} as {made.model.name}"


def _revision(model: str) -> Revision | None:
    """None for a folder. Raises UnknownModel, and CheckpointError for what has no bank."""
    if not RegisteredModel.objects.filter(slug=model.partition("@")[0]).exists():
        if Path(model).is_dir():
            return None
        raise UnknownModel(f"{model!r} is neither a registered model nor a folder of weights.")
    revision = registry.named(model)
    if revision.kind != Revision.Kind.RETRIEVAL:
        raise CheckpointError(
            f"{model} ({Revision.Kind(revision.kind).label}) has no bank of its own; name one of its parts."
        )
    registry.verify(revision)
    return revision


def _unregistered(folder: Path, out: Path | None) -> Path:
    """Raises CheckpointError for a folder whose files must stay as they are."""
    if not out and (known := Revision.objects.filter(path=registry.stored_path(folder)).first()):
        raise CheckpointError(
            f"{folder} belongs to {known.reference}, whose files never change; "
            f"name the model, {known.model.slug}, or a folder to write with --out."
        )
    return folder


def _utterances(data: Path, datasets: Sequence[str] | None, split: str) -> tuple[list[str], list[str]]:
    """Raises DatasetError, NothingToEmbed."""
    skills = [skill for skill in Skill if skill in (datasets or layout.installed(data, split))]
    texts, sources = utterances(skills, data, split)
    if not texts:
        raise NothingToEmbed(
            f"{data} has no utterance in a {split} split to answer with; name another folder."
        )
    return texts, sources


def _next_name(revision: Revision) -> str:
    latest = revision.model.latest
    return f"{revision.model.slug}-{latest.number + 1 if latest else 1}"


@contextmanager
def _place(folder: Path, copy: Path | None) -> Iterator[Path]:
    """Where the bank is to be saved: the folder, or a new one with all that the model answers with but its bank."""
    if copy is None:
        yield folder
        return
    with made_whole(copy) as beside:
        for name in registry.FILES:
            if name not in (bank.TEXTS, bank.EMBEDDINGS) and (folder / name).is_file():
                (beside / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(folder / name, beside / name)
        yield beside


def _embed(folder: Path, texts: Sequence[str], sources: Sequence[str], progress: Progress) -> bank.Bank:
    if checkpoints.kind(folder) == "manager":
        raise CheckpointError(
            f"{folder} holds a dialogue manager, which has no bank; name a retrieval model."
        )
    placed = placement.exact_placement()
    if checkpoints.kind(folder) == storage.KIND:
        imported: tuple[ParlaiPolyEncoder, ParlaiTextEncoder] = storage.load(
            folder, device=placed.device, dtype=placed.dtype
        )
        return importing.embed(*imported, texts, sources, progress)
    network, text_encoder = loading.ranker_of(folder, placed)
    return bank.embed(network, text_encoder, texts, sources, lambda *done: progress("bank", *done))
