"""The quick pass over a large bank: two bounds in low precision (quantised.py), the second of what the first leaves.

Coarse: where a context's views are alike, as trained ones are, their mean alone bounds every score, with one product
a candidate. Fine: products with all views, of what is left, or of the whole bank where the coarse bound is too wide.

After each pass the best by its estimate are scored exactly. At least k candidates reach the k-th of these scores, so
whoever's bound is below it is none of the best k. A bad estimate costs time, never a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modelhub.polyencoder.exact import LEAST, Exact
from modelhub.polyencoder.quantised import Directions, Rows, copy_of

#: Contexts that go through the bank together: their products share its reading.
TOGETHER = 8
#: Products held at once: on a CPU they stay in its second-level cache as int32, a GPU wants much to do at once.
PRODUCTS, GPU_PRODUCTS = 2**19, 2**26
#: The coarse pass is made where it would leave at most this share of a sample of the bank.
SAMPLE, COARSE_SHARE = 1024, 0.5
#: How many times k, and how many at least, are scored exactly after a pass: the closer the k-th, the fewer are left.
GUESSES, LEAST_GUESSES = 4, 16
#: So few are scored exactly without a fine pass.
FEW = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """One context: views (M, D) in float64, the longest one's length, how many are wanted, places that are barred."""

    views: Tensor
    length: float
    k: int
    barred: Sequence[int]


class Cascade:
    """A bank's low-precision copy, on the device that multiplies it."""

    def __init__(self, embeddings: Tensor, device: torch.device, release: Callable[[], None]) -> None:
        self._rows = copy_of(embeddings, device, release)
        step = max(1, len(embeddings) // SAMPLE)
        self._sample = self._rows.take(torch.arange(0, len(embeddings), step, device=device))

    def left(self, views: Tensor, k: int, barred: Sequence[Sequence[int]], exact: Exact) -> Iterator[Tensor]:
        """For each context of views (B, M, D), float64: the places, ascending, that may be of its best k."""
        for start in range(0, len(views), TOGETHER):
            these = slice(start, start + TOGETHER)
            yield from self._left(views[these], k, barred[these], exact)

    def _left(self, views: Tensor, k: int, barred: Sequence[Sequence[int]], exact: Exact) -> Iterator[Tensor]:
        lengths = views.norm(dim=2).amax(1).clamp(min=LEAST)
        unit = views / lengths[:, None, None]
        coarse, fine = self._rows.coarse(unit), self._rows.fine(unit)
        alike = self._alike(coarse, fine, lengths)
        largest: dict[int, Tensor] = {}
        for directions, contexts in (
            (coarse, [context for context in range(len(views)) if alike[context]]),
            (fine, [context for context in range(len(views)) if not alike[context]]),
        ):
            found = largest_products(self._rows, directions.codes[contexts])
            largest.update(zip(contexts, found, strict=True))
        for context in range(len(views)):
            question = _Question(views[context], float(lengths[context]), k, barred[context])
            directions = coarse if alike[context] else fine
            about, above = self._rows.bound(largest[context], directions, context)
            places = survivors(question, about, above, exact)
            if alike[context] and len(places) > FEW:
                places = self._finely(question, fine, context, places, exact)
            yield places.cpu()

    def _finely(
        self, question: _Question, fine: Directions, context: int, places: Tensor, exact: Exact
    ) -> Tensor:
        """What the fine bound leaves of places that the coarse one left."""
        rows = self._rows.take(places)
        largest = largest_products(rows, fine.codes[[context]])[0]
        about, above = rows.bound(largest, fine, context)
        return survivors(question, about, above, exact, places)

    def _alike(self, coarse: Directions, fine: Directions, lengths: Tensor) -> list[bool]:
        """Whether the coarse bound would leave few, for each context, judged by a sample of the bank."""
        sample, alike = self._sample, []
        products = products_with(sample, fine.codes)
        largest = largest_products(sample, coarse.codes)
        for context, length in enumerate(lengths.tolist()):
            s = products[context].float().mul_(sample.scale).mul_(fine.step[context])  # (M, n)
            best = ((s * length).softmax(0) * s).sum(0).amax()
            above = sample.bound(largest[context], coarse, context)[1]
            alike.append(float((above >= best).float().mean()) <= COARSE_SHARE)
        return alike


def survivors(
    question: _Question, about: Tensor, above: Tensor, exact: Exact, places: Tensor | None = None
) -> Tensor:
    """Those of places (all of the bank unless given) whose bound reaches the k-th exact score of the best guesses.

    ``about`` and ``above``, both (n,), are estimates and bounds in units of the context's length.
    """
    if places is None:
        above[question.barred] = about[question.barred] = -torch.inf
    guesses = about.topk(min(len(about), max(GUESSES * question.k, LEAST_GUESSES))).indices
    guesses = guesses[above[guesses] > -torch.inf]
    guessed = guesses if places is None else places[guesses]
    least = exact.kth(guessed.cpu(), question.views, question.k) / question.length
    # Below what comparing in float32 could round it up to. Not `above >= least`: a bound that is no number stays.
    least -= abs(least) * 2.0**-22
    kept = (~(above < least) & (above != -torch.inf)).nonzero()[:, 0]
    return kept if places is None else places[kept]


def largest_products(rows: Rows, directions: Tensor) -> Tensor:
    """Directions (B, G, D) -> each context's largest product with each row (B, N)."""
    contexts, count, _ = directions.shape
    largest = torch.empty(contexts, len(rows), dtype=rows.product_type, device=rows.codes.device)
    held = GPU_PRODUCTS if rows.codes.is_cuda else PRODUCTS
    step = max(1, held // max(1, contexts * count))
    for start in range(0, len(rows), step):
        largest[:, start : start + step] = rows.largest(directions, start, start + step)
    return largest


def products_with(rows: Rows, directions: Tensor) -> Tensor:
    """Directions (B, G, D) -> products with all rows (B, G, n)."""
    found = rows.product(directions.flatten(0, 1), rows.codes)
    return found.view(*directions.shape[:2], found.shape[1])
