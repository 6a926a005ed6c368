"""What a study is planned for, and what that costs. Pure: no database, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis.errors import PlanRefused
from analysis.statistics.planning import ALPHA, FEWEST, POWER, Design, detectable, pairs_of
from analysis.statistics.stopping import Sized, error_of_a_pair, power_with, sized
from analysis.statistics.terms import Dealing, Question, Rule
from analysis.writeup.wording import counted

LEAST_MODELS, MOST_MODELS, MOST_LOOKS = 2, 100, 20
#: Beyond these, figures say nothing any more.
LEAST_DIFFERENCE, MOST_POINTS, MOST_A_WORKER, MOST_PAY = 1e-6, 1e6, 1e6, 1e9
LEAST_A_DAY, MOST_A_DAY = 0.01, 1e9
LEAST_ALPHA, MOST_ALPHA = 0.0001, 0.5
#: A study of more talks of a model is not planned but wished for.
MOST_TALKS = 1_000_000
#: The curve's points, as shares of the number that is needed.
CURVE = tuple(step / 20 for step in range(2, 41))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A study as it is imagined.

    ``difference`` and ``sd`` are in points of the scale, ``icc`` is the share of the variance between workers,
    ``talks_a_worker`` over all models; ``pay`` is for a talk, ``talks_a_day`` of all workers together, both 0 where
    they are not known. ``looks`` counts the last one, at the end.
    """

    difference: float
    sd: float
    icc: float
    talks_a_worker: float = 1.0
    models: int = 2
    alpha: float = ALPHA
    power: float = POWER
    question: Question = Question.BEST
    dealing: Dealing = Dealing.RANDOM
    rule: Rule = Rule.OBRIEN_FLEMING
    looks: int = 1
    pay: float = 0.0
    talks_a_day: float = 0.0

    @property
    def design(self) -> Design:
        """Of a pair's comparison, which rests on the ratings of its two models alone."""
        talks = max(self.talks_a_worker * 2 / self.models, 2 if self.dealing is Dealing.COMPLETE_BLOCK else 1)
        return Design(sd=self.sd, icc=self.icc, talks=talks, dealing=self.dealing)

    @property
    def alpha_of_a_pair(self) -> float:
        return error_of_a_pair(self.question, self.models, self.alpha)


def refusals(scenario: Scenario) -> dict[str, str]:
    """What is impossible, a sentence a field; empty for what can be planned."""
    return dict(_refusals(scenario))


def _refusals(each: Scenario) -> Iterator[tuple[str, str]]:
    if not LEAST_DIFFERENCE <= each.difference <= MOST_POINTS:
        yield (
            "difference",
            f"{each.difference:g} is no difference to look for; give one above 0, such as 0.3.",
        )
    if not 0 < each.sd <= MOST_POINTS:
        yield "sd", f"The spread is {each.sd:g}; give one above 0, such as 1.3 on a scale from 1 to 5."
    if not 0 <= each.icc < 1:
        yield "icc", f"The share between workers is {each.icc:g}; give one from 0 to below 1."
    if not LEAST_MODELS <= each.models <= MOST_MODELS:
        yield "models", f"{each.models:g} cannot be compared; give {LEAST_MODELS} to {MOST_MODELS} models."
    yield from _refused_workers(each)
    yield from _refused_rates(each)
    if not 1 <= each.looks <= MOST_LOOKS:
        yield "looks", f"{each.looks:g} looks cannot be planned; give 1 (at the end alone) to {MOST_LOOKS}."
    if not 0 <= each.pay <= MOST_PAY:
        yield "pay", f"The pay for a talk is {each.pay:g}; give 0 or more."
    if each.talks_a_day and not LEAST_A_DAY <= each.talks_a_day <= MOST_A_DAY:
        yield (
            "talks_a_day",
            f"{each.talks_a_day:g} talks a day is no pace; give more, or 0 where it is not known.",
        )


def _refused_workers(each: Scenario) -> Iterator[tuple[str, str]]:
    if not 1 <= each.talks_a_worker <= MOST_A_WORKER:
        yield "talks_a_worker", f"A worker holds {each.talks_a_worker:g} talks; give 1 or more."
    elif each.dealing is Dealing.COMPLETE_BLOCK and each.talks_a_worker < each.models:
        yield (
            "talks_a_worker",
            f"In a complete block each worker talks to all {each.models} models; give {each.models} talks or more, or "
            "deal them at random.",
        )


