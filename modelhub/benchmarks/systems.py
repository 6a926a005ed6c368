"""What a benchmark can be asked of: a registered revision, a folder of weights, or the untrained base."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from django.conf import settings

from modelhub import registry
from modelhub.agents.base import BATCH, Agent, CandidateScorer
from modelhub.benchmarks.results import MEASURING_SEED, untrained_network
from modelhub.dialogue import Dialogue
from modelhub.errors import AgentFailed, CheckpointError, UnknownModel
from modelhub.models import RegisteredModel, Revision
from modelhub.polyencoder import base as base_encoder
from modelhub.polyencoder import checkpoints
from modelhub.polyencoder.checkpoints import CONFIG
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.given import score_given
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.progress import Progress
from modelhub.serving import loading, placement

UNTRAINED = "untrained"


@dataclass(frozen=True, slots=True)
class System:
    """Something that answers; ``load`` reads its weights, in float32. ``revision`` or else ``folder`` is given."""

    name: str
    reference: str
    revision: Revision | None
    folder: str
    weights_sha256: str
    load: Callable[[], object]

    def ranker(self) -> CandidateScorer:
        """Raises AgentFailed for what cannot score given candidates, and the errors of loading."""
        loaded = self.load()
        if not isinstance(loaded, CandidateScorer):
            raise AgentFailed(f"{self.reference} cannot score given candidates; name a retrieval model.")
        return loaded

    def agent(self) -> Agent:
        """Raises AgentFailed for what has no answers of its own, and the errors of loading."""
        loaded = self.load()
        if not hasattr(loaded, "reply"):
            raise AgentFailed(f"{self.reference} has no bank to answer from; name a trained model.")
        return cast(Agent, loaded)


def resolve(reference: str) -> System:
    """The system of ``slug``, ``slug@number`` or a folder's path; a registered name comes before a folder.

    Raises UnknownModel, UnknownRevision, CheckpointError.
    """
    if RegisteredModel.objects.filter(slug=reference.partition("@")[0]).exists():
        return _registered(registry.named(reference))
    folder = Path(reference)
    if folder.is_dir():
        return _unregistered(folder)
    known = ", ".join(RegisteredModel.objects.filter(retired_at=None).values_list("slug", flat=True))
    raise UnknownModel(
        f"{reference!r} is neither a registered model nor a folder of weights; registered are: {known or 'none'}."
    )


def untrained(like: System) -> System:
    """The base encoder with codes as they are before training, configured as this system's network.

    Raises CheckpointError for a system that has no such base.
    """
    config = _config(_network_folder(like))
    base = base_encoder.base_folder()
    described = json.dumps([base_encoder.fingerprint(base), config.as_dict(), MEASURING_SEED])
    return System(
        name="Untrained base",
        reference=UNTRAINED,
        revision=None,
        folder=str(base),
        weights_sha256=hashlib.sha256(described.encode()).hexdigest(),
        load=partial(_load_untrained, config, base),
    )


class UntrainedBase:
    """A network without a bank: it ranks what it is given, and answers nothing."""

    def __init__(self, config: PolyEncoderConfig, base: Path) -> None:
        self._network = untrained_network(config, base).to(placement.placement().device)
        self._text_encoder = TextEncoder(base, config)

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> list[list[float]]:
        contexts = [context_lines(dialogue) for dialogue in dialogues]
        return score_given(
            self._network, self._text_encoder, contexts, candidates, batch=batch, progress=progress
        )


def _load_untrained(config: PolyEncoderConfig, base: Path) -> UntrainedBase:
    return UntrainedBase(config, base)


def _registered(revision: Revision) -> System:
    return System(
        name=revision.model.name,
        reference=revision.reference,
        revision=revision,
        folder="",
        weights_sha256=revision.weights_sha256,
        load=partial(_load, revision),
    )


def _unregistered(folder: Path) -> System:
    kind = checkpoints.kind(folder)
    if not kind:
        raise CheckpointError(f"{folder / CONFIG}: cannot be read; name a model's folder.")
    if kind == "manager":
        raise CheckpointError(
            f"{folder} holds a dialogue manager, which ranks nothing by itself; register it with its parts."
        )
    path = registry.stored_path(folder)
    revision = Revision(kind=Revision.Kind.RETRIEVAL, path=path, weights_sha256=registry.fingerprint(folder))
    name = folder.resolve().name
    return System(name, path, None, path, revision.weights_sha256, partial(_load, revision))


def _load(revision: Revision) -> Agent:
    if revision.pk:
        registry.verify(revision)
    return loading.agent_of(revision, _load_part, placement.exact_placement())


def _load_part(revision_id: int) -> Agent:
    return _load(registry.get(revision_id))


def _network_folder(system: System) -> Path:
    """Where the poly-encoder is: a composite's is that of its first part."""
    if system.revision is None:
        return Path(settings.BASE_DIR) / system.folder
    parts = registry.parts_of(system.revision)
    return registry.folder_of(parts[0] if parts else system.revision)


def _config(folder: Path) -> PolyEncoderConfig:
    if (kind := checkpoints.kind(folder)) != "polyencoder":
        raise CheckpointError(
            f"{folder / CONFIG}: {kind!r} is no network over BASE_ENCODER, so there is no "
            "untrained one to compare with; compare with another model."
        )
    return checkpoints.read_config(folder)
