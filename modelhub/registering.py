"""Register what was trained: a folder of weights, or a system made of models that are registered already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelhub import registry
from modelhub.agents.base import Agent
from modelhub.errors import CheckpointError, ModelhubError
from modelhub.models import Revision
from modelhub.polyencoder import checkpoints
from modelhub.serving import loading, placement

Kind = Revision.Kind


class RegistrationError(ModelhubError):
    """What was named does not make a model of the kind that was asked for."""

    code = "registration"


def register(
    kind: str, slug: str, name: str, folder: Path | None = None, parts: Mapping[str, str] | None = None
) -> Revision:
    """Register after a look at everything that talks will need; ``parts`` names a model for each skill.

    Retrieval takes a folder, Random-Skill parts, Two-Stage its manager's folder and parts. Raises ModelhubError.
    """
    registry.check_slug(slug)
    parts = parts or {}
    _check_given(kind, folder, parts)
    revisions = [registry.named(part) for part in parts.values()]
    if folder:
        _LOOKS[kind](folder, parts)
    config = {"skills": list(parts)} if parts else {}
    return registry.register(slug, name or slug, kind, folder, config, revisions)


def _check_given(kind: str, folder: Path | None, parts: Mapping[str, str]) -> None:
    composite = kind != Kind.RETRIEVAL
    if (folder is None) is not (kind == Kind.RANDOM_SKILL):
        needed = "has no weights of its own; leave the folder out" if folder else "needs a folder of weights"
        raise RegistrationError(f"{Kind(kind).label} {needed}.")
    if composite and len(parts) < 2:
        raise RegistrationError(
            f"{Kind(kind).label} needs two parts or more, such as --parts convai2=MODEL,wow=MODEL."
        )
    if parts and not composite:
        raise RegistrationError(f"{Kind(kind).label} has no parts; choose another --kind, or leave them out.")


def _look_at_retrieval(folder: Path, parts: Mapping[str, str]) -> None:
    """Loads it as a worker would."""
    if checkpoints.kind(folder) == "manager":
        raise RegistrationError(f"{folder} holds a dialogue manager; register it with --kind two-stage.")
    loading.agent_of(
        Revision(kind=Kind.RETRIEVAL, path=str(folder.resolve())), _no_parts, placement.placement()
    )


def _look_at_manager(folder: Path, parts: Mapping[str, str]) -> None:
    manager = checkpoints.load_manager(folder)
    if missing := [skill for skill in manager.config.classes if skill not in parts]:
        raise RegistrationError(
            f"{folder}: the manager chooses among {', '.join(manager.config.classes)}, but --parts names no model "
            f"for {', '.join(missing)}."
        )


_LOOKS = {Kind.RETRIEVAL.value: _look_at_retrieval, Kind.TWO_STAGE.value: _look_at_manager}


def _no_parts(revision_id: int) -> Agent:
    raise CheckpointError(f"revision {revision_id} was asked for by a model without parts; this is a fault.")
