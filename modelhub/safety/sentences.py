"""Texts as points: the mean over tokens of the base encoder's last layer, brought to length one.

That is how MiniLM's sentence embeddings were trained to be read (after Reimers and Gurevych 2019, section 3), and their
product is a cosine. Always float32: a probability is kept beside what people said, and must not depend
on what a processor is fast in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from modelhub.errors import BaseEncoderMissing
from modelhub.polyencoder import base
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.lengths import batches
from modelhub.polyencoder.network import mean_over_tokens
from modelhub.polyencoder.packed import packed_bert
from modelhub.polyencoder.tokens import TextEncoder

#: A text's first tokens are read, start and end included; longer than any message that the chat accepts in English.
MOST_TOKENS = 256
#: Tokens in one batch, padding included.
BATCH_TOKENS = 2048


class SentenceEncoder:
    """Texts -> (N, D) of length one, on the process's one copy of the base's tensors. Safe in several threads."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Raises BaseEncoderMissing."""
        bert = base.empty_encoder(folder)
        try:
            bert.load_state_dict(base.state(folder, device), assign=True)
        except RuntimeError as error:
            said = " ".join(str(error).split())
            raise BaseEncoderMissing(
                f"{folder}: the weights do not fit config.json ({said}); set BASE_ENCODER to a BERT encoder."
            ) from error
        base.place_buffers(bert, device)
        bert.eval()
        self.width = int(bert.config.hidden_size)
        self._network = packed_bert(bert, torch.float32) if device.startswith("cpu") else bert
        self._device = device
        length = min(MOST_TOKENS, bert.config.max_position_embeddings)
        self._texts = TextEncoder(folder, PolyEncoderConfig(text_truncate=length, label_truncate=length))

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, D), in batches of like lengths."""
        rows = torch.empty(len(texts), self.width)
        for places in batches(self._texts.lengths(texts), BATCH_TOKENS):
            rows[places] = self._embed([texts[place] for place in places]).cpu()
        return rows.numpy()

    def _embed(self, texts: Sequence[str]) -> Tensor:
        tokens, mask = (given.to(self._device) for given in self._texts.candidates(texts))
        hidden = self._network(input_ids=tokens, attention_mask=mask).last_hidden_state
        return normalize(mean_over_tokens(hidden.float(), mask))
