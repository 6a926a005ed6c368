"""The best candidates of a bank, ranked as float64 ranks them.

Axes: B contexts, N candidates, M codes, D width. s_i = c.p_i is a candidate's product with a context's i-th view; its
score is the mean of s weighted by the softmax of s (Humeau et al. 2020, section 4.4).

A quick pass leaves out whoever cannot be among the best: ``Plain`` for small banks and on a GPU, whose float32 products
cost less than deciding what to leave out, ``Cascade`` for large ones on a CPU. What it leaves is scored in float64.
Ties go to the earlier place, and equal rows tie.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.nn import functional

from modelhub.errors import AgentFailed
from modelhub.polyencoder.bank import Bank
from modelhub.polyencoder.cascade import Cascade
from modelhub.polyencoder.exact import Exact, float32_error, refuse_not_finite
from modelhub.polyencoder.mapped import Mapped
from modelhub.polyencoder.ranker import Ranker

#: Banks up to this size are scored in float32 at once: less work than to decide what to leave out.
SMALL = 2048
#: Products that ``Plain`` holds at once: 1 GiB in float32.
HELD = 2**28
#: Candidates that a network scores at once; bounds the memory of a batch (32 x 8192 x 64 codes is 64 MiB).
CHUNK = 8192


class Search(Protocol):
    """What finds a bank's best candidates for what a network makes of contexts."""

    def top(self, views: Any, k: int, excluded: Sequence[Collection[int]] = ()) -> tuple[Tensor, Tensor]:
        """Of B contexts the k best scores and places, both (B, k), best first, on the CPU; ties by place.

        ``excluded`` names for each context the places that must not come. Where fewer than k are left, the rest is
        -inf at place -1.
        """
        ...


def search_of(network: Ranker, bank: Bank) -> Search:
    """The fast exact way where a network's score is the paper's, else its own."""
    return scorer_of(bank, network.device) if network.scores_plainly else OwnScores(network, bank)


class Scorer:
    """Finds a bank's best candidates. Safe to use from several threads.

    Embeddings (N, D) may stay on disk: once the quick pass has its copy, rows are read only to be scored exactly.
    Raises CheckpointError for rows that are not finite.
    """

    def __init__(
        self,
        embeddings: Tensor,
        device: torch.device | str = "cpu",
        mapped: Mapped | None = None,
    ) -> None:
        place = torch.device(device)
        quick = Plain if len(embeddings) <= SMALL or place.type == "cuda" else Cascade
        release = mapped.release if mapped else lambda: None
        self._quick: Plain | Cascade = quick(embeddings, place, release)
        self._exact = Exact(embeddings, mapped)

    def __len__(self) -> int:
        return len(self._exact)

    @torch.inference_mode()
    def top(self, views: Tensor, k: int, excluded: Sequence[Collection[int]] = ()) -> tuple[Tensor, Tensor]:
        """Views (B, M, D) -> the k best scores, in float64, and their places, as ``Search`` has it."""
        if k < 1:
            raise ValueError(f"the best {k} candidates were asked for; ask for 1 or more")
        exact_views = self._checked(views)
        barred = [sorted(places) for places in excluded] or [[] for _ in views]
        values = torch.full((len(views), k), -torch.inf, dtype=torch.float64)
        places = torch.full((len(views), k), -1)
        for context, left in enumerate(self._quick.left(exact_views, k, barred, self._exact)):
            scores, order = self._exact.ranked(left, exact_views[context], k)
            values[context, : len(order)], places[context, : len(order)] = scores, order
        return values, places

    @torch.inference_mode()
    def scores(self, views: Tensor) -> Tensor:
        """Views (B, M, D) -> every score (B, N) in float64, on the CPU; slow."""
        everything = torch.arange(len(self))
        return torch.stack([self._exact.scores(everything, each) for each in self._checked(views)])

    def _checked(self, views: Tensor) -> Tensor:
        """The views in float64 on the CPU."""
        width = self._exact.width
        if views.dim() != 3 or views.shape[2] != width or not views.shape[1]:
            raise ValueError(
                f"views of shape {tuple(views.shape)} came; (contexts, codes, {width}) is needed"
            )
        if not views.abs().amax().isfinite():
            raise AgentFailed(
                "a context's views are not finite; train the model again, or serve it in float32."
            )
        return views.to("cpu", torch.float64)


