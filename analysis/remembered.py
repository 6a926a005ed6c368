"""Reports that were made a moment ago: a study's page and its files are asked for again and again.

What a process has computed it keeps until the study's ratings, its workers' exclusions, what rules find of them, its
plan, its looks or its models change. A few counts and times tell that, for ratings themselves never do. Nothing is
shared between processes.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from django.db.models import Count, Max

from analysis.inference import Analysis
from analysis.reading.ratings_frame import Population
from analysis.report import analysis_of_study
from analysis.report_options import ReportOptions
from analysis.writeup.document import Document
from analysis.writeup.report import written
from chat.models import Conversation, Participation, Study
from ratings.models import Finding

#: A report of 10,000 talks by as many workers takes some megabytes.
MOST_KEPT = 8


@dataclass(frozen=True, slots=True)
class Report:
    """An analysis, what it is in words, and the study's state that it is about."""

    analysis: Analysis
    document: Document
    state: str


_kept: OrderedDict[Hashable, Report] = OrderedDict()
#: One report is made at a time: who asks for the same one waits and finds it.
_making = Lock()


def forget() -> None:
    with _making:
        _kept.clear()


def report(study: Study, options: ReportOptions) -> Report:
    """The whole report with these options; five queries where it is kept."""
    state = state_of(study, options.population)
    key = (study.pk, options, state)
    with _making:
        if key not in _kept:
            _kept[key] = _made(study, options, state)
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return _kept[key]


def _made(study: Study, options: ReportOptions, state: str) -> Report:
    analysis = analysis_of_study(
        study,
        options.population,
        options.intervals,
        main=options.main,
        with_excluded=options.with_excluded,
        with_paper=options.with_paper,
    )
    return Report(analysis, written(analysis), state)


def state_of(study: Study, population: Population) -> str:
    """What changes when a report of the study would: a short text to compare."""
    simulated = population is Population.SIMULATED
    talks = Conversation.objects.filter(
        arm__study=study, state=Conversation.State.COMPLETE, simulated=simulated
    ).aggregate(Count("pk"), Max("ended_at"))
    people = Participation.objects.filter(study=study, worker__simulated=simulated).aggregate(
        Count("excluded_at"), Max("excluded_at")
    )
    found = Finding.objects.filter(
        participation__study=study, participation__worker__simulated=simulated, conversation=None
    ).aggregate(Count("pk"), Max("pk"), Count("cleared_at"), Max("cleared_at"))
    # A look is stored some time after the talk that made it due.
    declared = Study.objects.filter(pk=study.pk).aggregate(
        Max("policies__version"), Max("plans__version"), Max("plans__taken")
    )
    arms = study.arms.order_by("position").values_list(
        "pk", "revision__number", "revision__model__slug", "revision__model__name"
    )
    counts = (tuple(each.values()) for each in (talks, people, found, declared))
    whole = repr((study.slug, study.title, *counts, tuple(arms)))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
