"""What each model is trained on: the rows of Table 7, and what Tables 4 and 6 compare them with (Smith et al. 2020).

The starter's values were chosen on the starter corpus's validation split; docs/models.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelhub.dialogue import Skill
from modelhub.training.errors import UnknownRecipe
from modelhub.training.hyperparameters import Hyperparameters, ManagerTuning, PolyEncoderTuning

SINGLE_SKILLS = (Skill.CONVAI2, Skill.WOW, Skill.ED)
#: The values a run is made with: small deltas for the starter corpus, or the paper's fine-tuning of all layers.
STARTER, PAPER = SCALES = ("starter", "paper")


#: Where both speakers show the skill there is more to learn from, and validation asked for less restraint.
ONE_SIDED, BOTH_SIDED = Hyperparameters(), Hyperparameters(code_learning_rate=1e-2, dropout=0.15)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A poly-encoder: its tasks, the model that it starts from ("" for the base), its bank's data sets."""

    slug: str
    tasks: tuple[Skill, ...]
    bank: tuple[Skill, ...]
    start_from: str = ""
    #: What it is, in a few words.
    about: str = ""
    #: Add persona and topic to every dialogue that lacks one.
    debias: bool = False
    hyperparameters: Hyperparameters = ONE_SIDED


#: The poly-encoders of Table 7, each after the one it starts from.
RECIPES = {
    recipe.slug: recipe
    for recipe in (
        Recipe("convai2", (Skill.CONVAI2,), (Skill.CONVAI2,), hyperparameters=BOTH_SIDED, about="ConvAI2"),
        Recipe("wow", (Skill.WOW,), (Skill.WOW,), about="Wizard of Wikipedia"),
        Recipe("ed", (Skill.ED,), (Skill.ED,), about="EmpatheticDialogues"),
        Recipe(
            "bst",
            (Skill.BST,),
            (Skill.BST,),
            hyperparameters=BOTH_SIDED,
            about="BlendedSkillTalk; with --from a model, the BST fine-tuning of it (Table 6)",
        ),
        Recipe(
            "mt-single-skills", SINGLE_SKILLS, SINGLE_SKILLS, debias=True, about="the three skills, debiased"
        ),
        # Its answers come from the single-skill sets too: in Table 4 their shares sum to 100.
        Recipe(
            "mt-single-skills-bst",
            (Skill.BST,),
            SINGLE_SKILLS,
            start_from="mt-single-skills",
            about="BST fine-tuning of mt-single-skills, which --from names",
        ),
    )
}
#: What Table 4 compares the multi-task models with; they do not ship.
NOT_DEBIASED = {
    recipe.slug: recipe
    for recipe in (
        Recipe(
            "mt-single-skills-original", SINGLE_SKILLS, SINGLE_SKILLS, about="the three skills as they are"
        ),
        Recipe(
            "mt-single-skills-original-bst",
            (Skill.BST,),
            SINGLE_SKILLS,
            start_from="mt-single-skills-original",
            about="BST fine-tuning of mt-single-skills-original, which --from names",
        ),
    )
}
#: All poly-encoders and the manager are trained with the same values at the paper's scale.
PAPER_VALUES, PAPER_MANAGER = PolyEncoderTuning(), ManagerTuning()
#: The dialogue manager of MT Two-Stage; its folder is named for the system that it serves.
MANAGER, MANAGER_FOLDER = "manager", "mt-two-stage"
#: Everything, in an order in which each model's start is there before it.
EVERYTHING = "all"


def recipe(name: str) -> Recipe:
    """Raises UnknownRecipe, naming those that there are."""
    try:
        return {**RECIPES, **NOT_DEBIASED}[name]
    except KeyError as error:
        known = ", ".join([*RECIPES, *NOT_DEBIASED, MANAGER, EVERYTHING])
        raise UnknownRecipe(f"there is no recipe {name}; there are {known}") from error


def described() -> list[tuple[str, str]]:
    """Every name that can be trained, with what it is."""
    return [
        *((each.slug, each.about) for each in (*RECIPES.values(), *NOT_DEBIASED.values())),
        (MANAGER, "the dialogue manager of MT Two-Stage"),
        (EVERYTHING, "the models that ship, at the starter's scale"),
    ]
