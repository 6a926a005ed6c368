"""The plan that a study adopted, the looks so far, and limits for whoever looks in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.inference import Analysis
from analysis.models import StudyLook, StudyPlan
from analysis.planning import wording
from analysis.planning.live import Always, Planned, always_valid, differing
from analysis.statistics.stopping import of_differences
from analysis.statistics.terms import Dealing, Question, Rule
from analysis.writeup.document import Grid, Section, Shown, Table, Value
from analysis.writeup.wording import (
    NOTHING,
    count,
    counted,
    exact,
    figure,
    known,
    level_text,
    percent,
    signed,
    span,
)

LOOK_COLUMNS = (
    "version look talks share limit first second difference error z passed decided decision closed_study data_sha256"
).split()
LIVE_COLUMNS = "axis first second difference error low high share level differs".split()


def looks_section(analysis: Analysis, planned: Planned) -> Section:
    """Of a study of this site; a plan's looks are of people's ratings, the limits of the report's."""
    always = always_of(analysis, planned)
    names = dict(zip(planned.positions, analysis.models, strict=True))
    return Section(
        name="looks",
        title="The plan and its looks",
        words=tuple(_words(planned, names, always)),
        missing=() if always else (_lacking(planned),),
        grids=tuple(_grids(planned, names, analysis, always)),
        tables=(
            Table("looks", tuple(LOOK_COLUMNS), tuple(_look_rows(planned, names))),
            Table("at_any_time", tuple(LIVE_COLUMNS), tuple(_live_rows(planned, analysis, always))),
        ),
    )


def always_of(analysis: Analysis, planned: Planned) -> Always | None:
    """Limits that hold at any time, on the plan's axis, of the ratings of this report."""
    place = [axis.value for axis in analysis.table.axes].index(planned.axis)
    alpha = planned.alpha or analysis.alpha
    found = of_differences(analysis.of_pairs_clustered, place)
    return always_valid(found, analysis.cells.n[:, place], planned.per_model, alpha, analysis.options.scale)


def _lacking(planned: Planned) -> str:
    if not planned.per_model:
        return "The models have no target, so that no limits for any time can be told."
    return "Every model needs a rated talk before limits for any time can be told."


# --- Words -------------------------------------------------------------------------------------------------------


def _words(planned: Planned, names: Mapping[int, str], always: Always | None) -> Iterator[str]:
    if planned.plan is None:
        yield (
            "This study adopted no plan before it opened: who looks more often than once, and stops when a difference "
            "shows, finds too much. The limits below hold however often one looks."
        )
    else:
        yield " ".join(plan_sentences(planned.plan, len(names), names))
        yield standing_sentence(planned, names)
    if always:
        yield live_sentence(always)


def live_sentence(always: Always) -> str:
    """What limits for any time hold for."""
    return (
        f"At any time: with {count(always.fewest)} of the {counted(always.per_model, 'planned talk')} of each "
        f"model, these limits hold over all pairs and all moments together at {level_text(1 - always.alpha)}. They "
        "decide nothing that was planned: at the end O’Brien-Fleming’s and Pocock’s limits for planned looks are "
        "narrower."
    )


def plan_sentences(plan: StudyPlan, models: int, names: Mapping[int, str]) -> Iterator[str]:
    """What was adopted."""
    question, rule = Question(plan.question), Rule(plan.rule)
    asked = wording.QUESTIONS[question]
    if plan.first and plan.second:
        asked = f"Do {names[plan.first.position]} and {names[plan.second.position]} differ?"
    yield f"Adopted before the study opened, on {plan.adopted_at:%-d %B %Y} (version {plan.version}): {asked}"
    power, alpha = wording.percent_fine(plan.power), wording.percent_fine(plan.alpha)
    yield (
        f"A difference of {exact(plan.difference)} on {plan.axis} is to be found with power {power} at an error rate "
        f"of {alpha}, with {counted(plan.talks_per_arm, 'talk')} of each of {models} models."
    )
    yield (
        f"{counted(plan.looks, 'look')}, limits {wording.SHORT_RULES[rule]}; the question is answered "
        f"{wording.ANSWERED[question]}. Then: {wording.ON_STOP[plan.on_stop]}."
    )
    yield (
        f"Assumed were a spread of {figure(plan.sd)}, {percent(plan.icc, 0)} of its square between workers "
        f"({plan.spread_source}), and {wording.a_worker(plan.talks_a_worker)}, models dealt "
        f"{wording.DEALINGS[Dealing(plan.dealing)]}."
    )


def standing_sentence(planned: Planned, names: Mapping[int, str]) -> str:
    """How far it is."""
    if not planned.looks:
        return f"No look was taken yet; {_next(planned)}"
    last = planned.looks[-1]
    match last.decision:
        case StudyLook.Decision.ANSWERED:
            closed = " The study closed itself." if last.closed_study else ""
            return f"Look {last.number} answered the question: {answer_of(last, names)}{closed}"
        case StudyLook.Decision.END:
            return f"The last look did not answer the question: {answer_of(last, names)}"
    return f"Look {last.number} did not answer the question: {answer_of(last, names)} {_next(planned).capitalize()}"