def _refused_rates(each: Scenario) -> Iterator[tuple[str, str]]:
    if not LEAST_ALPHA <= each.alpha <= MOST_ALPHA:
        yield (
            "alpha",
            f"The error rate is {each.alpha:g}; give one from {LEAST_ALPHA:g} to {MOST_ALPHA:g}, such as 0.05.",
        )
    elif not each.alpha < each.power < 1:
        yield (
            "power",
            f"The power is {each.power:g}; give one above the error rate ({each.alpha:g}) and below 1, such as 0.8.",
        )


@dataclass(frozen=True, slots=True)
class LookAhead:
    """A planned look: talks of each model, the limit for |Z|, and the chance to have passed it by then."""

    number: int
    talks: int
    share: float
    limit: float
    found: float
    false_alarm: float


@dataclass(frozen=True, slots=True)
class Point:
    """With ``talks`` of each model: the power for the difference, and the difference that one look finds."""

    talks: int
    power: float
    detectable: float


@dataclass(frozen=True, slots=True)
class Plan:
    """``talks`` of each model at the last look; ``alone`` is what one look at the end would need.

    ``expected`` are mean talks of each model when a pair is decided or all looks are over, where the difference is
    there, and ``expected_without`` where there is none. ``cost`` and ``days`` are None where they are not known.
    ``questions`` has each question with a pair's error rate and the talks of each model that it takes.
    """

    scenario: Scenario
    talks: int
    alone: int
    total: int
    workers: int
    cost: float | None
    days: float | None
    expected: float
    expected_without: float
    looks: tuple[LookAhead, ...]
    curve: tuple[Point, ...]
    questions: tuple[tuple[Question, float, int], ...]


def plan(scenario: Scenario) -> Plan:
    """Everything about a scenario. Raises PlanRefused with a sentence for each field at fault."""
    if reasons := refusals(scenario):
        raise PlanRefused(reasons)
    found = _sized(scenario)
    if found.n > MOST_TALKS:
        raise PlanRefused(
            {"difference": f"That takes {found.n:,} talks of each model; look for a larger difference."}
        )
    if found.n < FEWEST:
        few = f"{counted(found.n, 'talk')} of each model {'is' if found.n == 1 else 'are'}"
        raise PlanRefused(
            {"difference": f"{few} too few to plan with, {FEWEST} the least; look for a smaller difference."}
        )
    if found.n < scenario.looks:
        few = f"{found.n} talks of each model are enough: {scenario.looks} looks come too close"
        raise PlanRefused({"looks": f"{few}; plan {found.n} at most."})
    total = found.n * scenario.models
    return Plan(
        scenario=scenario,
        talks=found.n,
        alone=_sized(replace(scenario, looks=1, rule=Rule.OBRIEN_FLEMING)).n,
        total=total,
        workers=math.ceil(total / scenario.talks_a_worker - 1e-9),
        cost=total * scenario.pay or None,
        days=total / scenario.talks_a_day if scenario.talks_a_day else None,
        expected=found.found.information * found.n,
        expected_without=found.without.information * found.n,
        looks=tuple(_looks(scenario, found)),
        curve=tuple(_curve(scenario, found)),
        questions=tuple(_questions(scenario)),
    )


def _sized(scenario: Scenario) -> Sized:
    return sized(
        scenario.design,
        scenario.difference,
        scenario.rule,
        scenario.looks,
        alpha=scenario.alpha_of_a_pair,
        power=scenario.power,
    )


def _looks(scenario: Scenario, found: Sized) -> Iterator[LookAhead]:
    by_then, by_mistake = found.found.stop.cumsum(), found.without.stop.cumsum()
    for place, share in enumerate(found.shares):
        yield LookAhead(
            number=place + 1,
            talks=-(-(place + 1) * found.n // scenario.looks),
            share=float(share),
            limit=float(found.limits[place]),
            found=float(by_then[place]),
            false_alarm=float(by_mistake[place]),
        )


def _curve(scenario: Scenario, found: Sized) -> Iterator[Point]:
    """Each number of talks once; the number that is needed is among them."""
    numbers = {max(scenario.looks, 2, round(share * found.n)) for share in CURVE} | {found.n}
    for talks in sorted(numbers):
        yield Point(
            talks=talks,
            power=power_with(scenario.design, scenario.difference, talks, found),
            detectable=detectable(
                scenario.design, talks, power=scenario.power, alpha=scenario.alpha_of_a_pair
            ),
        )


def _questions(scenario: Scenario) -> Iterator[tuple[Question, float, int]]:
    for question in Question:
        asked = replace(scenario, question=question)
        yield question, asked.alpha_of_a_pair, _sized(asked).n


def pairs_asked(scenario: Scenario) -> int:
    """How many pairs the question is about."""
    return 1 if scenario.question is Question.ONE_PAIR else pairs_of(scenario.models)
