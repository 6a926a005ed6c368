"""The poly-encoders of Smith et al. (2020) that ParlAI's model zoo offers. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from modelhub.errors import UnknownModel

#: The archives lie under ``BASE/<name>/v1.0.tar.gz``.
BASE = "http://parl.ai/downloads/_models/blended_skill_talk"
ARCHIVE = "v1.0.tar.gz"


@dataclass(frozen=True, slots=True)
class ZooModel:
    """A model's name in the zoo and in this project; ``skill`` is the data set that it learned, if it is one.

    ``sha256`` is the archive's, where it was published: None is checked against the first download alone.
    """

    name: str
    row: str
    skill: str = ""
    sha256: str | None = None

    @property
    def slug(self) -> str:
        return f"zoo-{self.name.replace('_', '-')}"

    def url(self, mirror: str = BASE) -> str:
        return f"{mirror}/{self.name}/{ARCHIVE}"


MODELS = {
    model.name: model
    for model in (
        ZooModel("convai2_single_task", "ConvAI2 (zoo)", "convai2"),
        ZooModel("wizard_single_task", "WoW (zoo)", "wow"),
        ZooModel("ed_single_task", "ED (zoo)", "ed"),
        ZooModel("bst_single_task", "BST (zoo)", "bst"),
        ZooModel("multi_task", "MT Single-Skills (zoo)"),
        ZooModel("multi_task_bst_tuned", "MT Single-Skills +BST fine-tuning (zoo)"),
    )
}


def model(name: str) -> ZooModel:
    """A model by its name in the zoo. Raises UnknownModel."""
    if name not in MODELS:
        raise UnknownModel(f"The zoo has no {name!r}; it has {', '.join(MODELS)}.")
    return MODELS[name]
