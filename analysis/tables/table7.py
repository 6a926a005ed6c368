"""Table 7: how people rated each model on the four axes (Smith et al. 2020, section 4.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.reading.ratings_frame import Population, RatingsFrame, axis_label
from analysis.statistics import means
from analysis.statistics.interval_methods import IntervalOptions, Method, intervals
from analysis.statistics.means import Gap
from analysis.tables.paper import table7_mean

DEFAULT_OPTIONS = IntervalOptions()
METHOD_SENTENCES = {
    Method.WILSON_CR2: (
        "{level} Wilson score intervals; variance clustered by worker (CR2) with Satterthwaite's degrees of freedom."
    ),
    Method.T: (
        "{level} Student's t intervals, as if every rating came from another worker: too narrow where workers rate "
        "several talks."
    ),
    Method.CR2_T: (
        "{level} t intervals, which can leave the scale; variance clustered by worker (CR2) with Satterthwaite's "
        "degrees of freedom."
    ),
    Method.BOOTSTRAP: "{level} percentile intervals of a bootstrap over workers ({replicates:,} draws, seed {seed}).",
}
BOLD_SENTENCE = (
    "Bold, as in the paper: the mean is at or above the lower limit of the interval of the model with the "
    "highest mean on that axis."
)
POPULATION_SENTENCES = {
    Population.PEOPLE: "Ratings by people.",
    Population.SIMULATED: (
        "Simulated data: programs held these talks and gave these ratings. They say nothing about the models."
    ),
}
GAP_WORDS = {
    Gap.NONE: "",
    Gap.NO_RATINGS: "no ratings yet",
    Gap.ONE_RATING: "no interval: one rating",
    Gap.ONE_WORKER: "no interval: one worker gave all ratings",
    Gap.NO_SPREAD: "no interval: whichever workers are drawn, the mean is the same",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one axis. ``low`` and ``high`` are None where ``gap`` says why."""

    axis: str
    n: int
    workers: int
    mean: float | None
    low: float | None
    high: float | None
    bold: bool
    paper: float | None
    gap: Gap

    @property
    def why(self) -> str:
        """Why there is no interval, in words."""
        return GAP_WORDS[self.gap]

    @property
    def mean_text(self) -> str:
        return "–" if self.mean is None else _two_digits(self.mean)

    @property
    def interval_text(self) -> str:
        """``3.38–3.84``, ``−0.31 to 0.60``; empty without an interval."""
        if self.low is None or self.high is None:
            return ""
        between = " to " if self.low < 0 else "–"
        return f"{_two_digits(self.low)}{between}{_two_digits(self.high)}"


class RatedAxis(str):
    """An axis' name in data, with its words for people."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)

    @property
    def label(self) -> str:
        return axis_label(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One model: its complete talks and a cell for each axis, in the order of the table's."""

    model: str
    talks: int
    cells: tuple[Cell, ...]

    def cell(self, axis: str) -> Cell:
        return next(cell for cell in self.cells if cell.axis == axis)


@dataclass(frozen=True, slots=True)
class Table7:
    """The whole table; rows in the order of the study's arms. ``sha256`` is the hash of the ratings."""

    study: str
    title: str
    population: Population
    talks: int
    workers: int
    sha256: str
    axes: tuple[RatedAxis, ...]
    rows: tuple[Row, ...]
    options: IntervalOptions

    @property
    def simulated(self) -> bool:
        return self.population is Population.SIMULATED

    @property
    def population_sentence(self) -> str:
        return POPULATION_SENTENCES[self.population]

    @property
    def method(self) -> str:
        return self.options.method.value

    @property
    def method_sentence(self) -> str:
        """How the intervals were made."""
        options = self.options
        return METHOD_SENTENCES[options.method].format(
            level=f"{100 * options.level:g} %", replicates=options.replicates, seed=options.seed
        )

    @property
    def scale_text(self) -> str:
        """``1 to 5``."""
        return f"{self.options.scale.low:g} to {self.options.scale.high:g}"

    @property
    def compared(self) -> bool:
        """Whether the paper has any of these rows."""
        return any(cell.paper is not None for row in self.rows for cell in row.cells)

    @property
    def measured(self) -> bool:
        """Whether there is any interval."""
        return any(cell.low is not None for row in self.rows for cell in row.cells)

    def column(self, axis: str) -> list[tuple[str, Cell]]:
        """Models with their cells on one axis."""
        return [(row.model, row.cell(axis)) for row in self.rows]


def table7(frame: RatingsFrame, options: IntervalOptions = DEFAULT_OPTIONS) -> Table7:
    """Compute the table from ratings, by default as the report page shows it."""
    table = frame.table()
    return table7_of(frame, table, means.summarise(table), options)


def table7_of(
    frame: RatingsFrame, table: means.WorkerTable, summary: means.Cells, options: IntervalOptions
) -> Table7:
    """The table from sums that were made before."""
    limits, gap = intervals(table, summary, options)
    bold = means.bold(summary, limits)
    talks = frame.talks_by_model()

    def cell(m: int, a: int) -> Cell:
        return Cell(
            axis=frame.axes[a],
            n=int(summary.n[m, a]),
            workers=int(summary.workers[m, a]),
            mean=_known(summary.mean[m, a]),
            low=_known(limits.low[m, a]),
            high=_known(limits.high[m, a]),
            bold=bool(bold[m, a]),
            paper=table7_mean(frame.models[m], frame.axes[a]),
            gap=Gap(gap[m, a]),
        )

    rows = tuple(
        Row(model=model, talks=int(talks[m]), cells=tuple(cell(m, a) for a in range(len(frame.axes))))
        for m, model in enumerate(frame.models)
    )
    return Table7(
        study=frame.study,
        title=frame.title,
        population=frame.population,
        talks=frame.talks,
        workers=frame.workers,
        sha256=frame.sha256,
        axes=tuple(RatedAxis(axis) for axis in frame.axes),
        rows=rows,
        options=options,
    )


def without_paper(table: Table7) -> Table7:
    """The same without the paper's figures."""
    rows = tuple(
        replace(row, cells=tuple(replace(cell, paper=None) for cell in row.cells)) for row in table.rows
    )
    return replace(table, rows=rows)


def _two_digits(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")


def _known(value: float) -> float | None:
    return None if value != value else float(value)
