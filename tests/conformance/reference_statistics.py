"""Compare our statistics with those of R and Python tools: ``python tests/conformance/reference_statistics.py DIR``.

DIR holds inputs (``ratings.csv``, ``pairwise.csv``, ``utterances.csv``) and what other tools made of them
(``expected_R_*.csv``, ``expected_python.json``). Each quantity is printed with its largest difference and the
difference that is allowed; the exit status is 1 when one is further off, is no number where another is expected, or is
missing. Models, axes, workers and labels are those of the files.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from analysis.statistics import agreement, best, contrasts, means, mixed, overlap, pairwise
from analysis.statistics.differences import Differences, benjamini_hochberg, holm
from analysis.statistics.means import Floats, WorkerTable

CLOSED, FITTED, ERROR, INTEGRAL, PREFERENCE = 1e-9, 1e-5, 1e-3, 5e-3, 1e-6
#: Upper limits of comparisons with the best nearer to zero may fall on either side of it.
BORDERLINE = 0.01
Row = dict[str, str]


@dataclass(frozen=True)
class Quantity:
    """One kind of figure: what we found and what is expected, in the same order, and how far apart they may be."""

    name: str
    found: Sequence[float] | Floats
    expected: Sequence[float] | Floats
    allowed: float

    @property
    def worst(self) -> float:
        """The largest difference; infinite where one is a number and the other is not."""
        found, expected = (np.asarray(values, dtype=float) for values in (self.found, self.expected))
        apart = np.where(np.isnan(found) & np.isnan(expected), 0, np.abs(found - expected))
        apart = np.where(found == expected, 0, apart)  # infinite ones that are the same
        return float(np.nan_to_num(apart, nan=np.inf).max(initial=0)) if len(apart) else np.inf

    @property
    def right(self) -> bool:
        return self.worst <= self.allowed


class Folder:
    """The inputs and the expectations of one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        ratings = self.rows("ratings.csv")
        self.models = _sorted(ratings, "model")
        self.axes = _sorted(ratings, "axis")
        workers = _sorted(ratings, "worker_id")
        self.table: WorkerTable = means.tabulate(
            _codes(ratings, "worker_id", workers),
            _codes(ratings, "model", self.models),
            _codes(ratings, "axis", self.axes),
            np.array([float(row["rating"]) for row in ratings]),
            (len(workers), len(self.models), len(self.axes)),
        )
        self.cells = means.summarise(self.table)
        self.fitted = mixed.fit(self.table)

    def rows(self, name: str) -> list[Row]:
        with (self.path / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def compare(
        self, name: str, rows: Sequence[Row], columns: Mapping[str, tuple[Callable[[Row], float], float]]
    ) -> Iterator[Quantity]:
        """A quantity for each column: how it is found for a row, and what is allowed."""
        for column, (find, allowed) in columns.items():
            yield Quantity(
                f"{name} {column}",
                [find(row) for row in rows],
                [_number(row[column]) for row in rows],
                allowed,
            )

    def of_cell(self, values: Floats) -> Callable[[Row], float]:
        """Look a value (M, A) up by a row's model and axis."""
        return lambda row: float(values[self.models.index(row["model"]), self.axes.index(row["axis"])])

    def of_pair(self, values: Floats) -> Callable[[Row], float]:
        """Look a value (P, A) up by a row's contrast and axis."""
        first, second = np.triu_indices(len(self.models), 1)
        names = [f"{self.models[a]} - {self.models[b]}" for a, b in zip(first, second, strict=True)]
        return lambda row: float(values[names.index(row["contrast"]), self.axes.index(row["axis"])])


# --- Means and contrasts ------------------------------------------------------------------------------------


def cells(folder: Folder) -> Iterator[Quantity]:
    rows, table, given = folder.rows("expected_R_cells.csv"), folder.table, folder.cells
    cr1_error = means.cr1_error(table)
    figures: dict[str, Floats] = {
        "n": given.n.astype(float),
        "n_workers": given.workers.astype(float),
        "mean": given.mean,
        "sd": given.sd,
        "cr1_se": cr1_error,
        "cr2_se": given.error,
        "cr2_df": given.df,
    }
    intervals = {
        "t": means.t_plain(given),
        "cr1": means.t_cr1(given, cr1_error),
        "cr2": means.t_cr2(given),
        "wilson": means.wilson_cr2(given),
    }
    for name, interval in intervals.items():
        figures |= {f"{name}_lo": interval.low, f"{name}_hi": interval.high}
    figures["bold_R1_t"] = means.bold(given, intervals["t"]).astype(float)
    figures["bold_R1_wilson"] = means.bold(given, intervals["wilson"]).astype(float)
    figures["best_mean"] = (given.mean == np.nanmax(given.mean, axis=0)).astype(float)
    figures["bold_R2_wilson"] = _overlap_with_best(given.mean, intervals["wilson"]).astype(float)
    columns = {name: (folder.of_cell(values), CLOSED) for name, values in figures.items()}
    yield from folder.compare("cells", rows, columns)


def _overlap_with_best(mean: Floats, interval: means.Intervals) -> NDArray[np.bool_]:
    """Whether the interval meets that of the highest mean."""
    best_model = np.nanargmax(mean, axis=0)[None]
    low, high = (np.take_along_axis(limit, best_model, axis=0) for limit in (interval.low, interval.high))
    return (interval.high >= low) & (interval.low <= high)


def pairs_by_least_squares(folder: Folder) -> Iterator[Quantity]:
    rows = folder.rows("expected_R_pairs_ols_cluster.csv")
    cr1, cr2, welch = contrasts.cr1s(folder.table), contrasts.cr2(folder.table), contrasts.welch(folder.cells)
    figures = {
        "est": cr2.estimate,
        "cr1_se": cr1.error,
        "cr1_p": cr1.p,
        "cr1_p_holm": holm(cr1.p),
        "cr2_se": cr2.error,
        "cr2_df": cr2.df,
        "cr2_p": cr2.p,
        "cr2_p_holm": holm(cr2.p),
        "cr2_p_bh": benjamini_hochberg(cr2.p),
        "cr2_lo": cr2.interval().low,
        "cr2_hi": cr2.interval().high,
        "welch_lo": welch.interval().low,
        "welch_hi": welch.interval().high,
        "welch_p": welch.p,
        "welch_p_holm": holm(welch.p),
    }
    columns = {name: (folder.of_pair(values), CLOSED) for name, values in figures.items()}
    yield from folder.compare("pairs, least squares:", rows, columns)


# --- The mixed model ----------------------------------------------------------------------------------------


def mixed_means(folder: Folder) -> Iterator[Quantity]:
    of_axes = [model.model_means() for model in folder.fitted]
    limits = [each.interval() for each in of_axes]
    rows = folder.rows("expected_R_lmer_means.csv")
    df = np.stack([each.df for each in of_axes], axis=1)
    columns = {
        "emmean": (folder.of_cell(np.stack([each.estimate for each in of_axes], axis=1)), FITTED),
        "se": (folder.of_cell(np.stack([each.error for each in of_axes], axis=1)), ERROR),
        "lo": (folder.of_cell(np.stack([each.low for each in limits], axis=1)), 2 * ERROR),
        "hi": (folder.of_cell(np.stack([each.high for each in limits], axis=1)), 2 * ERROR),
    }
    yield from folder.compare("mixed model, means:", rows, columns)
    yield _relative("mixed model, means: df", rows, folder.of_cell(df))


def mixed_pairs(folder: Folder) -> Iterator[Quantity]:
    found: Differences = mixed.differences(folder.fitted)
    rows, tukey = folder.rows("expected_R_lmer_pairs.csv"), found.tukey_interval()
    columns = {
        "est": (folder.of_pair(found.estimate), FITTED),
        "se": (folder.of_pair(found.error), ERROR),
        "t": (folder.of_pair(found.t), 10 * ERROR),
        "tukey_lo": (folder.of_pair(tukey.low), INTEGRAL),
        "tukey_hi": (folder.of_pair(tukey.high), INTEGRAL),
        "p_tukey": (folder.of_pair(found.tukey_p()), ERROR),
        "p_holm": (folder.of_pair(holm(found.p)), ERROR),
    }
    yield from folder.compare("mixed model, pairs:", rows, columns)
    yield _relative("mixed model, pairs: df", rows, folder.of_pair(found.df))


def mixed_variances(folder: Folder) -> Iterator[Quantity]:
    def of_axis(name: str) -> Callable[[Row], float]:
        return lambda row: float(getattr(folder.fitted[folder.axes.index(row["axis"])], name))

    columns = {
        "var_worker": (of_axis("var_worker"), FITTED),
        "var_resid": (of_axis("var_residual"), FITTED),
        "icc": (of_axis("icc"), FITTED),
        "reml_loglik": (of_axis("log_likelihood"), FITTED),
    }
    yield from folder.compare("mixed model,", folder.rows("expected_R_lmer_varcomp.csv"), columns)


def with_the_best(folder: Folder) -> Iterator[Quantity]:
    """As R computed it: by the multivariate normal."""
    found, rows = best.compare_with_best(folder.fitted, small=False), folder.rows("expected_R_mcb.csv")
    columns = {
        "est": (folder.of_cell(np.stack([model.means for model in folder.fitted], axis=1)), FITTED),
        "dunnett_d": (folder.of_cell(found.critical), INTEGRAL),
        "mcb_lo": (folder.of_cell(found.low), INTEGRAL),
        "mcb_hi": (folder.of_cell(found.high), INTEGRAL),
    }
    yield from folder.compare("best:", rows, columns)
    possible, ours = folder.of_cell(found.possible.astype(float)), folder.of_cell(found.high)
    limits = [(_number(row["mcb_hi"]), ours(row)) for row in rows]
    sure = [
        row
        for row, both in zip(rows, limits, strict=True)
        if not any(0 < limit < BORDERLINE for limit in both)
    ]
    yield from folder.compare("best:", sure, {"possible_best": (possible, 0)})


# --- Preferences and agreement ------------------------------------------------------------------------------


def preferences(folder: Folder) -> Iterator[Quantity]:
    rows = folder.rows("expected_R_bt_noties.csv")
    given, models = _comparisons(folder, [row["model"] for row in rows])
    plain = pairwise.bradley_terry(given, len(models))
    placed = pairwise.bradley_terry(given, len(models), position=True)

    def of_model(values: Floats) -> tuple[Callable[[Row], float], float]:
        return lambda row: float(values[models.index(row["model"]) - 1]), PREFERENCE

    columns = {
        "theta": of_model(plain.strength[1:]),
        "se_mle": of_model(plain.errors(clustered=False)),
        "se_cluster": of_model(plain.errors()),
        "theta_pos": of_model(placed.strength[1:]),
        "se_pos": of_model(placed.errors(clustered=False)),
        "se_cluster_pos": of_model(placed.errors()),
    }
    yield from folder.compare("Bradley-Terry:", rows, columns)
    position = {
        "est": (lambda _: placed.position, PREFERENCE),
        "se": (lambda _: float(placed.errors(clustered=False)[-1]), PREFERENCE),
        "se_cluster": (lambda _: float(placed.errors()[-1]), PREFERENCE),
    }
    yield from folder.compare("Bradley-Terry, position:", folder.rows("expected_R_bt_position.csv"), position)


def preferences_with_ties(folder: Folder) -> Iterator[Quantity]:
    rows = folder.rows("expected_R_davidson.csv")
    terms = [row["term"] for row in rows]
    given, models = _comparisons(folder, [term for term in terms if term != "log_nu"])
    fitted = pairwise.davidson(given, len(models))
    estimates = dict(zip([*models[1:], "log_nu"], [*fitted.strength[1:], fitted.log_nu], strict=True))
    errors = dict(zip(estimates, fitted.errors(clustered=False), strict=True))
    clustered = dict(zip(estimates, fitted.errors(), strict=True))
    columns = {
        "est": (lambda row: float(estimates[row["term"]]), PREFERENCE),
        "se": (lambda row: float(errors[row["term"]]), PREFERENCE),
    }
    yield from folder.compare("Davidson:", rows, columns)
    expected = _python(folder).get("davidson_cluster_se", {})
    if expected:
        found = [float(clustered[term]) for term in expected]
        yield Quantity("Davidson: se, clustered", found, list(expected.values()), PREFERENCE)


def alphas(folder: Folder) -> Iterator[Quantity]:
    """Every alpha of ``expected_python.json``, whichever tool gave it."""
    rows, expected = folder.rows("utterances.csv"), _python(folder)["agreement"]
    units, labels = _sorted(rows, "utterance_id"), _sorted(rows, "label")
    places = sorted({float(row["ordinal"]) for row in rows})
    unit = _codes(rows, "utterance_id", units)
    ordinal = np.array([places.index(float(row["ordinal"])) for row in rows])
    by_place = agreement.value_counts(unit, ordinal, len(units), len(places))
    by_label = agreement.value_counts(unit, _codes(rows, "label", labels), len(units), len(labels))
    for metric in agreement.Metric:
        found = agreement.krippendorff_alpha(by_place, metric, np.array(places), replicates=1).value
        yield from _alphas_named(f"alpha_{metric}_", found, expected)
    found = agreement.krippendorff_alpha(by_label, agreement.Metric.NOMINAL, replicates=1).value
    yield from _alphas_named("alpha_label_nominal_", found, expected)
    yield from _of_overlap(rows, unit, np.array(places)[ordinal], expected)


def _of_overlap(
    rows: Sequence[Row], unit: means.Integers, score: means.Floats, expected: Mapping[str, object]
) -> Iterator[Quantity]:
    """The same as a report tells it of talks that several workers rated."""
    worker = _codes(rows, "annotator_id", _sorted(rows, "annotator_id"))
    found = overlap.overlap(worker, unit, np.zeros(len(unit), dtype=np.int64), score, 1)
    for metric, alpha in found.alphas[0].items():
        yield from _alphas_named(f"alpha_{metric}_", alpha.value, expected, of="overlap")


def _alphas_named(
    prefix: str, found: float, expected: Mapping[str, object], of: str = "agreement"
) -> Iterator[Quantity]:
    values = {name: value for name, value in expected.items() if name.startswith(prefix)}
    numbers = [float(value) for value in values.values() if isinstance(value, int | float)]
    yield Quantity(f"{of}: {prefix[:-1]}", [found] * len(numbers), numbers, CLOSED)


# --- Reading ------------------------------------------------------------------------------------------------


def _comparisons(folder: Folder, compared: Sequence[str]) -> tuple[pairwise.Comparisons, list[str]]:
    """The comparisons, and the models with the reference first: the one without a row of its own."""
    rows = folder.rows("pairwise.csv")
    everybody = sorted({row[side] for row in rows for side in ("model_a", "model_b")})
    models = [name for name in everybody if name not in compared] + list(compared)
    workers, winners = _sorted(rows, "worker_id"), ["a", "b", "tie"]
    given = pairwise.Comparisons(
        _codes(rows, "worker_id", workers),
        _codes(rows, "model_a", models),
        _codes(rows, "model_b", models),
        _codes(rows, "winner", winners),
    )
    return given, models


def _python(folder: Folder) -> dict[str, dict[str, float]]:
    given: dict[str, dict[str, float]] = json.loads(
        (folder.path / "expected_python.json").read_text(encoding="utf-8")
    )
    return given


def _relative(name: str, rows: Sequence[Row], find: Callable[[Row], float]) -> Quantity:
    """Degrees of freedom, as a share of what is expected."""
    expected = np.array([_number(row["df"]) for row in rows])
    return Quantity(
        f"{name} (share)", np.array([find(row) for row in rows]) / expected, expected / expected, ERROR
    )


def _number(text: str) -> float:
    """R's words for what is no number, and for yes and no."""
    words = {"TRUE": 1.0, "FALSE": 0.0, "NA": np.nan, "Inf": np.inf, "-Inf": -np.inf, "": np.nan}
    return words[text] if text in words else float(text)


def _sorted(rows: Sequence[Row], column: str) -> list[str]:
    return sorted({row[column] for row in rows})


def _codes(rows: Sequence[Row], column: str, names: Sequence[str]) -> means.Integers:
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[row[column]] for row in rows], dtype=np.int64)


