"""From a revision to the agent that answers for it. torch is imported here, so only workers import this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from django.conf import settings

from modelhub import registry
from modelhub.agents.base import Agent
from modelhub.agents.random_skill import RandomSkillAgent
from modelhub.agents.retrieval import RetrievalAgent
from modelhub.agents.scripted import ScriptedAgent
from modelhub.agents.two_stage import TwoStageAgent
from modelhub.errors import CheckpointError
from modelhub.models import Revision
from modelhub.parlai import storage
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig, PolyEncoderConfig
from modelhub.polyencoder.packed import fast
from modelhub.polyencoder.precision import serving_precision
from modelhub.polyencoder.ranker import Ranker, Texts
from modelhub.polyencoder.tokens import TextEncoder

#: Gives the loaded agent of a revision's id: composites are made of agents that are loaded already.
PartOf = Callable[[int], Agent]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where networks are, and what they multiply in."""

    device: str
    precision: torch.dtype

    @property
    def dtype(self) -> torch.dtype:
        """What weights are read in: on a CPU float32, which packed.py turns into what it multiplies in."""
        return torch.float32 if self.device.startswith("cpu") else self.precision


def load_agent(revision_id: int, part_of: PartOf) -> Agent:
    """Load a revision after checking its files.

    Raises UnknownRevision, ChangedFiles, CheckpointError, BaseEncoderMissing.
    """
    revision = registry.get(revision_id)
    registry.verify(revision)
    return agent_of(revision, part_of, placement())


def agent_of(revision: Revision, part_of: PartOf, placed: Placement) -> Agent:
    """The agent of a revision, which need not be stored: benchmarks load folders that nobody registered.

    Raises CheckpointError, BaseEncoderMissing.
    """
    return _LOADERS[revision.kind](revision, part_of, placed)


def _retrieval(revision: Revision, part_of: PartOf, placed: Placement) -> Agent:
    folder = registry.folder_of(revision)
    network, text_encoder = ranker_of(folder, placed)
    # Before the bank: the weights that it was made from are not needed any more.
    network = fast(network, placed.precision)
    skill = str(revision.config.get("skill", ""))
    return RetrievalAgent(network, text_encoder, bank.load(folder), skill)


def ranker_of(folder: Path, placed: Placement) -> tuple[Ranker, Texts]:
    """A folder's network and its tokens: imported from ParlAI, or over a BERT encoder. Raises CheckpointError."""
    if checkpoints.kind(folder) == storage.KIND:
        return storage.load(folder, device=placed.device, dtype=placed.dtype)
    network = checkpoints.load(folder, share=True, device=placed.device, dtype=placed.dtype)
    return network, _text_encoder(checkpoints.encoder_folder(folder), network.config)


def _random_skill(revision: Revision, part_of: PartOf, placed: Placement) -> Agent:
    return RandomSkillAgent(_parts(revision, part_of))


def _two_stage(revision: Revision, part_of: PartOf, placed: Placement) -> Agent:
    folder = registry.folder_of(revision)
    manager = checkpoints.load_manager(folder, share=True, device=placed.device, dtype=placed.dtype)
    manager = fast(manager, placed.precision)
    text_encoder = _text_encoder(checkpoints.encoder_folder(folder), manager.config)
    return TwoStageAgent(manager, text_encoder, _parts(revision, part_of))


def _scripted(revision: Revision, part_of: PartOf, placed: Placement) -> Agent:
    return ScriptedAgent(revision.config.get("replies", ()), float(revision.config.get("delay_s", 0)))


_LOADERS: Mapping[str, Callable[[Revision, PartOf, Placement], Agent]] = {
    Revision.Kind.RETRIEVAL: _retrieval,
    Revision.Kind.RANDOM_SKILL: _random_skill,
    Revision.Kind.TWO_STAGE: _two_stage,
    Revision.Kind.SCRIPTED: _scripted,
}


def _parts(revision: Revision, part_of: PartOf) -> dict[str, Agent]:
    """The composite's loaded parts by skill, in its configuration's order.

    Where it does not name skills, they are the parts' own, and a part's without one is its slug.
    """
    found = registry.parts_of(revision)
    skills = revision.config.get("skills") or [part.config.get("skill") or part.model.slug for part in found]
    parts = dict(zip(skills, found, strict=True))
    if len(parts) < 2:
        raise CheckpointError(
            f"{revision}: {len(parts)} parts with different skills; register it with two or more."
        )
    return {skill: part_of(part.pk) for skill, part in parts.items()}


def placement() -> Placement:
    """Where a site's networks are, SERVING_DEVICE, and what they multiply in, SERVING_PRECISION."""
    device = settings.SERVING_DEVICE
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise CheckpointError(
            f"SERVING_DEVICE is {device}, but torch finds no GPU here; set it to cpu or auto."
        )
    return Placement(device, serving_precision(torch.device(device)))


def exact_placement() -> Placement:
    """Where networks are whose results must not depend on how a site serves: the same device, in float32."""
    return Placement(placement().device, torch.float32)


@lru_cache(maxsize=16)
def _text_encoder(base: Path, config: PolyEncoderConfig | ManagerConfig) -> TextEncoder:
    """One tokenizer for all models of the same lengths: it takes megabytes."""
    return TextEncoder(base, config)
