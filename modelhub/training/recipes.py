"""What each model is trained on and how: the rows of Table 7 (Smith et al. 2020, section 3.2).

The values were chosen on the starter corpus's validation split; docs/models.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelhub.dialogue import Skill
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.training.errors import UnknownRecipe

SINGLE_SKILLS = (Skill.CONVAI2, Skill.WOW, Skill.ED)


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """How a poly-encoder is trained. ``trained`` are prefixes of the tensors that change; the rest ships once."""

    trained: tuple[str, ...] = ("encoder.encoder.layer.5.", "codes")
    #: Tokens of a context. Fewer than the base could read: what was said last tells most about the answer.
    text_truncate: int = 128
    output_scaling: float = 1.0
    learning_rate: float = 2e-4
    #: Codes start without a meaning, and have further to go than layers that were trained before.
    code_learning_rate: float = 3e-3
    warmup_steps: int = 20
    batch: int = 64
    max_epochs: int = 8
    #: Epochs without better validation hits@1 before training stops.
    patience: int = 5
    #: Of what the trained layers put out; attention itself is not dropped.
    dropout: float = 0.3
    weight_decay: float = 0.01
    #: Gradients are scaled down to this norm.
    clip: float = 1.0

    @property
    def config(self) -> PolyEncoderConfig:
        """The network that these values train."""
        return PolyEncoderConfig(text_truncate=self.text_truncate, output_scaling=self.output_scaling)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A poly-encoder: its tasks, the model that it starts from ("" for the base), its bank's data sets."""

    slug: str
    tasks: tuple[Skill, ...]
    bank: tuple[Skill, ...]
    start_from: str = ""
    #: Add persona and topic to every dialogue that lacks one.
    debias: bool = False
    hyperparameters: Hyperparameters = Hyperparameters()


#: Where both speakers show the skill there is more to learn from, and validation asked for less restraint.
BOTH_SIDED = Hyperparameters(code_learning_rate=1e-2, dropout=0.15)

RECIPES = {
    recipe.slug: recipe
    for recipe in (
        Recipe("convai2", (Skill.CONVAI2,), (Skill.CONVAI2,), hyperparameters=BOTH_SIDED),
        Recipe("wow", (Skill.WOW,), (Skill.WOW,)),
        Recipe("ed", (Skill.ED,), (Skill.ED,)),
        Recipe("bst", (Skill.BST,), (Skill.BST,), hyperparameters=BOTH_SIDED),
        Recipe("mt-single-skills", SINGLE_SKILLS, SINGLE_SKILLS, debias=True),
        # Its answers come from the single-skill sets too: in Table 4 their shares sum to 100.
        Recipe("mt-single-skills-bst", (Skill.BST,), SINGLE_SKILLS, start_from="mt-single-skills"),
    )
}
#: The dialogue manager of MT Two-Stage; its folder is named for the system that it serves.
MANAGER, MANAGER_FOLDER = "manager", "mt-two-stage"
#: Everything, in an order in which each model's start is there before it.
EVERYTHING = "all"


def recipe(name: str) -> Recipe:
    """Raises UnknownRecipe, naming those that there are."""
    try:
        return RECIPES[name]
    except KeyError as error:
        known = ", ".join([*RECIPES, MANAGER, EVERYTHING])
        raise UnknownRecipe(f"there is no recipe {name}; there are {known}") from error
