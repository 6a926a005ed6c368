"""What a checkpoint is made of, readable and frozen; kept as config.json beside weights. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from modelhub.errors import CheckpointError


class Config:
    """Plain values in and out; unknown options raise."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, object], source: str = "configuration") -> Self:
        """Raises CheckpointError that names ``source`` for options that do not exist."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        if unknown := sorted(set(values) - known):
            raise CheckpointError(
                f"{source}: unknown options {', '.join(unknown)}; known are {', '.join(sorted(known))}. "
                "Remove them, or read the folder with the version that wrote it."
            )
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    def as_dict(self) -> dict[str, object]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()  # type: ignore[call-overload]
        }

    def _require_positive(self, *names: str) -> None:
        for name in names:
            if not getattr(self, name) > 0:
                raise CheckpointError(f"{name} is {getattr(self, name)}; it must be above 0.")


@dataclass(frozen=True, slots=True)
class PolyEncoderConfig(Config):
    """A poly-encoder with basic attention and mean reduction of candidates (Humeau et al. 2020, section 4.4).

    Lengths are in tokens and count the start and end. ``output_scaling`` multiplies both encoders' output
    before anything else, as in ParlAI: it sets how sharp the attention over codes is.
    """

    codes: int = 64
    text_truncate: int = 256
    label_truncate: int = 72
    shared_encoder: bool = True
    output_scaling: float = 1.0

    def __post_init__(self) -> None:
        self._require_positive("codes", "output_scaling")
        _check_length("text_truncate", self.text_truncate)
        _check_length("label_truncate", self.label_truncate)


@dataclass(frozen=True, slots=True)
class ManagerConfig(Config):
    """A dialogue manager: a classifier that assigns text to one of the skills (Smith et al. 2020, 3.2).

    ``last_utterances`` is how many of the talk's last utterances are read; 0 reads all that fit.
    """

    classes: tuple[str, ...] = ("convai2", "wow", "ed")
    hidden: int = 384
    text_truncate: int = 256
    last_utterances: int = 0

    def __post_init__(self) -> None:
        self._require_positive("hidden")
        _check_length("text_truncate", self.text_truncate)
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise CheckpointError(f"classes are {self.classes}; two or more different names are needed.")
        if self.last_utterances < 0:
            raise CheckpointError(f"last_utterances is {self.last_utterances}; it must be 0 or more.")


def _check_length(name: str, length: int) -> None:
    if length < 3:
        raise CheckpointError(f"{name} is {length}; start, end and one token need at least 3.")
