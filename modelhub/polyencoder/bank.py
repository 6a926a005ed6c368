"""The candidates that a retrieval model chooses from, with their embeddings.

``bank.jsonl`` has a line ``{"id", "text", "source"}`` a candidate; ``bank.safetensors`` holds ``embeddings`` (N, D)
in half precision and, in its header, the SHA-256 of the weights and of the texts it was made from: a bank that
other weights embedded would answer nonsense without saying so. The embeddings of a large bank stay on disk.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from modelhub.errors import CheckpointError, NoBank, StaleBank
from modelhub.polyencoder.checkpoints import WEIGHTS, file_sha256, read_metadata, read_tensors, write_tensors
from modelhub.polyencoder.lengths import batches
from modelhub.polyencoder.mapped import Mapped
from modelhub.polyencoder.packed import fast
from modelhub.polyencoder.ranker import Ranker, Texts

TEXTS, EMBEDDINGS = "bank.jsonl", "bank.safetensors"
#: Embeddings in files larger than this are not read into memory.
MAPPED_BYTES = 64 * 2**20
#: Tokens in one batch, padding included: batches of this size run fastest on a CPU.
BATCH_TOKENS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """N candidates: what they say, the data set they come from, and embeddings (N, D) in half precision.

    A candidate's id is its place, counted from 0. ``mapped`` is where embeddings are that stay on disk.
    ``sha256`` is that of their file, "" for a bank that no file holds yet.
    """

    texts: tuple[str, ...]
    sources: tuple[str, ...]
    embeddings: Tensor
    sha256: str = ""
    mapped: Mapped | None = None

    def __post_init__(self) -> None:
        if not len(self.texts) == len(self.sources) == len(self.embeddings):
            raise CheckpointError(
                f"a bank of {len(self.texts)} texts, {len(self.sources)} sources and "
                f"{len(self.embeddings)} embeddings; there must be one of each a candidate."
            )
        if not self.texts:
            raise CheckpointError("a bank without candidates; give it texts.")

    def __len__(self) -> int:
        return len(self.texts)

    def save(self, folder: Path) -> None:
        """Write both files beside the weights that embedded it: save those first."""
        lines = [
            json.dumps({"id": id_, "text": text, "source": source}, ensure_ascii=False)
            for id_, (text, source) in enumerate(zip(self.texts, self.sources, strict=True))
        ]
        (folder / TEXTS).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        stored = self.embeddings.to(torch.float16).cpu().contiguous()
        # One note, not one a file: safetensors writes several in any order, and the same bank must be the same bytes.
        write_tensors(folder / EMBEDDINGS, {"embeddings": stored}, {"made_from": _made_from(folder)})


def load(folder: Path) -> Bank:
    """The folder's bank.

    Raises NoBank where there is none, CheckpointError naming the file, StaleBank when it fits other weights or texts.
    """
    if not (folder / EMBEDDINGS).is_file():
        raise NoBank(f"{folder} has no bank to answer from; embed one with manage.py bank MODEL --data DIR.")
    embeddings, mapped = _read_embeddings(folder / EMBEDDINGS)
    texts, sources = _read_texts(folder / TEXTS)
    if read_metadata(folder / EMBEDDINGS).get("made_from") != _made_from(folder):
        raise StaleBank(
            f"{folder / EMBEDDINGS}: embedded by other weights than {WEIGHTS}, or from other texts than {TEXTS}; "
            "embed the bank again."
        )
    return Bank(texts, sources, embeddings, file_sha256(folder / EMBEDDINGS), mapped)


def _read_embeddings(path: Path) -> tuple[Tensor, Mapped | None]:
    """(N, D), and where they are when they stay on disk."""
    mapped = None
    if path.is_file() and path.stat().st_size > MAPPED_BYTES:
        mapped = Mapped(path, "embeddings")
        embeddings = mapped.tensor
    else:
        tensors = read_tensors(path)
        # Other tensors beside it are another format; a mapped file may have them, and they are never read.
        embeddings = tensors["embeddings"] if set(tensors) == {"embeddings"} else torch.empty(0)
    if embeddings.dim() != 2:
        raise CheckpointError(f"{path}: one tensor `embeddings` (N, D) is needed; embed again.")
    return embeddings, mapped


def _made_from(folder: Path) -> str:
    return " ".join(f"{name}:{file_sha256(folder / name)}" for name in (WEIGHTS, TEXTS))


@torch.inference_mode()
def embed(
    network: Ranker,
    text_encoder: Texts,
    texts: Sequence[str],
    sources: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Embed candidates in batches of like lengths; ``progress(done, all)`` is called after each batch.

    The network must be in evaluation mode: dropout would spoil the embeddings.
    """
    if network.training:
        raise ValueError("embed with network.eval(): dropout would spoil the embeddings")
    network = fast(network)
    rows = torch.empty(len(texts), network.width, dtype=torch.float16)
    done = 0
    for places in batches(text_encoder.lengths(texts), BATCH_TOKENS):
        tokens, mask = text_encoder.candidates([texts[place] for place in places])
        rows[places] = network.encode_candidates(tokens.to(network.device), mask.to(network.device)).to(rows)
        done += len(places)
        if progress:
            progress(done, len(texts))
    return Bank(tuple(texts), tuple(sources), rows)


def _read_texts(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the bank's texts belong beside its embeddings.")
    texts, sources = [], []
    # Not splitlines(): a text may hold one of Unicode's other line ends.
    for number, line in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n")):
        try:
            row = json.loads(line)
            if row["id"] != number or not isinstance(row["text"], str) or not isinstance(row["source"], str):
                raise ValueError(f"id {row['id']} where {number} should stand")
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}, line {number + 1}: {error!r}; embed the bank again.") from error
        texts.append(row["text"])
        sources.append(sys.intern(row["source"]))
    return tuple(texts), tuple(sources)
