"""What goes wrong with models; every error has a stable ``code`` and says what to do."""

from __future__ import annotations


class ModelhubError(Exception):
    """Base of this app's errors."""

    code = "modelhub"


class BaseEncoderMissing(ModelhubError):
    """The folder of the base encoder is not there, or lacks a file."""

    code = "base_encoder_missing"


class CheckpointError(ModelhubError):
    """A model folder cannot be read: a file is missing, is no safetensors, or does not fit."""

    code = "checkpoint"


class NoBank(CheckpointError):
    """A model has no candidates to answer with."""

    code = "no_bank"


class StaleBank(CheckpointError):
    """A bank's embeddings were made by other weights, or from other texts."""

    code = "stale_bank"


class UnknownModel(ModelhubError):
    """No such registered model, or it is retired."""

    code = "unknown_model"


class UnknownRevision(ModelhubError):
    """No such revision."""

    code = "unknown_revision"


class ChangedFiles(ModelhubError):
    """The files of a revision are not those that were registered."""

    code = "changed_files"


class AgentFailed(ModelhubError):
    """An agent could not answer; its own error is the cause."""

    code = "agent_failed"


class NoCandidateLeft(AgentFailed):
    """Everything that an agent could say was already said in the talk."""

    code = "no_candidate_left"


class EngineTimeout(ModelhubError):
    """A reply did not come within the time limit."""

    code = "engine_timeout"


class EngineBusy(ModelhubError):
    """A model has as much to do as a worker lets it have; nothing was tried."""

    code = "engine_busy"


class DoesNotFit(ModelhubError):
    """A model needs more memory than its device has left."""

    code = "does_not_fit"


class SafetyClassifierError(ModelhubError):
    """The safety classifier, or texts to train or measure it with, cannot be used as they are."""

    code = "safety_classifier"
