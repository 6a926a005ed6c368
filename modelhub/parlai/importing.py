"""From a folder or archive of ParlAI's to a model's folder of this project, with its bank."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from modelhub.archives import unpack
from modelhub.errors import CheckpointError
from modelhub.parlai import checkpoint, storage
from modelhub.parlai.checkpoint import MODEL, OPTIONS, Stored
from modelhub.parlai.network import ParlaiPolyEncoder
from modelhub.parlai.tokens import ParlaiTextEncoder
from modelhub.polyencoder import bank
from modelhub.polyencoder.checkpoints import CONFIG, WEIGHTS
from modelhub.polyencoder.folders import made_whole, require_new
from modelhub.progress import Progress

#: Where a candidate comes from, when nothing is known but that it came with the model.
BANK_SOURCE = "imported"


def convert(
    source: Path, out: Path, bank_file: Path | None, progress: Progress, bank_source: str = BANK_SOURCE
) -> Path:
    """Import a folder or a tar.gz or zip archive into the folder ``out``, which must be new; gives ``out``.

    The bank is ``bank_file``, one utterance a line, else the fixed candidates that came with the model; where none
    came there is no bank yet. ``out`` gets its name when it is whole. Raises CheckpointError, ArchiveError.
    """
    require_new(out)
    with _unpacked(source, out.parent) as folder:
        stored = checkpoint.read(folder)
        path = bank_file or _own_candidates(stored)
        texts = read_candidates(path) if path else []
        with made_whole(out) as beside:
            storage.save(beside, stored, _origin(stored, source))
            network, text_encoder = storage.load(beside)
            if texts:
                embed(network, text_encoder, texts, [bank_source] * len(texts), progress).save(beside)
    return out


def is_imported(folder: Path) -> bool:
    """Whether a folder holds an imported model already."""
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()


def read_candidates(path: Path) -> list[str]:
    """A file's utterances, one a line, each once; blank lines are passed over. Raises CheckpointError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path}: the bank cannot be read ({error}); give a UTF-8 file with one utterance a line."
        ) from error
    utterances = list(dict.fromkeys(line.strip() for line in text.split("\n")))
    if not (found := [utterance for utterance in utterances if utterance]):
        raise CheckpointError(f"{path}: no utterance to answer with; give a file with one utterance a line.")
    return found


def _own_candidates(stored: Stored) -> Path | None:
    """The fixed candidates beside the weights: the options' file, or the only one that there is.

    Raises CheckpointError where there are several.
    """
    named = stored.options.get("fixed_candidates_path")
    if isinstance(named, str) and (path := stored.folder / PurePosixPath(named).name).is_file():
        return path
    found = sorted({*stored.folder.glob("*.cands"), *stored.folder.glob("*cand*.txt")})
    if len(found) > 1:
        raise CheckpointError(
            f"{stored.folder / MODEL}: {len(found)} files of candidates beside it; give a file with one utterance a "
            "line with --bank."
        )
    return found[0] if found else None


def embed(
    network: ParlaiPolyEncoder,
    text_encoder: ParlaiTextEncoder,
    texts: Sequence[str],
    sources: Sequence[str],
    progress: Progress,
) -> bank.Bank:
    """A bank as ParlAI makes it: where padding matters, the whole as wide as its longest candidate."""
    if network.config.padding_matters:
        text_encoder = text_encoder.padded_to(max(text_encoder.lengths(texts)))
    return bank.embed(network, text_encoder, texts, sources, lambda *done: progress("bank", *done))


def _origin(stored: Stored, source: Path) -> dict[str, str]:
    """What the config tells of where the weights came from."""
    with (stored.folder / MODEL).open("rb") as file:
        return {"name": source.name, "model_sha256": hashlib.file_digest(file, "sha256").hexdigest()}


@contextmanager
def _unpacked(source: Path, beside: Path) -> Iterator[Path]:
    """The folder that holds ``model.opt``: in ``source`` or below it; archives are unpacked for the while."""
    if source.is_dir():
        yield _model_folder(source, source)
        return
    if not source.is_file():
        raise CheckpointError(f"{source} is missing; name a folder or an archive of ParlAI's.")
    # Where the model will stand: the usual temporary folders are often small.
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=beside) as temporary:
        unpack(source, Path(temporary) / "model")
        yield _model_folder(Path(temporary) / "model", source)


def _model_folder(folder: Path, source: Path) -> Path:
    found = sorted(path.parent for path in folder.rglob(OPTIONS))
    if len(found) != 1:
        raise CheckpointError(
            f"{source}: {len(found)} files {OPTIONS} there; name the folder or archive of one ParlAI model."
        )
    return found[0]
