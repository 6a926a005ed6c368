"""The form of a plan: what was sent, the scenario that it makes, and what is wrong with it, a sentence a field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef

from analysis.errors import AnalysisError, PlanRefused
from analysis.models import StudyPlan
from analysis.planning import spread, wording
from analysis.planning.scenario import LEAST_MODELS, Plan, Scenario, plan, refusals
from analysis.planning.spread import Spread
from analysis.statistics.terms import Dealing, Question, Rule
from analysis.writeup.wording import counted
from chat.models import Conversation, Study
from ratings.axes import Axis

PAPER, BY_HAND, OF_STUDY = "paper", "hand", "study:"
NUMBERS = (
    *("difference", "sd", "icc", "talks_a_worker", "models", "alpha", "power", "looks", "pay", "talks_a_day"),
)
#: What the form shows before anything is sent. An empty field is taken from the spread's source, or not known.
DEFAULTS = {
    "difference": "0.3",
    "models": "2",
    "alpha": "0.05",
    "power": "0.8",
    "question": Question.BEST.value,
    "spread": PAPER,
    "axis": Axis.OVERALL.value,
    "sd": "",
    "icc": "",
    "talks_a_worker": "",
    "dealing": Dealing.RANDOM.value,
    "rule": Rule.OBRIEN_FLEMING.value,
    "looks": "1",
    "pay": "",
    "talks_a_day": "",
}
#: Choices whose values are fixed.
OFFERED = {
    "question": [each.value for each in Question],
    "dealing": [each.value for each in Dealing],
    "rule": [each.value for each in Rule],
    "axis": list(Axis.values),
}
WHOLE = ("models", "looks")
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A field as it is shown: a number, or a choice where there are ``options`` (value, words, chosen).

    ``otherwise`` is what counts where nothing is given.
    """

    name: str
    label: str
    hint: str
    value: str
    reason: str
    otherwise: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What was sent with what it makes; ``plan`` is None where ``reasons`` say why, a sentence a field."""

    sent: Mapping[str, str]
    plan: Plan | None
    source: Spread
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def axis(self) -> str:
        return self.sent["axis"]


def filled(query: Mapping[str, str], study: Study | None = None, adopted: StudyPlan | None = None) -> Filled:
    """The form with what a query names, else with a study's plan.

    The number of models is the study's where there is one.
    """
    stands = DEFAULTS | (_of_plan(adopted) if adopted else {})
    sent = {name: text(query, name, stands[name])[:LONGEST] for name in DEFAULTS}
    reasons = _unknown_words(sent)
    if study:
        sent["models"] = str(study.arms.count())
        if int(sent["models"]) < LEAST_MODELS:
            reasons["question"] = (
                f"The study has {counted(int(sent['models']), 'model')}; a plan compares at least 2."
            )
    numbers = {name: _number(name, sent[name], reasons) for name in NUMBERS}
    found = _spread(sent, numbers, reasons)
    scenario = _scenario(sent, numbers, found)
    reasons = refusals(scenario) | reasons
    if reasons:
        return Filled(sent, None, found, reasons)
    try:
        return Filled(sent, plan(scenario), found)
    except PlanRefused as refused:
        return Filled(sent, None, found, refused.reasons)


def text(query: Mapping[str, str], name: str, default: str = "") -> str:
    """What was sent, without NUL, which a database cannot hold."""
    return query.get(name, default).replace("\0", "").strip()


def _of_plan(adopted: StudyPlan) -> dict[str, str]:
    """The fields as an adopted plan fills them."""
    numbers = ("difference", "alpha", "power", "sd", "icc", "talks_a_worker", "looks")
    words = ("question", "axis", "dealing", "rule")
    return {
        "spread": BY_HAND,
        **{name: f"{getattr(adopted, name):.6g}" for name in numbers},
        **{name: getattr(adopted, name) for name in words},
    }


def _unknown_words(sent: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"“{sent[name]}” is not on offer; choose one of the list."
        for name, values in OFFERED.items()
        if sent[name] not in values
    }


def _number(name: str, text: str, reasons: dict[str, str]) -> float | None:
    """None for nothing; what is no number gets its sentence, and counts as what stands there by default."""
    otherwise = float(DEFAULTS[name]) if DEFAULTS[name] else None
    if not text:
        if otherwise is not None:
            reasons[name] = f"Please give a number, such as {DEFAULTS[name]}."
        return otherwise
    try:
        number = float(text)
    except ValueError:
        reasons[name] = f"“{text}” is no number."
        return otherwise
    if name in WHOLE and not (math.isfinite(number) and number == int(number)):
        reasons[name] = f"“{text}” is no whole number."
        return otherwise
    return number


def _spread(sent: Mapping[str, str], numbers: Mapping[str, float | None], reasons: dict[str, str]) -> Spread:
    """From where was chosen; numbers that are given by hand win."""
    chosen, found = sent["spread"], spread.PAPER
    if chosen == BY_HAND:
        for name in ("sd", "icc"):
            if numbers[name] is None:
                reasons.setdefault(name, "Give it by hand, or take the spread from somewhere else.")
    elif chosen.startswith(OF_STUDY):
        found = _of_study(chosen, sent["axis"], reasons)
    elif chosen != PAPER:
        reasons["spread"] = f"“{chosen}” is not on offer; choose one of the list."
    return spread.by_hand(found, numbers["sd"], numbers["icc"])


def _of_study(chosen: str, axis: str, reasons: dict[str, str]) -> Spread:
    pilot = Study.objects.filter(slug=chosen.removeprefix(OF_STUDY)).first()
    if pilot is None:
        reasons["spread"] = f"There is no study “{chosen.removeprefix(OF_STUDY)}”; choose one of the list."
        return spread.PAPER
    try:
        return spread.of_study(pilot, axis)
    except AnalysisError as error:
        reasons["spread"] = str(error)
        return spread.PAPER


def _scenario(sent: Mapping[str, str], numbers: Mapping[str, float | None], found: Spread) -> Scenario:
    """Words that are not on offer count as what stands there by default."""
    given = {name: number for name, number in numbers.items() if number is not None}
    word = {name: sent[name] if sent[name] in values else DEFAULTS[name] for name, values in OFFERED.items()}
    return Scenario(
        difference=given["difference"],
        sd=found.sd,
        icc=found.icc,
        talks_a_worker=given.get("talks_a_worker", found.talks_a_worker),
        models=int(given["models"]),
        alpha=given["alpha"],
        power=given["power"],
        question=Question(word["question"]),
        dealing=Dealing(word["dealing"]),
        rule=Rule(word["rule"]),
        looks=int(given["looks"]),
        pay=given.get("pay", 0.0),
        talks_a_day=given.get("talks_a_day", 0.0),
    )


# --- As it is shown ----------------------------------------------------------------------------------------------


def groups(form: Filled, study: Study | None = None) -> list[tuple[str, list[Asked]]]:
    """The fields by what they are about."""

    def number(name: str, label: str, hint: str = "", otherwise: float | None = None) -> Asked:
        counts = "" if otherwise is None else f"{otherwise:.3g}"
        return Asked(name, label, hint, form.sent[name], form.reasons.get(name, ""), counts)

    def choice(name: str, label: str, options: list[tuple[str, str]]) -> Asked:
        marked = tuple((value, words, value == form.sent[name]) for value, words in options)
        return Asked(name, label, "", form.sent[name], form.reasons.get(name, ""), options=marked)

    models = [] if study else [number("models", "Models", "that are compared")]
    return [
        (
            "What is to be found",
            [
                choice("question", "Question", [(each.value, wording.QUESTIONS[each]) for each in Question]),
                number("difference", "Difference", "worth finding, in points of the scale"),
                *models,
                number("alpha", "Error rate", "over all that is compared"),
                number("power", "Power", "the chance to find it"),
            ],
        ),
        (
            "How ratings spread",
            [
                choice("spread", "Taken from", _sources()),
                choice("axis", "Axis", [(axis.value, axis.label) for axis in Axis]),
                number("sd", "Spread", "standard deviation; by hand", form.source.sd),
                number("icc", "Between workers", "share of its square, 0 to 1; by hand", form.source.icc),
                number("talks_a_worker", "Talks a worker", "on average; by hand", form.source.talks_a_worker),
                choice(
                    "dealing", "Models are dealt", [(each.value, wording.DEALINGS[each]) for each in Dealing]
                ),
            ],
        ),
        (
            "Looks and means",
            [
                number("looks", "Looks", "with the one at the end"),
                choice("rule", "Limits", [(each.value, wording.RULES[each]) for each in Rule]),
                number("pay", "Pay for a talk", "in any unit, where known"),
                number("talks_a_day", "Talks a day", "of all workers, where known"),
            ],
        ),
    ]


def _sources() -> list[tuple[str, str]]:
    """The paper, by hand, and each study in which somebody finished a talk; one query."""
    talked = Conversation.objects.filter(arm__study=OuterRef("pk"), state=Conversation.State.COMPLETE)
    pilots = Study.objects.filter(Exists(talked)).order_by("slug")
    return [
        (PAPER, "the paper"),
        (BY_HAND, "what is given by hand"),
        *((f"{OF_STUDY}{pilot.slug}", f"the study {pilot.slug}") for pilot in pilots),
    ]


def command(form: Filled, study: Study | None = None) -> str:
    """The same by command."""
    sent = form.sent
    words = ["manage.py plan", *([f"--study {study.slug}"] if study else [])]
    if sent["spread"].startswith(OF_STUDY):
        words.append(f"--pilot-study {sent['spread'].removeprefix(OF_STUDY)}")
    for name, default in DEFAULTS.items():
        if name != "spread" and sent[name] != default and not (study and name == "models"):
            words.append(f"--{name.replace('_', '-')} {sent[name]}")
    return " ".join(words)