def _next(planned: Planned) -> str:
    assert planned.next_look
    number, talks = planned.next_look
    return f"look {number} comes with {counted(talks, 'talk')} of each model."


def answer_of(look: StudyLook, names: Mapping[int, str]) -> str:
    """What is decided by a look, and those before it where pairs are asked about."""
    if look.best:
        return f"{names[look.best.position]} is the best."
    if look.plan.question == Question.BEST:
        return "no model is ahead of every other one."
    ahead = [
        " ahead of ".join((names[each["first"]], names[each["second"]])[:: each["decided"]])
        for each in look.pairs
        if each["decided"]
    ]
    if not ahead:
        return "no pair is decided." if len(look.pairs) > 1 else "the pair is not decided."
    return f"{'; '.join(ahead)}; {len(ahead)} of {counted(len(look.pairs), 'pair')} decided."


# --- Tables ------------------------------------------------------------------------------------------------------


def _grids(
    planned: Planned, names: Mapping[int, str], analysis: Analysis, always: Always | None
) -> Iterator[Grid]:
    if planned.plan:
        yield plan_grid(planned.plan, planned)
    if planned.looks:
        yield last_look_grid(planned.looks[-1], names)
    if always:
        yield live_grid(always, analysis.models)


def plan_grid(plan: StudyPlan, planned: Planned) -> Grid:
    """Every planned look, and what was seen at those that were taken."""
    taken = {look.number: look for look in planned.looks}
    return Grid(
        "Looks",
        (
            "Look",
            "Talks of each model",
            "Taken",
            "Fewest talks then",
            "Limit for |Z|",
            "Largest |Z|",
            "Decision",
        ),
        tuple(
            _plan_row(number, plan.due_at(number), taken.get(number)) for number in range(1, plan.looks + 1)
        ),
    )


def _plan_row(number: int, talks: int, look: StudyLook | None) -> tuple[Shown, ...]:
    first = (Shown(str(number)), Shown(count(talks)))
    if look is None:
        return (*first, *(Shown(NOTHING) for _ in range(5)))
    return (
        *first,
        Shown(f"{look.taken_at:%-d %b %Y, %H:%M} UTC"),
        Shown(count(look.smallest)),
        Shown(figure(look.limit, 3)),
        Shown(figure(largest_z(look), 3)),
        Shown(look.get_decision_display(), strong=look.decision == StudyLook.Decision.ANSWERED),
    )


def largest_z(look: StudyLook) -> float | None:
    known_z = [abs(each["z"]) for each in look.pairs if each["z"] is not None]
    return max(known_z, default=None)


def last_look_grid(look: StudyLook, names: Mapping[int, str]) -> Grid:
    return Grid(
        f"Look {look.number}: each pair against the limit of {figure(look.limit, 3)}",
        ("Pair", "Difference", "Error", "Z", "Beyond the limit"),
        tuple(_pair_row(each, names) for each in look.pairs),
    )


def _pair_row(each: Mapping[str, Any], names: Mapping[int, str]) -> tuple[Shown, ...]:
    ahead = {1: names[each["first"]], -1: names[each["second"]], 0: "no"}[each["decided"]]
    return (
        Shown(f"{names[each['first']]} − {names[each['second']]}"),
        Shown(signed(each["estimate"])),
        Shown(figure(each["error"], 3)),
        Shown(signed(each["z"])),
        Shown(f"{ahead} ahead" if each["decided"] else ahead, strong=bool(each["decided"])),
    )


def live_grid(always: Always, models: tuple[str, ...]) -> Grid:
    found, limits, apart = always.found, always.limits, set(differing(always))
    return Grid(
        "Limits that hold at any time",
        ("Pair", "Difference", "Limits"),
        tuple(
            (
                Shown(f"{models[first]} − {models[second]}"),
                Shown(signed(found.estimate[place]), strong=place in apart),
                Shown(
                    span(limits.low[place], limits.high[place]) or NOTHING,
                    aside="" if place in apart else "not apart",
                ),
            )
            for place, (first, second) in enumerate(zip(found.first, found.second, strict=True))
        ),
    )


def _look_rows(planned: Planned, names: Mapping[int, str]) -> Iterator[tuple[Value, ...]]:
    for look in planned.looks:
        for each in look.pairs:
            assert planned.plan
            yield (
                *(planned.plan.version, look.number, look.smallest, look.share, look.limit),
                *(names[each["first"]], names[each["second"]], each["estimate"], each["error"], each["z"]),
                *(bool(each["passed"]), each["decided"], look.decision, look.closed_study, look.data_sha256),
            )


def _live_rows(planned: Planned, analysis: Analysis, always: Always | None) -> Iterator[tuple[Value, ...]]:
    if always is None:
        return
    found, limits, apart = always.found, always.limits, set(differing(always))
    for place, (first, second) in enumerate(zip(found.first, found.second, strict=True)):
        yield (
            *(planned.axis, analysis.models[first], analysis.models[second]),
            *(known(values[place]) for values in (found.estimate, found.error, limits.low, limits.high)),
            *(always.share, 1 - always.alpha, place in apart),
        )
