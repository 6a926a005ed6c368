"""The networks: tensors in, tensors out.

Axes: B contexts, C candidates, T tokens, M codes, D width.
"""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn
from transformers import BertModel

from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.packed import packed_bert, with_modules

#: Small enough that untrained codes attend almost evenly, so that the untrained views are mean-pooled output;
#: not zero, or all codes would learn the same.
CODE_DEVIATION = 0.02


class PolyEncoder(nn.Module):
    """Score candidates through M learned views of the context.

    Humeau et al. 2020 (arXiv:1905.01969), section 4.4; basic attention, softmax in float32, candidates reduced
    by the mean over their tokens. With one shared encoder ``candidate_encoder`` is ``encoder``. Masks are
    boolean, true where a token stands; padding never changes a result.
    """

    def __init__(
        self, config: PolyEncoderConfig, encoder: BertModel, candidate_encoder: BertModel | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        if not config.shared_encoder:
            if candidate_encoder is None:
                raise ValueError("separate encoders are configured, but one was given")
            self.own_candidate_encoder = candidate_encoder
        width = encoder.config.hidden_size
        self.codes = nn.Parameter(torch.randn(config.codes, width, device="cpu") * CODE_DEVIATION)

    @property
    def candidate_encoder(self) -> BertModel:
        return self.encoder if self.config.shared_encoder else self.own_candidate_encoder

    @property
    def width(self) -> int:
        return int(self.codes.shape[1])

    @property
    def device(self) -> torch.device:
        return self.codes.device

    @property
    def scores_plainly(self) -> bool:
        """Whether ``score`` is the paper's equation on views (B, M, D), which faster scorers may compute instead."""
        return True

    def packed(self, dtype: torch.dtype) -> Self:
        """The same network for answering on a CPU, whose encoders multiply in ``dtype``."""
        encoders = ("encoder", "own_candidate_encoder")
        return with_modules(self, encoders, lambda encoder: packed_bert(encoder, dtype))

    def encode_context(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, T), (B, T) -> views (B, M, D) in float32."""
        return self.attend(self._hidden(self.encoder, tokens, mask), mask)

    def attend(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The codes' attention over scaled hidden states (B, T, D) -> views (B, M, D)."""
        logits = self.codes.float() @ hidden.transpose(1, 2)  # (B, M, T)
        return logits.masked_fill(~mask[:, None], -math.inf).softmax(-1) @ hidden

    def encode_candidates(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(C, T), (C, T) -> (C, D) in float32."""
        return mean_over_tokens(self._hidden(self.candidate_encoder, tokens, mask), mask)

    def score(self, views: Tensor, candidates: Tensor) -> Tensor:
        """(B, M, D) with one bank (C, D) for all, or with each context's own (B, C, D) -> (B, C).

        A candidate attends over the views, and the score is its product with what it attended to: the
        softmax-weighted mean of s = candidates @ views, so s is all that is needed.
        """
        s = candidates.float() @ views.float().transpose(1, 2)  # (B, C, M)
        return (s.softmax(-1) * s).sum(-1)

    def _hidden(self, encoder: BertModel, tokens: Tensor, mask: Tensor) -> Tensor:
        hidden = encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        return hidden.float() * self.config.output_scaling


def mean_over_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """(B, T, D), (B, T) -> (B, D): the mean where the mask is true."""
    weights = mask[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
