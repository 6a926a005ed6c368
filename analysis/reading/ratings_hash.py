"""The hash of a set of ratings: the same from a database, from a frozen study and from a file. No Django."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from analysis.statistics.means import Floats, Integers


def ratings_hash(
    population: str,
    models: Sequence[str],
    axes: Sequence[str],
    codes: tuple[Integers, Integers, Integers, Integers],
    score: Floats,
) -> str:
    """SHA-256 of what was rated how by one and the same person, whatever people and talks are called.

    ``codes`` are worker, talk, model and axis of each rating, from 0; ``score`` is (N,). Neither the order of ratings,
    workers, talks, models and axes matters, nor models and axes that nobody rated.

    An answer is what a worker says of a talk: the model's place among the sorted names, then a score for each axis in
    the order of their names, NaN where there is none, as little-endian numbers of eight bytes. The answers of a worker
    are sorted and hashed together; the hashes of all workers, sorted, are hashed below a line of JSON with the names.
    Where several workers rated a talk, the sorted hashes of all such talks' answers come last.
    """
    worker, talk, model, axis = codes
    rated, place = _places(models, model)
    asked, column = _places(axes, axis)
    head = json.dumps([str(population), rated, asked], ensure_ascii=False)
    digest = hashlib.sha256(f"{head}\n".encode())
    answer, first = _answers(worker, talk)
    rows = np.full((len(first), 1 + len(asked)), np.nan)
    rows[:, 0] = place[first]
    rows[answer, 1 + column] = score + 0.0  # plus zero: -0 and 0 are one rating
    digest.update(_hashes(rows, worker[first]))
    of_talk = talk[first]
    shared = np.bincount(of_talk)[of_talk] > 1
    if shared.any():
        digest.update(b"talks\n" + _hashes(rows[shared], of_talk[shared]))
    return digest.hexdigest()


def _places(names: Sequence[str], codes: Integers) -> tuple[list[str], Integers]:
    """The names that are used, sorted, and the codes' places among them."""
    used = np.unique(codes).tolist()
    known = sorted({names[code] for code in used})
    place = np.zeros(len(names), dtype=np.int64)
    for code in used:
        place[code] = known.index(names[code])
    return known, place[codes]


def _answers(worker: Integers, talk: Integers) -> tuple[Integers, Integers]:
    """The number of each rating's answer, and where each answer's first rating stands."""
    key = worker * (int(talk.max(initial=0)) + 1) + talk
    _, first, answer = np.unique(key, return_index=True, return_inverse=True)
    return answer.astype(np.int64), first.astype(np.int64)


def _hashes(rows: Floats, group: Integers) -> bytes:
    """The sorted hashes of groups of rows, one after the other; the rows of a group are sorted before."""
    order = np.lexsort((*rows.T[::-1], group))
    held = memoryview(rows[order].astype("<f8").tobytes())
    ends = np.cumsum(np.bincount(group)) * rows.shape[1] * 8
    bounds = dict.fromkeys([0, *ends.tolist()])
    return b"".join(sorted(hashlib.sha256(held[begin:end]).digest() for begin, end in pairwise(bounds)))
