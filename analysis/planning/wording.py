"""Plans in words."""

from __future__ import annotations

from analysis.planning.scenario import Plan, Scenario, pairs_asked
from analysis.statistics.terms import Dealing, Question, Rule
from analysis.writeup.wording import count, counted, exact, figure, percent

QUESTIONS = {
    Question.ONE_PAIR: "Do two models differ?",
    Question.BEST: "Which model is the best?",
    Question.ALL_PAIRS: "Which models differ, over all pairs?",
}
RULES = {
    Rule.OBRIEN_FLEMING: "O’Brien-Fleming, strict early",
    Rule.POCOCK: "Pocock, alike throughout",
    Rule.ALWAYS_VALID: "always valid, at any time",
}
SHORT_RULES = {
    Rule.OBRIEN_FLEMING: "O’Brien-Fleming",
    Rule.POCOCK: "Pocock",
    Rule.ALWAYS_VALID: "always valid",
}
DEALINGS = {
    Dealing.RANDOM: "at random",
    Dealing.COMPLETE_BLOCK: "equally often to each worker",
}
ON_STOP = {"advise": "tell people, who decide", "close": "close the study: no further talk begins"}
ANSWERED = {
    Question.ONE_PAIR: "when the pair is beyond the limit",
    Question.BEST: "when at one look a model is ahead of every other one beyond the limit",
    Question.ALL_PAIRS: "when every pair is beyond the limit",
}


def headline(plan: Plan) -> str:
    """What a plan comes to, in one sentence."""
    asked = plan.scenario
    return (
        f"{counted(plan.talks, 'talk')} of each of {asked.models} models, {count(plan.total)} in all, find a "
        f"difference of {exact(asked.difference)} with power {percent_fine(asked.power)}."
    )


def assumed(plan: Plan, source: str) -> str:
    each = plan.scenario
    return (
        f"Assumed: a spread of {figure(each.sd)} points, {percent(each.icc, 0)} of its square between workers "
        f"({source}); {a_worker(each.talks_a_worker)}, models dealt {DEALINGS[each.dealing]}."
    )


def a_worker(talks: float) -> str:
    """``one talk a worker``, ``3.4 talks a worker``."""
    return "one talk a worker" if talks == 1 else f"{talks:,.6g} talks a worker"


def tested(scenario: Scenario) -> str:
    """What is compared, and at which error rates."""
    asked, alpha = QUESTIONS[scenario.question], percent_fine(scenario.alpha)
    pairs = counted(pairs_asked(scenario), "pair")
    match scenario.question:
        case Question.ONE_PAIR:
            return f"{asked} One pair, tested at {alpha}, two-sided."
        case Question.ALL_PAIRS:
            return (
                f"{asked} {pairs}, each tested at {percent_fine(scenario.alpha_of_a_pair)}, two-sided: over all pairs "
                f"and looks the error rate is {alpha} at most. The power is each pair’s."
            )
    return (
        f"{asked} The one that at a look is ahead of every other one, {pairs} tested at {alpha}, two-sided: a model is "
        f"wrongly called the best in {alpha} of studies at most. The power is each pair’s; to be ahead of several at "
        "once is rarer."
    )


def percent_fine(share: float) -> str:
    """``5 %``, ``0.179 %``."""
    return f"{100 * share:.3g} %"


def looked_at(plan: Plan) -> str:
    asked = plan.scenario
    if asked.looks == 1 and asked.rule is not Rule.ALWAYS_VALID:
        return "One look, at the end."
    return (
        f"{counted(asked.looks, 'look')}, limits {SHORT_RULES[asked.rule]}; one look at the end alone would need "
        f"{counted(plan.alone, 'talk')} of each model. A pair is decided, or the study at its end, after "
        f"{count(round(plan.expected))} on average where the difference is there, after "
        f"{count(round(plan.expected_without))} where there is none."
    )


def spent(plan: Plan) -> str:
    """Workers, cost and days, as far as they are known."""
    parts = [counted(plan.workers, "worker")]
    if plan.cost is not None:
        parts.append(f"a cost of {plan.cost:,.2f}")
    if plan.days is not None:
        parts.append(f"{plan.days:,.1f} days")
    return f"It takes {', '.join(parts[:-1]) + ' and ' if len(parts) > 1 else ''}{parts[-1]}."
