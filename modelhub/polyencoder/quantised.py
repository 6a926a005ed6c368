"""A bank's rows in eight bits, and what a product with them can be wrong by.

Axes: N candidates, B contexts, M codes, G directions a context, D width.

A row c is kept as a * q: a float32 scale and small integers. Kept beside it, rounded up: n >= |c| and
e >= |c - a q|. A context's views p are divided by the longest one's length, so that |p| <= 1, and each is written as
p = h d + r, where d = step * (small integers) is one of G directions. Then

    c.p = h (a q).d + h (c - a q).d + c.r
    |c.p - h (a q).d| <= e |h d| + n |r|

by Cauchy and Schwarz. (a q).d is a product of integers and comes out exact; what is done to it afterwards rounds in
float32, for which n * SLACK is added. There are two sets of directions:

coarse  one direction, the mean of the views; h is the least-squares coefficient, so h d is a projection of p and
        |h d| <= 1.
fine    every view is its own direction and h = 1; r is what rounding left, and |h d| <= 1 + |r|.

A poly-encoder's score is a weighted mean of s_i = c.p_i and so at most max s_i. With spread = max |r| it is at most

    max_i h_i (a q).d_i + e (1 + spread) + n (spread + SLACK).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from modelhub.polyencoder.exact import LEAST, refuse_not_finite

#: About 15 float32 roundings, each at most 2 ** -24 of something below 2 n, with room to spare.
SLACK = 2.0**-19
#: Integers up to this; without VNNI products add pairs in 16 bits, which holds only if one side stays below 64.
LEVELS, NARROW_LEVELS = 127, 63
#: Rows that are read at once when a copy is made; bounds memory.
BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """What B contexts multiply a bank with; lengths are in units of the context's longest view."""

    codes: Tensor  # (B, G, D) int8, or float32 where the bank's copy is
    step: list[float]
    least: list[float]  # the smallest coefficient h of a context's views
    most: list[float]
    spread: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A bank's copy: codes (N, D) int8, and scale, norm and error (N,) float32, as at the top of this file.

    Where int8 products are not exact (``levels`` 0) the codes are the rows in float32. The product's own rounding,
    at most D * 2 ** -24 * n * |d| and a little (Higham 2002, section 3.1), then counts as spread.
    """

    codes: Tensor
    scale: Tensor
    norm: Tensor
    error: Tensor
    levels: int

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def product_type(self) -> torch.dtype:
        return torch.int32 if self.levels else torch.float32

    def take(self, places: Tensor) -> Rows:
        # index_select is several times as fast as indexing with a tensor.
        return Rows(
            self.codes.index_select(0, places),
            self.scale.index_select(0, places),
            self.norm.index_select(0, places),
            self.error.index_select(0, places),
            self.levels,
        )

    def coarse(self, views: Tensor) -> Directions:
        """Unit views (B, M, D) in float64 -> one direction for all views of a context."""
        codes, step = self._rounded(views.mean(1, keepdim=True))
        direction = codes.double() * step[:, None, None]
        square = direction.square().sum(-1).clamp(min=LEAST)  # (B, 1)
        share = (views * direction).sum(-1) / square  # (B, M)
        rest = (views - share[..., None] * direction).norm(dim=-1).amax(1)
        return self._directions(codes, step, share.amin(1), share.amax(1), rest)

    def fine(self, views: Tensor) -> Directions:
        """Unit views (B, M, D) in float64 -> each as its own direction."""
        codes, step = self._rounded(views)
        rest = (views - codes.double() * step[:, None, None]).norm(dim=-1).amax(1)
        one = torch.ones_like(rest)
        return self._directions(codes, step, one, one, rest)

    def product(self, directions: Tensor, rows: Tensor) -> Tensor:
        """Directions (G, D) with codes (n, D) -> (G, n), in int32 or float32."""
        if not self.levels:
            return directions @ rows.T
        return int_product(directions, rows) if rows.is_cuda else torch._int_mm(directions, rows.T)

    def largest(self, directions: Tensor, start: int, stop: int) -> Tensor:
        """Directions (B, G, D) -> each context's largest product with the rows from start to stop (B, n)."""
        contexts, count, _ = directions.shape
        rows, flat = self.codes[start:stop], directions.flatten(0, 1)
        if self.levels and not rows.is_cuda:
            # The other way round: a CPU packs the right side anew each time, and the directions are the smaller one.
            return torch._int_mm(rows, flat.T).view(len(rows), contexts, count).amax(2).T
        return self.product(flat, rows).view(contexts, count, len(rows)).amax(1)

    def bound(self, largest: Tensor, directions: Directions, context: int) -> tuple[Tensor, Tensor]:
        """A context's largest product with each row (N,) -> about what max s_i is, and what no score exceeds."""
        about = largest.float().mul_(self.scale).mul_(directions.step[context])
        least, most = directions.least[context], directions.most[context]
        if (least, most) != (1, 1):
            about = torch.maximum(about * least, about * most)
        spread = directions.spread[context]
        above = torch.add(about, self.error, alpha=1 + spread).add_(self.norm, alpha=spread + SLACK)
        return about, above

    def _rounded(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Views (B, G, D) -> codes and (B,) steps; one step a context lets the largest be found among integers."""
        if not self.levels:
            return views.float(), views.new_ones(len(views))
        # Kept to what float32 can hold, so that the codes are made with the step that is used later.
        step = (views.abs().amax((1, 2)) / LEVELS).clamp(min=LEAST).float().double()
        return (views / step[:, None, None]).round_().to(torch.int8), step

    def _directions(
        self, codes: Tensor, step: Tensor, least: Tensor, most: Tensor, rest: Tensor
    ) -> Directions:
        spread = rest if self.levels else rest + 1.1 * codes.shape[-1] * 2.0**-24
        codes = codes.to(self.codes.device).contiguous()
        return Directions(codes, step.tolist(), least.tolist(), most.tolist(), spread.tolist())


@torch.inference_mode()
def copy_of(embeddings: Tensor, device: torch.device, release: Callable[[], None]) -> Rows:
    """The low-precision copy of a bank (N, D); ``release()`` is called after each block that was read.

    Raises CheckpointError for a row that is not finite.
    """
    count, width = embeddings.shape
    levels = exact_levels(width, device)
    codes = torch.empty(count, width, dtype=torch.int8 if levels else torch.float32)
    notes = torch.empty(3, count)
    for start in range(0, count, BLOCK):
        here = slice(start, min(start + BLOCK, count))
        block = embeddings[here].float()
        refuse_not_finite(block, start)
        codes[here], notes[:, here] = _rounded_rows(block, levels)
        release()
    scale, norm, error = notes.to(device)
    return Rows(codes.to(device), scale, norm, error, levels)


def _rounded_rows(block: Tensor, levels: int) -> tuple[Tensor, Tensor]:
    """Rows (n, D) in float32 -> codes (n, D), and scale, norm and error (3, n), rounded up."""
    width = block.shape[1]
    largest = block.abs().amax(1)
    # Lengths are taken of rows whose largest value is 127 or so, so that no square leaves float32's range.
    scale = torch.where(largest > LEAST, largest / (levels or LEVELS), 0)
    fractions = block / scale.where(scale > 0, 1)[:, None]
    codes = fractions.round().clamp_(-levels, levels) if levels else fractions
    # More than float32 can be wrong by in lengths of this width, and what is below LEAST.
    above, little = 1 + 2.0**-22 * width, LEAST * width
    norm = fractions.norm(dim=1).mul_(scale).mul_(above).add_(little)
    error = (fractions - codes).norm(dim=1).mul_(scale).mul_(above).add_(norm, alpha=2.0**-20).add_(little)
    if not levels:
        return block, torch.stack([torch.ones_like(scale), norm, error])
    return codes.to(torch.int8), torch.stack([scale, norm, error])


def int_product(left: Tensor, right: Tensor) -> Tensor:
    """(n, D) and (m, D) int8 -> (n, m) int32 on a GPU, whose product wants more than 16 rows and multiples of 8."""
    wanted = [max(24, -(-len(rows) // 8) * 8) for rows in (left, right)]
    grown = [
        F.pad(rows, (0, 0, 0, count - len(rows))) if count > len(rows) else rows
        for rows, count in zip((left, right), wanted, strict=True)
    ]
    return torch._int_mm(grown[0], grown[1].T)[: len(left), : len(right)]


@cache
def exact_levels(width: int, device: torch.device = torch.device("cpu")) -> int:  # noqa: B008
    """The largest integers in a bank with which this machine's int8 products are exact; 0 for none.

    Found by multiplying extremes: without VNNI sums of pairs are cut off at 16 bits, and not every build of torch
    has the product.
    """
    signs = torch.tensor([1, -1], device=device).repeat_interleave(16)[:, None]
    views = (signs * LEVELS).to(torch.int8).repeat(1, width)
    for levels in (LEVELS, NARROW_LEVELS):
        rows = (signs * levels).to(torch.int8).repeat(1, width)
        try:
            found = torch._int_mm(views, rows.T)
        except (AttributeError, RuntimeError):
            return 0
        if found.cpu().equal((signs * signs.T * (levels * LEVELS * width)).int().cpu()):
            return levels
    return 0
