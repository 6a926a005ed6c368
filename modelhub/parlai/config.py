"""What a ParlAI poly-encoder is made of; kept as config.json beside the weights. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, fields

from modelhub.errors import CheckpointError
from modelhub.polyencoder.config import Config

CHOICES = {
    "variant": ("xlm", "aiayn", "prelayernorm"),
    "activation": ("relu", "gelu"),
    "candidate_reduction": ("mean", "max", "first"),
    "view_type": ("codes", "n_first"),
    "code_attention": ("basic", "sqrt", "multihead"),
    "candidate_attention": ("basic", "sqrt", "multihead"),
    "attention_keys": ("context", "position"),
}
#: Sizes beyond these are no dialogue model; they would fill the memory before a tensor is looked at.
LARGEST = {
    "layers": 256,
    "width": 1 << 14,
    "feed_forward": 1 << 16,
    "vocabulary": 1 << 22,
    "positions": 1 << 20,
}
POSITIVE = ("vocabulary", "width", "layers", "heads", "feed_forward", "positions", "views", "output_scaling")


@dataclass(frozen=True, slots=True)
class ParlaiConfig(Config):
    """A poly-encoder with ParlAI's options under our names (modelhub/parlai/options.py says which is which).

    ``views`` are the vectors that a context is seen through: learned codes, or its first outputs. Truncations are
    in tokens; the start and end come on top of ``text_truncate``, but count in ``label_truncate``.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    segments: int = 2
    variant: str = "aiayn"
    activation: str = "relu"
    scaled_embeddings: bool = True
    output_scaling: float = 1.0
    candidate_reduction: str = "mean"
    view_type: str = "codes"
    views: int = 64
    code_attention: str = "basic"
    code_heads: int = 4
    candidate_attention: str = "basic"
    candidate_heads: int = 4
    attention_keys: str = "context"
    shared_encoder: bool = False
    text_truncate: int = 1024
    label_truncate: int = 1024
    lower: bool = True
    padding: str = "__null__"
    start: str = "__start__"
    end: str = "__start__"
    unknown: str = "__unk__"

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_type(field.name, getattr(self, field.name), str(field.type))
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise CheckpointError(
                    f"{name} is {getattr(self, name)!r}; known are {', '.join(known)}. Other ones are not built."
                )
        self._require_positive(*POSITIVE)
        for name, largest in LARGEST.items():
            if getattr(self, name) > largest:
                raise CheckpointError(f"{name} is {getattr(self, name)}; up to {largest} can be loaded.")
        for name in ("text_truncate", "label_truncate"):
            if getattr(self, name) < 1:
                raise CheckpointError(f"{name} is {getattr(self, name)}; one token must be left.")
        self._check_heads()

    def _check_heads(self) -> None:
        counts = {"heads": self.heads}
        if self.candidate_attention == "multihead":
            counts["candidate_heads"] = self.candidate_heads
        if self.view_type == "codes" and self.code_attention == "multihead":
            counts["code_heads"] = self.code_heads
        for name, count in counts.items():
            if count < 1 or self.width % count:
                raise CheckpointError(f"{name} is {count}, which does not divide the width of {self.width}.")

    @property
    def padding_matters(self) -> bool:
        """Whether a candidate's embedding depends on how far it is padded."""
        mean_of_norm_bias = self.candidate_reduction == "mean" and self.variant == "prelayernorm"
        return self.candidate_reduction == "max" or mean_of_norm_bias


def _check_type(name: str, value: object, kind: str) -> None:
    accepted = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}[kind]
    if not isinstance(value, accepted) or (kind != "bool" and isinstance(value, bool)):
        raise CheckpointError(f"{name} is {value!r}; {kind} is needed.")
