"""From a study, or from a file of ratings, to its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from analysis.errors import UnknownStudy
from analysis.exclusions import without_flagged
from analysis.inference import Analysis, Source, analyse
from analysis.planning.live import planned_of
from analysis.reading.beside import beside
from analysis.reading.csv_rows import shown
from analysis.reading.exclusions_file import read_exclusions, strangers, without_each
from analysis.reading.frames import choose_population, ratings_frame, reading_of
from analysis.reading.ratings_file import RatingsFile, read_ratings
from analysis.reading.ratings_frame import Population
from analysis.reading.talk_covariates import reply_times, talk_covariates
from analysis.statistics.interval_methods import IntervalOptions
from analysis.tables.table7 import DEFAULT_OPTIONS, Table7, table7, without_paper
from analysis.writeup.wording import counted
from chat.models import Study

Tell = Callable[[str], None]
EXCLUDED_COUNT = "talks of excluded workers are counted"


def study_named(slug: str) -> Study:
    """The study, or UnknownStudy with the names of those there are."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        known = (
            ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet; load one with load_starter"
        )
        raise UnknownStudy(f"There is no study {slug!r}. Studies here: {known}.")
    return study


def report_of(
    study: Study,
    population: Population | None = None,
    options: IntervalOptions = DEFAULT_OPTIONS,
    *,
    with_excluded: bool = False,
    with_paper: bool = True,
) -> Table7:
    """Table 7 of one population's ratings; without a wish, of the one that ``choose_population`` names."""
    frame = ratings_frame(study, population or choose_population(study), with_excluded=with_excluded)
    table = table7(frame, options)
    return table if with_paper else without_paper(table)


def analysis_of_study(
    study: Study,
    population: Population | None,
    options: IntervalOptions,
    *,
    main: str = "",
    with_excluded: bool = False,
    with_paper: bool = True,
    tell: Tell = lambda part: None,
) -> Analysis:
    """The whole analysis of one population's ratings, chosen as ``report_of`` chooses, with the study's plan and looks.

    ``with_excluded`` counts the talks of workers who are excluded too; without ``with_paper`` nothing is compared with
    the paper's figures. Raises UnknownAxis.
    """
    tell("reading")
    whose = population or choose_population(study)
    with beside(partial(reply_times, study, whose)) as times:
        reading = reading_of(study, whose, with_excluded=with_excluded)
        frame = reading.frame
        covariates = talk_covariates(reading, times())
    notes = (EXCLUDED_COUNT,) if with_excluded else ()
    found = analyse(
        frame,
        Source(study.slug, collected_elsewhere=False, notes=notes),
        options,
        main=main,
        covariates=covariates,
        without=without_flagged(study, frame),
        tell=tell,
    )
    table = found.table if with_paper else without_paper(found.table)
    return replace(found, table=table, planned=planned_of(study))


def analysis_of_file(
    path: Path,
    options: IntervalOptions,
    *,
    title: str = "",
    main: str = "",
    exclusions: Path | None = None,
    tell: Tell = lambda part: None,
) -> Analysis:
    """The whole analysis of ratings that were collected elsewhere; ``options.scale`` is theirs.

    ``exclusions`` names a file of workers whom rules leave out. Raises UnreadableFile, FileRefused, UnknownAxis.
    """
    read = read_ratings(path, options.scale, title, lambda rows: tell(f"{rows:,} rows read"))
    rules = read_exclusions(exclusions) if exclusions else {}
    notes = [*_notes(read)]
    if rules and (unknown := strangers(read.frame, rules)):
        notes.append(f"the rules of exclusion name {counted(unknown, 'worker')} without ratings")
    return analyse(
        read.frame,
        Source(shown(path.name), collected_elsewhere=True, notes=tuple(notes)),
        options,
        main=main,
        covariates=read.covariates,
        without=without_each(read.frame, rules),
        tell=tell,
    )


def _notes(read: RatingsFile) -> list[str]:
    """What a reader would otherwise not learn of the file."""
    notes = [f"{counted(read.rows, 'row')} read, none left out"]
    if read.incomplete:
        notes.append(f"{read.incomplete:,} of {_answers(read)} lack a rating on some axis")
    if read.blank:
        notes.append(f"{counted(read.blank, 'empty line')} between them")
    if read.unused:
        notes.append(f"columns not used: {', '.join(read.unused)}")
    return notes


def _answers(read: RatingsFile) -> str:
    """Talks, or, where several workers rated some, answers."""
    if read.answers == read.frame.talks:
        return counted(read.answers, "talk")
    return f"{counted(read.answers, 'answer')} on {counted(read.frame.talks, 'talk')}"
