"""The dialogue manager's network: a head of two layers on a mean-pooled BERT.

Smith et al. 2020, section 3.2, fine-tune BERT-base; here a smaller BERT stands in. Axes as in network.py.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from transformers import BertModel

from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.network import mean_over_tokens
from modelhub.polyencoder.packed import packed_bert, with_modules


class SkillClassifier(nn.Module):
    """Assign a text to one of ``config.classes``."""

    def __init__(self, config: ManagerConfig, encoder: BertModel) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.head = nn.Sequential(
            nn.Linear(width, config.hidden, device="cpu"),
            nn.Tanh(),
            nn.Linear(config.hidden, len(config.classes), device="cpu"),
        )

    @property
    def device(self) -> torch.device:
        return next(self.head.parameters()).device

    def packed(self, dtype: torch.dtype) -> Self:
        """The same network for answering on a CPU, whose encoder multiplies in ``dtype``."""
        return with_modules(self, ("encoder",), lambda encoder: packed_bert(encoder, dtype))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, T), (B, T) -> logits (B, classes) in float32."""
        return self.classify(self.embed(tokens, mask))

    def embed(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, T), (B, T) -> the head's input (B, D) in float32; once is enough to train the head alone."""
        hidden = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        return mean_over_tokens(hidden.float(), mask)

    def classify(self, embedded: Tensor) -> Tensor:
        """(B, D) -> logits (B, classes) in float32."""
        return self.head(embedded)
