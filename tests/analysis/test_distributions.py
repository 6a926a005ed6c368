"""How often each rating was given."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.distributions import Distribution, distribution
from analysis.statistics.means import Scale


def of_one_cell(scores: list[float], scale: Scale) -> Distribution:
    zeros = np.zeros(len(scores), dtype=np.int64)
    return distribution(np.array(scores, dtype=float), zeros, zeros, (1, 1), scale)


def test_whole_numbers_are_counted_each_by_itself() -> None:
    found = of_one_cell([1, 5, 5, 3], Scale(1, 5))
    assert found.labels == ("1", "2", "3", "4", "5")
    assert found.count[0, 0].tolist() == [1, 0, 1, 0, 2]
    assert found.share()[0, 0].tolist() == [0.25, 0, 0.25, 0, 0.5]


def test_cells_are_kept_apart() -> None:
    score, model, axis = np.array([1.0, 2, 2]), np.array([0, 0, 1]), np.array([0, 1, 1])
    found = distribution(score, model, axis, (2, 2), Scale(1, 2))
    assert found.count.tolist() == [[[1, 0], [0, 1]], [[0, 0], [0, 1]]]
    assert np.isnan(found.share()[1, 0]).all()


@pytest.mark.parametrize(
    ("scores", "scale"), [([0, 9.9, 10, 100], Scale(0, 100)), ([1, 1.3, 1.5, 5], Scale(1, 5))]
)
def test_long_scales_and_ratings_between_whole_numbers_are_cut_into_ten(
    scores: list[float], scale: Scale
) -> None:
    found = of_one_cell(scores, scale)
    assert found.count[0, 0].tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.labels[-1] == f"{scale.low + 0.9 * scale.width:g} to {scale.high:g}"


@pytest.mark.parametrize(
    "scale", [Scale(1, 5), Scale(0, 1), Scale(-2, 2), Scale(1, 7), Scale(1, 10), Scale(0, 0.7)]
)
def test_a_bin_holds_its_lower_end(scale: Scale) -> None:
    ends = [float(f"{scale.low + scale.width * k / 10:.6g}") for k in range(11)]
    found = of_one_cell([*ends, ends[0] + 1e-3], scale)
    assert found.count[0, 0].tolist() == [2, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    assert found.labels[1] == f"{ends[1]:g} to {ends[2]:g}"


def test_eleven_whole_numbers_are_no_bins() -> None:
    assert len(of_one_cell([0, 10], Scale(0, 10)).labels) == 11
