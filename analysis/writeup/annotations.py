"""A report on annotations: whether annotators agree, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.annotations import AnnotationAnalysis, QuestionAgreement
from analysis.statistics.agreement import Agreement
from analysis.version import code_version
from analysis.writeup.annotation_sections import (
    annotators_section,
    coefficients_section,
    labels_section,
    method_section,
    pairs_section,
    units_section,
)
from analysis.writeup.annotation_words import RELIABLE, TENTATIVE, WHY_NOT, Names, in_all, titled
from analysis.writeup.document import Answer, Document, Part, Value
from analysis.writeup.wording import counted, figure, level_text, percent, span

KIND = "agreement"


def agreement_document(
    analysis: AnnotationAnalysis, title: str = "", *, identified: bool = False
) -> Document:
    """Put agreement into words, tables and figures; annotators' ids stand in it where it is ``identified``."""
    names = Names(analysis.annotations.annotators, identified)
    return Document(
        title=title or analysis.source,
        warning="",
        answer=_answer(analysis, names),
        facts=tuple(_facts(analysis)),
        sections=(
            coefficients_section(analysis),
            labels_section(analysis, names),
            annotators_section(analysis, names),
            pairs_section(analysis, names),
            units_section(analysis),
            method_section(analysis),
        ),
        kind=KIND,
    )


def _facts(analysis: AnnotationAnalysis) -> Iterator[tuple[str, str, Value]]:
    """Name for programs, words for people, value."""
    held, options = analysis.annotations, analysis.options
    notes = [f"{counted(held.rows, 'row')} read, none left out"]
    notes += [f"{counted(held.blank, 'empty line')} between them"] if held.blank else []
    notes += [f"columns not used: {', '.join(held.unused)}"] if held.unused else []
    yield "source", "Annotations", analysis.source
    yield "judgements", "Judgements", held.rows
    yield "annotators", "Annotators", len(held.annotators)
    yield "units", "Units", len(held.units)
    yield "questions", "Questions", len(held.questions)
    yield "metric", "Distances", options.metric.value
    yield "order", "Order of labels", ", ".join(options.order)
    yield "level", "Confidence level", options.level
    yield "replicates", "Draws of the bootstrap", options.replicates
    yield "seed", "Seed", options.seed
    yield "notes", "Notes", "; ".join(notes)
    yield "data_sha256", "Data (SHA-256)", held.sha256
    yield "code_version", "Code", code_version()


# --- The answer --------------------------------------------------------------------------------------------------


def _answer(analysis: AnnotationAnalysis, names: Names) -> Answer:
    told = [each for each in analysis.questions if not np.isnan(each.alpha.value)]
    level = level_text(analysis.options.level)
    if not told:
        title = "Agreement cannot be told"
    elif len(analysis.questions) == 1:
        title = f"Krippendorff's alpha is {_with_limits(told[0].alpha, level)}"
    else:
        low, *_, high = sorted(told, key=lambda each: each.alpha.value) if len(told) > 1 else told * 2
        title = f"Krippendorff's alpha is {_named(low)} to {_named(high)}"
    return Answer(title=title, parts=tuple(_answers(analysis, names)))


def _named(question: QuestionAgreement) -> str:
    return f"{figure(question.alpha.value)} ({question.name})"


def _with_limits(alpha: Agreement, level: str) -> str:
    limits = span(alpha.low, alpha.high)
    return figure(alpha.value) + (f" ({level} limits {limits})" if limits else "")


def _answers(analysis: AnnotationAnalysis, names: Names) -> Iterator[Part]:
    for question, before in in_all(analysis):
        yield Part("How far do they agree?", titled(before, _verdict(question)))
    for question, before in in_all(analysis):
        yield Part("On what?", titled(before, _basis(question)))
    for question, before in in_all(analysis):
        if said := _odd_one(question, names):
            yield Part("Is it one annotator?", titled(before, said))


def _verdict(question: QuestionAgreement) -> str:
    alpha = question.alpha
    if np.isnan(alpha.value):
        return f"{WHY_NOT[alpha.why]}."
    same = f"{percent(question.same.value, 0)} of pairs of judgements are the same"
    if alpha.value < TENTATIVE:
        return (
            f"{same}; alpha is below {TENTATIVE:g}, where by custom no conclusion is drawn from the labels."
        )
    if alpha.value < RELIABLE:
        return f"{same}; alpha is between {TENTATIVE:g} and {RELIABLE:g}, which by custom bears tentative conclusions."
    if alpha.low >= RELIABLE:
        return (
            f"{same}; alpha and its lower limit reach {RELIABLE:g}, on which by custom conclusions can rest."
        )
    return f"{same}; alpha reaches {RELIABLE:g}, on which by custom conclusions can rest, but its lower limit does not."


def _basis(question: QuestionAgreement) -> str:
    units, single = question.alpha.units, len(question.units) - question.alpha.units
    people = counted(len(question.people), "annotator")
    alone = f"; {counted(single, 'unit')} that one alone judged {'tells' if single == 1 else 'tell'} nothing"
    return (
        f"{counted(units, 'unit')} judged by several of {people}, {counted(question.alpha.judgements, 'judgement')}"
        f"{alone if single else ''}."
    )


def _odd_one(question: QuestionAgreement, names: Names) -> str:
    """The annotator without whom alpha rises most; empty where that says nothing."""
    without = question.each.alpha_without
    if len(without) < 3 or np.isnan(without).all() or np.isnan(question.alpha.value):
        return ""
    place = int(np.nanargmax(without))
    gain = without[place] - question.alpha.value
    if gain < 0.005:
        return "leaving any one of them out would raise alpha by less than 0.005."
    name = names(int(question.people[place]))
    return f"without {name} alpha would be {figure(without[place])}, the most that leaving one out adds."