PARTS: tuple[Callable[[Folder], Iterator[Quantity]], ...] = (
    cells,
    pairs_by_least_squares,
    mixed_means,
    mixed_pairs,
    mixed_variances,
    with_the_best,
    preferences,
    preferences_with_ties,
    alphas,
)


def compare(path: Path) -> Iterator[Quantity]:
    """Every quantity of a folder; a part whose files lack something is a quantity that is missing."""
    folder = Folder(path)
    for part in PARTS:
        try:
            yield from part(folder)
        except (OSError, KeyError, ValueError) as error:
            yield Quantity(
                f"{part.__name__}: not compared, {type(error).__name__} {error}", [np.nan], [0.0], 0
            )


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not (Path(arguments[0]) / "ratings.csv").is_file():
        print(
            f"usage: {Path(__file__).name} DIR, a folder with ratings.csv and expectations", file=sys.stderr
        )
        return 2
    wrong = 0
    for quantity in compare(Path(arguments[0])):
        wrong += not quantity.right
        verdict = "" if quantity.right else "  WRONG"
        print(
            f"{quantity.name:<40} {len(quantity.found):>4} values, "
            f"worst {quantity.worst:8.1e} of {quantity.allowed:.0e}{verdict}"
        )
    print(f"{wrong} quantities wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
