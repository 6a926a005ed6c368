"""Register the models that ship with the project. No torch here."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from modelhub import registry
from modelhub.models import Revision

WEIGHTS = Path(__file__).resolve().parent / "weights"
#: The single-skill models; their slugs are the names of the skills.
SINGLE_SKILLS = {"convai2": "ConvAI2", "wow": "WoW", "ed": "ED"}


def install(weights: Path = WEIGHTS) -> list[Revision]:
    """Register the eight systems in Table 7's order; those that are registered unchanged stay as they are.

    Raises ChangedFiles, naming the folder, when weights are missing.
    """
    with transaction.atomic():
        skills = [_retrieval(weights, slug, name, slug) for slug, name in SINGLE_SKILLS.items()]
        return [
            *skills,
            _retrieval(weights, "bst", "BST", "bst"),
            registry.register("random-skill", "Random-Skill", Revision.Kind.RANDOM_SKILL, None, {}, skills),
            registry.register(
                "mt-two-stage", "MT Two-Stage", Revision.Kind.TWO_STAGE, weights / "mt-two-stage", {}, skills
            ),
            _retrieval(weights, "mt-single-skills", "MT Single-Skills"),
            _retrieval(weights, "mt-single-skills-bst", "MT Single-Skills +BST fine-tuning"),
        ]


def _retrieval(weights: Path, slug: str, name: str, skill: str = "") -> Revision:
    """A model of all skills has none of its own: its answers tell the data set that each came from."""
    return registry.register(
        slug, name, Revision.Kind.RETRIEVAL, weights / slug, {"skill": skill} if skill else {}
    )
