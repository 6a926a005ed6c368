"""What training refuses."""

from __future__ import annotations

from modelhub.errors import ModelhubError


class TrainingError(ModelhubError):
    """A training run cannot start or go on."""

    code = "training"


class UnknownRecipe(TrainingError):
    """There is no recipe of this name."""

    code = "unknown_recipe"


class Diverged(TrainingError):
    """The loss is not finite any more."""

    code = "diverged"
