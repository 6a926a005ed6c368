"""ParlAI's poly-encoder in its own numerics: tensors in, tensors out.

Axes: B contexts, C candidates, T tokens, M views, D width. Parameters have ParlAI's names, so that a checkpoint and
a network can be compared tensor by tensor. Masks are true where a token stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modelhub.parlai.config import ParlaiConfig
from modelhub.polyencoder.packed import PackedLayers, Parts, with_modules

NORM_EPS = 1e-5
#: What a masked logit becomes. Finite: where all are masked, attention is even, and not undefined.
MASKED = -1e20


@dataclass(frozen=True, slots=True, eq=False)
class MaskedViews:
    """A context's first outputs: (B, M, D), which of them are real (B, M), and what attention compares them by."""

    values: Tensor
    mask: Tensor
    keys: Tensor

    def __getitem__(self, places: Tensor) -> MaskedViews:
        """The views of some contexts, in the order given."""
        return MaskedViews(self.values[places], self.mask[places], self.keys[places])


class ParlaiPolyEncoder(nn.Module):
    """Score candidates through M views of the context (Humeau et al. 2020, arXiv:1905.01969, section 4.4).

    With one shared encoder ``encoder_cand`` is None.
    """

    def __init__(self, config: ParlaiConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder_ctxt = Encoder(config)
        self.encoder_cand = None if config.shared_encoder else Encoder(config)
        if config.view_type == "codes":
            self.codes = nn.Parameter(torch.empty(config.views, config.width))
            if config.code_attention == "multihead":
                self.code_attention = MultiHeadAttention(config.code_heads, config.width)
        if config.candidate_attention == "multihead":
            self.attention = MultiHeadAttention(config.candidate_heads, config.width)

    @property
    def width(self) -> int:
        return self.config.width

    @property
    def device(self) -> torch.device:
        return self.encoder_ctxt.embeddings.weight.device

    @property
    def scores_plainly(self) -> bool:
        """Whether ``score`` is the paper's equation on views (B, M, D), which faster scorers may compute instead."""
        return self.config.view_type == "codes" and self.config.candidate_attention == "basic"

    def packed(self, dtype: torch.dtype) -> Self:
        """The same network for answering on a CPU, whose encoders multiply in ``dtype``.

        One that norms before its layers stays as it is: what it gives at padding counts.
        """
        if self.config.variant == "prelayernorm":
            return self
        return with_modules(self, ("encoder_ctxt", "encoder_cand"), lambda part: _packed_encoder(part, dtype))

    def encode_context(self, tokens: Tensor, mask: Tensor) -> Tensor | MaskedViews:
        """(B, T), (B, T) -> views (B, M, D) in float32, with a mask where they are the first outputs."""
        hidden, positions = self.encoder_ctxt(tokens, mask)
        keys = hidden if self.config.attention_keys == "context" else positions
        if self.config.view_type == "codes":
            return self._attend_with_codes(hidden, keys, mask)
        missing = max(0, self.config.views - hidden.shape[1])
        return MaskedViews(
            F.pad(hidden[:, : self.config.views], (0, 0, 0, missing)),
            F.pad(mask[:, : self.config.views], (0, missing)),
            F.pad(keys[:, : self.config.views], (0, 0, 0, missing)),
        )

    def encode_candidates(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(C, T), (C, T) -> (C, D) in float32."""
        hidden, _ = (self.encoder_cand or self.encoder_ctxt)(tokens, mask)
        match self.config.candidate_reduction:
            case "first":
                return hidden[:, 0]
            case "max":
                return hidden.amax(1)
        # Over all positions, padding too: it is zero unless the last norm has a bias.
        return hidden.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    def score(self, views: Tensor | MaskedViews, candidates: Tensor) -> Tensor:
        """Views with one bank (C, D) for all, or with each context's own (B, C, D) -> (B, C).

        A candidate attends over the views, and the score is its product with what it attended to.
        """
        if isinstance(views, MaskedViews):
            values, keys, mask = views.values, views.keys, views.mask
        else:
            values, keys, mask = views, views, torch.ones_like(views[..., 0], dtype=torch.bool)
        candidates = candidates.float()
        if self.config.candidate_attention == "multihead":
            return self._score_with_heads(values, keys, mask, candidates)
        # The product with a weighted mean is the weighted mean of the products: nothing as wide as D is formed.
        products = candidates @ values.transpose(1, 2)  # (B, C, M)
        logits = products if keys is values else candidates @ keys.transpose(1, 2)
        weights = _attention(logits, self.config.candidate_attention, mask[:, None], self.width)
        return (weights * products).sum(-1)

    def _attend_with_codes(self, hidden: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        if self.config.code_attention == "multihead":
            return self.code_attention(self.codes.expand(len(hidden), -1, -1), keys, hidden, mask)
        logits = self.codes @ keys.transpose(1, 2)  # (B, M, T)
        return _attention(logits, self.config.code_attention, mask[:, None], self.width) @ hidden

    def _score_with_heads(self, values: Tensor, keys: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
        """One context at a time: what all candidates attended to is as large as the bank."""
        rows = []
        for row in range(len(values)):
            one = slice(row, row + 1)
            own = candidates if candidates.dim() == 2 else candidates[row]
            attended = self.attention(own[None], keys[one], values[one], mask[one])
            rows.append((attended[0] * own).sum(-1))
        return torch.stack(rows)


class Encoder(nn.Module):
    """A transformer over tokens, with the norms where ``variant`` puts them."""

    def __init__(self, config: ParlaiConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = nn.Embedding(config.vocabulary, config.width)
        self.position_embeddings = nn.Embedding(config.positions, config.width)
        if config.segments:
            self.segment_embeddings = nn.Embedding(config.segments, config.width)
        if config.variant != "aiayn":
            self.norm_embeddings = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T), (B, T) -> scaled outputs and position embeddings, both (B, T, D) in float32."""
        hidden, positions = self.embed(tokens, mask)
        kept = mask[..., None].to(hidden.dtype)
        for layer in self.layers:
            hidden = layer(hidden, mask) * kept
        if self.config.variant == "prelayernorm":
            hidden = self.norm_embeddings(hidden)
        return hidden.float() * self.config.output_scaling, positions.float()

    def embed(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T), (B, T) -> the first layer's input, zero at padding, and position embeddings, both (B, T, D)."""
        # Only tokens count: padding on the left moves nothing.
        positions = self.position_embeddings((mask.long().cumsum(1) - 1).clamp(min=0))
        hidden = self.embeddings(tokens)
        if self.config.scaled_embeddings:
            hidden = hidden * math.sqrt(self.config.width)
        hidden = hidden + positions
        if self.config.segments:
            hidden = hidden + self.segment_embeddings.weight[0]
        if self.config.variant == "xlm":
            hidden = self.norm_embeddings(hidden)
        return hidden * mask[..., None].to(hidden.dtype), positions


class PackedEncoder(nn.Module):
    """Stands in for an encoder that norms after its layers."""

    def __init__(self, encoder: Encoder, dtype: torch.dtype) -> None:
        super().__init__()
        self._config = encoder.config
        # The layers' own tensors are not kept.
        self._embedding = with_modules(encoder, ("layers",), lambda _: nn.ModuleList())
        self._layers = PackedLayers([_parts(layer, encoder.config) for layer in encoder.layers], dtype)

    @torch.inference_mode()
    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T), (B, T) -> scaled outputs and position embeddings, both (B, T, D) in float32."""
        hidden, positions = self._embedding.embed(tokens, mask)
        return self._layers(hidden, mask).float() * self._config.output_scaling, positions.float()

    @property
    def embeddings(self) -> nn.Embedding:
        return self._embedding.embeddings


class Layer(nn.Module):
    """Attention and feed-forward, each added to its input: normed before where ``prelayernorm``, else after."""

    def __init__(self, config: ParlaiConfig) -> None:
        super().__init__()
        self.norm_first = config.variant == "prelayernorm"
        self.attention = MultiHeadAttention(config.heads, config.width)
        self.norm1 = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.ffn = FeedForward(config)
        self.norm2 = nn.LayerNorm(config.width, eps=NORM_EPS)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        if self.norm_first:
            normed = self.norm1(hidden)
            hidden = hidden + self.attention(normed, normed, normed, mask)
            return hidden + self.ffn(self.norm2(hidden))
        hidden = self.norm1(hidden + self.attention(hidden, hidden, hidden, mask))
        return self.norm2(hidden + self.ffn(hidden))


class FeedForward(nn.Module):
    def __init__(self, config: ParlaiConfig) -> None:
        super().__init__()
        self.lin1 = nn.Linear(config.width, config.feed_forward)
        self.lin2 = nn.Linear(config.feed_forward, config.width)
        self.activation = F.relu if config.activation == "relu" else F.gelu

    def forward(self, hidden: Tensor) -> Tensor:
        return self.lin2(self.activation(self.lin1(hidden)))


class MultiHeadAttention(nn.Module):
    """Vaswani et al. 2017, section 3.2.2; every projection has a bias."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(width, width) for _ in range(4))

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """(B, Q, D), (B, K, D), (B, K, D), (B, K) -> (B, Q, D)."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, Q or K, D / H)
            for part in (self.q_lin(queries), self.k_lin(keys), self.v_lin(values))
        )
        mask = mask[:, None, None]  # (B, 1, 1, K)
        if q.dtype == torch.float32:
            # In ParlAI's order, so that rounding is the same as well.
            attended = _softmax(q / math.sqrt(q.shape[-1]) @ k.transpose(2, 3), mask) @ v
        else:
            # Added, the constant swallows the logit.
            added = torch.zeros_like(mask, dtype=q.dtype).masked_fill(~mask, MASKED)
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=added)
        return self.out_lin(attended.transpose(1, 2).flatten(2))


def _packed_encoder(encoder: nn.Module, dtype: torch.dtype) -> nn.Module:
    return PackedEncoder(encoder, dtype) if isinstance(encoder, Encoder) else encoder


def _parts(layer: nn.Module, config: ParlaiConfig) -> Parts:
    attention = layer.attention
    return Parts(
        query=attention.q_lin,
        key=attention.k_lin,
        value=attention.v_lin,
        out=attention.out_lin,
        norm=layer.norm1,
        up=layer.ffn.lin1,
        down=layer.ffn.lin2,
        last_norm=layer.norm2,
        heads=config.heads,
        activation=config.activation,
    )


def _attention(logits: Tensor, kind: str, mask: Tensor, width: int) -> Tensor:
    """Weights of attention that has none of its own: logits as they are, or divided by the width's root."""
    return _softmax(logits / math.sqrt(width) if kind == "sqrt" else logits, mask)


def _softmax(logits: Tensor, mask: Tensor) -> Tensor:
    return logits.masked_fill(~mask, MASKED).softmax(-1, dtype=torch.float32)
