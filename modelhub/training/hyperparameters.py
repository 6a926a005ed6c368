"""How models are trained, at two scales: the starter's small deltas, and the paper's fine-tuning of all layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from modelhub.polyencoder.config import ManagerConfig, PolyEncoderConfig
from modelhub.training.errors import UnknownOption

#: What the manager reads: the last utterances of a talk.
MANAGER_READS = 2


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
class FineTuning:
    """How all layers are trained at the paper's scale (Smith et al. 2020, 3.2).

    Values that the paper leaves out are those of the commands that its authors published with their models.
    """

    text_truncate: int = 360
    learning_rate: float = 5e-5
    #: Of tensors that start without a meaning: codes, the manager's head.
    fresh_learning_rate: float = 5e-5
    warmup_steps: int = 100
    #: What remains of the rate each time that the validation loss has not fallen.
    decay: float = 0.4
    batch: int = 512
    #: A bound that the paper does not have: training stops long before by itself.
    max_epochs: int = 100
    #: Epochs without better validation figures before training stops.
    patience: int = 10
    validations_per_epoch: int = 2
    dropout: float = 0.1
    attention_dropout: float = 0.1
    #: Gradients are scaled down to this norm.
    clip: float = 0.1


@dataclass(frozen=True, slots=True)
class PolyEncoderTuning(FineTuning):
    """A poly-encoder at the paper's scale."""

    label_truncate: int = 72
    codes: int = 64
    shared_encoder: bool = False
    output_scaling: float = 1.0
    #: Of several data sets an epoch has as many examples of each, however large they are.
    equal_tasks: bool = True

    @property
    def config(self) -> PolyEncoderConfig:
        """The network that these values train."""
        return PolyEncoderConfig(
            codes=self.codes,
            text_truncate=self.text_truncate,
            label_truncate=self.label_truncate,
            shared_encoder=self.shared_encoder,
            output_scaling=self.output_scaling,
        )


@dataclass(frozen=True, slots=True)
class ManagerTuning(FineTuning):
    """The dialogue manager at the paper's scale."""

    text_truncate: int = 256
    batch: int = 64
    last_utterances: int = MANAGER_READS

    @property
    def config(self) -> ManagerConfig:
        """The network that these values train."""
        return ManagerConfig(text_truncate=self.text_truncate, last_utterances=self.last_utterances)


Values = TypeVar("Values", Hyperparameters, PolyEncoderTuning, ManagerTuning)


def changed(values: Values, given: Mapping[str, str]) -> Values:
    """The values with those that a person gave, as text. Raises UnknownOption for names and values that are none."""
    read: dict[str, Any] = {name: _read(values, name, text) for name, text in given.items()}
    return replace(values, **read)


def _read(values: object, name: str, text: str) -> object:
    known = [field.name for field in fields(values) if field.name != "trained"]  # type: ignore[arg-type]
    if name not in known:
        raise UnknownOption(f"there is no value {name} at this scale; there are {', '.join(known)}")
    kind = type(getattr(values, name))
    try:
        read = {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError) as error:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise UnknownOption(f"{name} is {text!r}; {wanted} is needed") from error
    is_allowed, words = _RANGES.get(name, _ABOVE_0)
    if kind is not bool and not is_allowed(read):
        raise UnknownOption(f"{name} is {text}; it must be {words}")
    return read


#: What a value must be where above 0 is not enough said.
_RANGES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "dropout": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "attention_dropout": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "decay": (lambda value: 0 < value <= 1, "above 0 and up to 1"),
    "warmup_steps": (lambda value: value >= 0, "0 or more"),
    "weight_decay": (lambda value: 0 <= value < math.inf, "0 or more"),
    "last_utterances": (lambda value: value >= 0, "0 or more"),
}
_ABOVE_0: tuple[Callable[[float], bool], str] = (lambda value: 0 < value < math.inf, "above 0")
