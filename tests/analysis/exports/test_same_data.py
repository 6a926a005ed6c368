"""One set of ratings is known by one hash: in the database, in a frozen study, and in a file of ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.exports.data import bundles, export, read_jsonl
from analysis.reading.frames import Population, RatingsFrame, ratings_frame
from analysis.reading.ratings_file import read_ratings
from tests.analysis.exports.collected import Collected
from tests.analysis.rating_files import write_ratings


def _frozen(folder: Path) -> RatingsFrame:
    return bundles.frame_of(lambda name: folder / bundles.RECORDS / name)


def test_it_has_one_hash_wherever_it_is(collected: Collected, tmp_path: Path) -> None:
    export(collected.study, tmp_path / "frozen", form="bundle")
    held, frozen = ratings_frame(collected.study, Population.PEOPLE), _frozen(tmp_path / "frozen")
    rows = [
        (each["worker"], each["model_name"], each["conversation"], each["axis"], each["score"])
        for each in read_jsonl(tmp_path / "frozen" / bundles.RECORDS / "ratings.jsonl")
        if each["state"] == "complete" and not each["excluded"]
    ]
    file = read_ratings(write_ratings(tmp_path / "ratings.csv", reversed(rows))).frame
    assert len(rows) == len(held.score) > 10
    assert held.sha256 == frozen.sha256 == file.sha256


def test_a_frozen_study_has_workers_in_the_same_order(collected: Collected, tmp_path: Path) -> None:
    """What is drawn with a seed is drawn over workers in their order."""
    export(collected.study, tmp_path / "frozen", form="bundle", with_excluded=True)
    held, frozen = ratings_frame(collected.study, Population.PEOPLE), _frozen(tmp_path / "frozen")
    for name in ("worker", "talk", "model", "axis", "score"):
        assert np.array_equal(getattr(held, name), getattr(frozen, name)), name
