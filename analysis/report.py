"""From a study to its report: which population, which ratings, which table."""

from __future__ import annotations

from analysis.errors import UnknownStudy
from analysis.frames import Population, choose_population, ratings_frame
from analysis.tables.table7 import Table7, table7
from chat.models import Study


def study_named(slug: str) -> Study:
    """The study, or UnknownStudy with the names of those there are."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        known = (
            ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet; load one with load_starter"
        )
        raise UnknownStudy(f"There is no study {slug!r}. Studies here: {known}.")
    return study


def report_of(study: Study, population: Population | None = None) -> Table7:
    """Table 7 of one population's ratings; without a wish, of the one that ``choose_population`` names."""
    return table7(ratings_frame(study, population or choose_population(study)))
