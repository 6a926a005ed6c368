"""What training refuses."""

from __future__ import annotations

from modelhub.errors import ModelhubError


class TrainingError(ModelhubError):
    """A training run cannot start or go on."""

    code = "training"


class UnknownRecipe(TrainingError):
    """There is no recipe of this name."""

    code = "unknown_recipe"


class UnknownOption(TrainingError):
    """A value that does not exist, or that cannot be."""

    code = "unknown_option"


class EmptyData(TrainingError):
    """A data set's split has nothing to learn from or to validate on."""

    code = "empty_data"


class VocabularyMismatch(TrainingError):
    """A vocabulary has tokens that the encoder has no embedding for."""

    code = "vocabulary_mismatch"


class SnapshotError(TrainingError):
    """A run's checkpoint cannot be written or read."""

    code = "snapshot"


class OtherRun(SnapshotError):
    """The checkpoint belongs to a run with other options."""

    code = "other_run"


class Interrupted(TrainingError):
    """A person or the system asked the run to stop."""

    code = "interrupted"


class Diverged(TrainingError):
    """The loss is not finite any more."""

    code = "diverged"
