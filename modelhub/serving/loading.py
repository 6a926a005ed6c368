"""From a revision to the agent that answers for it. torch is imported here, so only workers import this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import torch

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
from modelhub.polyencoder.ranker import Ranker, Texts
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.serving import memory
from modelhub.serving.placement import Placement, placement

#: Gives the loaded agent of a revision's id: composites are made of agents that are loaded already.
PartOf = Callable[[int], Agent]


def load_agent(revision_id: int, part_of: PartOf) -> Agent:
    """Load a revision after checking its files and whether there is room for it.

    Raises UnknownRevision, ChangedFiles, CheckpointError, BaseEncoderMissing, DoesNotFit.
    """
    revision, placed = registry.get(revision_id), placement()
    registry.verify(revision)
    memory.check_fits(revision, placed)
    try:
        return agent_of(revision, part_of, placed)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise memory.out_of_memory(revision, placed) from error


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


@lru_cache(maxsize=16)
def _text_encoder(base: Path, config: PolyEncoderConfig | ManagerConfig) -> TextEncoder:
    """One tokenizer for all models of the same lengths: it takes megabytes."""
    return TextEncoder(base, config)