class OwnScores:
    """Every score by the network itself, in its precision: for a score that is not the paper's."""

    def __init__(self, network: Ranker, bank: Bank) -> None:
        self._network = network
        self._mapped = None if network.device.type == "cuda" else bank.mapped
        # A GPU holds the rows from the start; elsewhere they stay where they are, on disk perhaps.
        self._rows = bank.embeddings.to(network.device) if network.device.type == "cuda" else bank.embeddings

    @torch.inference_mode()
    def top(self, views: Any, k: int, excluded: Sequence[Collection[int]] = ()) -> tuple[Tensor, Tensor]:
        """As ``Search`` has it. Raises AgentFailed for scores that are no numbers."""
        chunks = []
        for chunk in self._rows.split(CHUNK):
            chunks.append(self._network.score(views, chunk.to(self._network.device, torch.float32)).cpu())
            if self._mapped:
                self._mapped.release()
        scores = torch.cat(chunks, dim=1)
        if scores.isnan().any():
            raise AgentFailed(
                "a context's scores are no numbers; serve the model in float32, or train it again."
            )
        for context, places in enumerate(excluded):
            scores[context, list(places)] = -torch.inf
        order = scores.argsort(dim=1, descending=True, stable=True)[:, :k]
        values = scores.gather(1, order)
        missing = (0, k - order.shape[1])
        return (
            functional.pad(values, missing, value=-torch.inf),
            functional.pad(order.masked_fill(values == -torch.inf, -1), missing, value=-1),
        )


_scorers: WeakValueDictionary[tuple[str, str], Scorer] = WeakValueDictionary()
_scorers_lock = threading.Lock()


def scorer_of(bank: Bank, device: torch.device | str = "cpu") -> Scorer:
    """A bank's scorer; models of one process whose embeddings are the same file share it, and so its memory."""
    key = (bank.sha256, str(device))
    with _scorers_lock:
        scorer = _scorers.get(key) if bank.sha256 else None
        if scorer is None:
            scorer = Scorer(bank.embeddings, device, bank.mapped)
            if bank.sha256:
                _scorers[key] = scorer
        return scorer


class Plain:
    """Every score in float32; left is who may reach the k-th best within float32's error."""

    def __init__(self, embeddings: Tensor, device: torch.device, release: Callable[[], None]) -> None:
        self._rows = embeddings.to(device, torch.float32)
        refuse_not_finite(self._rows)
        self._longest = float(self._rows.double().norm(dim=1).amax())
        release()

    def left(self, views: Tensor, k: int, barred: Sequence[Sequence[int]], exact: Exact) -> Iterator[Tensor]:
        """For each context of views (B, M, D), float64: the places, ascending, that may be of its best k."""
        codes, width = views.shape[1:]
        errors = float32_error(views.norm(dim=2).amax(1) * self._longest, width, codes).tolist()
        together = max(1, HELD // (len(self._rows) * codes))
        for start in range(0, len(views), together):
            these = slice(start, start + together)
            for row, error, places in zip(
                self._scores(views[these]), errors[these], barred[these], strict=True
            ):
                yield self._kept(row, k, error, places)

    def _scores(self, views: Tensor) -> Tensor:
        """Views (b, M, D) -> every score in float32 (b, N). One product is faster than a batch of them."""
        s = (self._rows @ views.to(self._rows).flatten(0, 1).T).unflatten(
            1, (-1, views.shape[1])
        )  # (N, b, M)
        return s.softmax(-1).mul_(s).sum(-1).T.contiguous()

    def _kept(self, row: Tensor, k: int, error: float, places: Sequence[int]) -> Tensor:
        """Scores (N,) -> places, on the CPU."""
        if places:
            row[places] = -torch.inf
        least = (row.amax() if k == 1 else row.topk(min(k, len(row))).values[-1]) - 2 * error
        # Not `row >= least`: a score that left float32's range is no number, and stays.
        kept = ~(row < least)
        return (kept & (row != -torch.inf) if places else kept).nonzero()[:, 0].cpu()
