"""Where the spread of ratings is taken from: a pilot, or the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import NotEstimable, UnknownAxis
from analysis.reading.csv_rows import shown
from analysis.reading.frames import choose_population, ratings_frame
from analysis.reading.ratings_file import read_ratings
from analysis.reading.ratings_frame import Population, RatingsFrame
from analysis.statistics import mixed
from analysis.statistics.means import PAPER_SCALE, Scale
from analysis.statistics.outlook import design_of
from chat.models import Study
from ratings.axes import Axis


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of a model's ratings, the share of its square between workers, talks a worker, and where from."""

    sd: float
    icc: float
    talks_a_worker: float
    source: str


#: Smith et al. (2020), Table 7: with 100 ratings a model the half-widths are .2 or .3, so sd = .255 * 10 / 1.96; 800
#: talks by 234 workers. The share between workers is not printed: .23 is that of five-point ratings by workers whose
#: leniency has a standard deviation of .6, where one worker's ratings of a talk have 1 (docs/planning.md).
PAPER = Spread(
    sd=1.3,
    icc=0.23,
    talks_a_worker=3.4,
    source="the paper's Table 7; the share between workers is assumed",
)


def of_frame(frame: RatingsFrame, axis: str, source: str) -> Spread:
    """From a pilot's ratings on an axis. Raises UnknownAxis, NotEstimable."""
    if axis not in frame.axes:
        raise UnknownAxis(f"{source} has no axis {axis!r}; it has {', '.join(frame.axes)}.")
    place = frame.axes.index(axis)
    table = frame.table()
    count = table.count[:, :, place]
    fitted = mixed.fit_axis(count, table.total[:, :, place], table.squares[:, :, place])
    if not fitted.var_residual > 0:
        raise NotEstimable(
            f"{source}: {int(count.sum())} ratings on {axis} do not tell how far ratings spread; collect more, or give "
            "the spread by hand."
        )
    design = design_of(count, fitted)
    said = f"{source}: {int(count.sum())} ratings on {axis} by {int((count.sum(axis=1) > 0).sum())} workers"
    return Spread(sd=design.sd, icc=design.icc, talks_a_worker=design.talks, source=said)


def of_study(study: Study, axis: str) -> Spread:
    """From a study's ratings, people's where there are any. Raises NotEstimable."""
    population = choose_population(study)
    marked = " (simulated)" if population is Population.SIMULATED else ""
    return of_frame(ratings_frame(study, population), axis, f"study {study.slug}{marked}")


def of_file(
    path: Path, axis: str, scale: Scale = PAPER_SCALE, tell: Callable[[int], None] = lambda rows: None
) -> Spread:
    """From a file of ratings; on its only axis where none is named. Raises UnreadableFile, FileRefused."""
    frame = read_ratings(path, scale, tell=tell).frame
    return of_frame(frame, axis or default_axis(frame.axes), shown(path.name))


def by_hand(found: Spread, sd: float | None, icc: float | None) -> Spread:
    """With what was given by hand in place of what was found."""
    if sd is None and icc is None:
        return found
    given = "given" if sd is not None and icc is not None else f"partly given, else {found.source}"
    return Spread(
        sd=found.sd if sd is None else sd,
        icc=found.icc if icc is None else icc,
        talks_a_worker=found.talks_a_worker,
        source=given,
    )


def default_axis(axes: tuple[str, ...]) -> str:
    return Axis.OVERALL.value if Axis.OVERALL.value in axes else axes[0]
