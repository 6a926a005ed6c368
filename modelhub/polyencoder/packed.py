"""Transformers for answering on a CPU: the same networks, arranged for speed. Nothing is compiled.

Weights are packed once into the layout that oneDNN multiplies fastest, the activation and what is added are part of
their products, query, key and value are one product, and padding is left out of everything but attention. On a CPU
that multiplies bfloat16 faster the layers run in it; mean-pooled output then has a cosine above .9999 with that of
float32.

Axes: B texts, T tokens, R tokens without padding and a few empty rows, D width.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Protocol, Self, TypeVar
from weakref import WeakValueDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from modelhub.polyencoder import base
from modelhub.polyencoder.precision import serving_precision


class Packable(Protocol):
    """A network that knows which of its parts can be packed."""

    training: bool

    @property
    def device(self) -> torch.device: ...

    def packed(self, dtype: torch.dtype) -> Self: ...


Network = TypeVar("Network", bound=Packable)
Module = TypeVar("Module", bound=nn.Module)


def fast(network: Network, dtype: torch.dtype | None = None) -> Network:
    """A network for answering that gives what ``network`` gives, multiplying in ``dtype``: SERVING_PRECISION.

    The given one stays as it is; one that is not on the CPU comes back itself.
    """
    if network.training:
        raise ValueError("call network.eval() first: the fast network has no dropout")
    if network.device.type != "cpu":
        return network
    return network.packed(dtype or serving_precision(network.device))


def with_modules(network: Module, names: Iterable[str], arranged: Callable[[nn.Module], nn.Module]) -> Module:
    """A network that shares everything with the given one but those of the named parts that it has."""
    made = copy.copy(network)
    made._modules = dict(network._modules)
    for name in names:
        if (part := made._modules.get(name)) is not None:
            made._modules[name] = arranged(part)
    return made


def packed_bert(encoder: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A BertModel packed; one that is packed already, or has other options than BERT's, is used as it is."""
    if isinstance(encoder, BertModel) and _is_plain(encoder):
        return PackedBert(encoder, dtype)
    return encoder


class PackedBert(nn.Module):
    """Stands in for a BertModel: tokens (B, T), mask (B, T) -> ``last_hidden_state`` (B, T, D), zero at padding."""

    def __init__(self, bert: BertModel, dtype: torch.dtype) -> None:
        super().__init__()
        self.config = bert.config
        self.embeddings = bert.embeddings
        self.layers = PackedLayers([_bert_parts(layer, bert.config) for layer in bert.encoder.layer], dtype)

    @torch.inference_mode()
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        hidden = self.layers(self.embeddings(input_ids=input_ids), attention_mask.bool())
        return SimpleNamespace(last_hidden_state=hidden)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a layer is made of that norms after attention and after feed-forward, as BERT does."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    norm: nn.LayerNorm
    up: nn.Linear
    down: nn.Linear
    last_norm: nn.LayerNorm
    heads: int
    #: "gelu", with the error function, or "relu".
    activation: str

    @property
    def tensors(self) -> list[Tensor]:
        linears = (self.query, self.key, self.value, self.out, self.up, self.down)
        return [tensor for part in (*linears, self.norm, self.last_norm) for tensor in part.parameters()]


class PackedLayers:
    """Layers one after the other, in the precision of ``dtype``."""

    def __init__(self, layers: Sequence[Parts], dtype: torch.dtype) -> None:
        self._dtype = dtype
        self.packed = [_packed_layer(parts, dtype) for parts in layers]

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D), (B, T) -> (B, T, D) in ``dtype``; zero at padding."""
        batch = _Batch(mask)
        rows = batch.without_padding(hidden).to(self._dtype)
        for layer in self.packed:
            rows = layer(rows, batch)
        return batch.with_padding(rows)


class _Batch:
    """Where the tokens of a batch stand."""

    def __init__(self, mask: Tensor) -> None:
        self.size = mask.shape
        self._places = None if mask.all() else mask.flatten().nonzero()[:, 0]
        self._tokens = mask.numel() if self._places is None else len(self._places)
        self._filler = _common(self._tokens) - self._tokens
        self.attention_mask = None if self._places is None else mask[:, None, None, :]

    def without_padding(self, padded: Tensor) -> Tensor:
        """(B, T, D) -> (R, D), the last of them zero."""
        rows = padded.flatten(0, 1)
        rows = rows if self._places is None else rows.index_select(0, self._places)
        return F.pad(rows, (0, 0, 0, self._filler)) if self._filler else rows

    def with_padding(self, rows: Tensor) -> Tensor:
        """(R, D) -> (B, T, D)"""
        rows = rows[: self._tokens]
        if self._places is not None:
            padded = rows.new_zeros(self.size.numel(), rows.shape[1])
            rows = padded.index_copy_(0, self._places, rows)
        return rows.view(*self.size, -1)


def _common(tokens: int) -> int:
    """The number of rows for so many tokens: one of few, as oneDNN keeps a kernel of some 3 MB for each that it met."""
    step = max(8, 1 << max(0, tokens.bit_length() - 4))
    return -(-tokens // step) * step


class _Linear:
    """A product with packed weights, or a plain one where this build of torch cannot pack."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self._bias = bias.detach().to(dtype)
        self._weight = weight.detach().to(dtype)
        self._is_packed = can_pack(dtype)
        if self._is_packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight, None)

    def __call__(self, rows: Tensor, activation: str = "none") -> Tensor:
        if self._is_packed:
            return torch.ops.mkldnn._linear_pointwise(
                rows, self._weight, self._bias, activation, [], "none" if activation == "gelu" else ""
            )
        found = F.linear(rows, self._weight, self._bias)
        return {"none": lambda rows: rows, "gelu": F.gelu, "relu": F.relu}[activation](found)

    def plus(self, rows: Tensor, added: Tensor) -> Tensor:
        """The product, and ``added`` to it."""
        if self._is_packed:
            return torch.ops.mkldnn._linear_pointwise.binary(rows, added, self._weight, self._bias, "add")
        return F.linear(rows, self._weight, self._bias) + added


@cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this build of torch multiplies with packed weights; its compiler uses the same operators."""
    rows, weight, bias = (torch.ones(*size, dtype=dtype) for size in ((2, 16), (16, 16), (16,)))
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        activated = torch.ops.mkldnn._linear_pointwise(rows, packed, bias, "gelu", [], "none")
        added = torch.ops.mkldnn._linear_pointwise.binary(rows, rows, packed, bias, "add")
    except (AttributeError, RuntimeError):
        return False
    return bool((activated == 17).all() and (added == 18).all())


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Tensor
    bias: Tensor
    eps: float

    @classmethod
    def of(cls, norm: nn.LayerNorm) -> _Norm:
        return cls(norm.weight.detach(), norm.bias.detach(), norm.eps)

    def __call__(self, rows: Tensor) -> Tensor:
        """It sums up in float32 whatever the rows are."""
        return F.layer_norm(rows, self.weight.shape, self.weight, self.bias, self.eps)


class _Layer:
    """Tokens without padding (R, D) -> (R, D)."""

    def __init__(self, parts: Parts, dtype: torch.dtype) -> None:
        into = (parts.query, parts.key, parts.value)
        weight, bias = torch.cat([part.weight for part in into]), torch.cat([part.bias for part in into])
        self._heads, self._activation = parts.heads, parts.activation
        self._into = _Linear(weight, bias, dtype)
        self._out, self._up, self._down = (
            _Linear(part.weight, part.bias, dtype) for part in (parts.out, parts.up, parts.down)
        )
        self._norm, self._last_norm = _Norm.of(parts.norm), _Norm.of(parts.last_norm)

    def __call__(self, rows: Tensor, batch: _Batch) -> Tensor:
        rows = self._norm(self._out.plus(self._attended(rows, batch), rows))
        return self._last_norm(self._down.plus(self._up(rows, self._activation), rows))

    def _attended(self, rows: Tensor, batch: _Batch) -> Tensor:
        count, tokens = batch.size
        into = batch.with_padding(self._into(rows)).view(count, tokens, 3, self._heads, -1)
        query, key, value = into.permute(2, 0, 3, 1, 4)  # (B, heads, T, width of a head) each
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=batch.attention_mask)
        return batch.without_padding(found.transpose(1, 2).flatten(2))


class _SharedLayer(_Layer):
    """A layer of the base; it holds the base's tensors, so that no others come to stand at their addresses."""

    sources: list[Tensor]


_shared: WeakValueDictionary[tuple[object, ...], _SharedLayer] = WeakValueDictionary()
_shared_lock = threading.Lock()


def _packed_layer(parts: Parts, dtype: torch.dtype) -> _Layer:
    """A packed layer; layers that networks share as the base's are packed once."""
    sources = parts.tensors
    if not all(base.is_shared(tensor) for tensor in sources):
        return _Layer(parts, dtype)
    key = (dtype, *(tensor.data_ptr() for tensor in sources))
    with _shared_lock:
        packed = _shared.get(key)
        if packed is None:
            packed = _shared[key] = _SharedLayer(parts, dtype)
            packed.sources = sources
        return packed


def _is_plain(encoder: BertModel) -> bool:
    config = encoder.config
    return (
        config.hidden_act in ("gelu", "relu")
        and not config.is_decoder
        and getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    )


def _bert_parts(layer: nn.Module, config: BertConfig) -> Parts:
    attention, projections = layer.attention, layer.attention.self
    return Parts(
        query=projections.query,
        key=projections.key,
        value=projections.value,
        out=attention.output.dense,
        norm=attention.output.LayerNorm,
        up=layer.intermediate.dense,
        down=layer.output.dense,
        last_norm=layer.output.LayerNorm,
        heads=config.num_attention_heads,
        activation=config.hidden_act,
    )
