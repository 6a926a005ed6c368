"""Findings in words: numbers with their units, thresholds, and what a probability means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor, log10

from ratings.quality.catalogue import BY_NAME, Rule

#: Below this a probability is told as this bound: models of honest work are not good to more digits.
RAREST = 1e-6
#: Below this a number is told as this bound.
SMALLEST = 1e-4
#: One of what a rule counts.
ONE = {"talks": "talk", "messages": "message", "replies": "reply", "workers": "worker"}
#: How the units of shares begin.
SHARE = "share of "
#: What findings' numbers are called, in the order in which they are told.
LABELS = {
    "talks": "Talks",
    "messages": "Messages",
    "replies": "Replies of the model",
    "watched": "Messages whose typing was counted",
    "ratings": "Ratings",
    "found": "Found",
    "greeted": "Opened with a greeting",
    "like_others": "Like messages of other workers",
    "like_own": "Like their own of other talks",
    "share": "Share",
    "answers": "Answers",
    "probability_of_this_value": "Probability of just these answers",
    "mean_words": "Words a message, on average",
    "highest_probability": "Highest probability",
    "median_s": "Their median",
    "study_median_s": "The study’s median",
    "correlation": "Correlation with the others’ ratings",
    "p_agreement": "Probability of so little agreement",
    "misfit": "Misfit",
    "p_misfit": "Probability of such a misfit",
}


def label_of(rule: str) -> str:
    """The rule's label; its name where the catalogue has it no longer."""
    return BY_NAME[rule].label if rule in BY_NAME else rule


def odds(probability: float) -> str:
    """ "1 of 2,500" or "57 of 100": how many honest workers would be flagged. Two digits, as more would be pretence."""
    if probability < RAREST:
        return "fewer than 1 of 1,000,000"
    if probability >= 0.095:
        return f"{probability * 100:.0f} of 100"
    return f"1 of {two_digits(1 / probability):,}"


def two_digits(number: float) -> int:
    """A number from 1 on, rounded to its two leading digits."""
    step = 10 ** max(floor(log10(number)) - 1, 0)
    return round(number / step) * step


def threshold(rule: Rule, value: float) -> str:
    """With its unit: "50 % of messages", "3 talks", "probability 0.9"."""
    if rule.unit.startswith(SHARE):
        return f"{100 * value:.3g} % of {rule.unit.removeprefix(SHARE)}"
    if rule.unit == "probability":
        return f"probability {value:.3g}"
    return f"{value:.3g} {ONE.get(rule.unit, rule.unit) if value == 1 else rule.unit}"


def numbers(found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each number of a finding with its name, in the order of ``LABELS``; then what has no name there."""
    known = [name for name in LABELS if name in found]
    for name in (*known, *sorted(set(found) - set(LABELS))):
        yield LABELS.get(name, name.replace("_", " ").capitalize()), number(name, found[name])


def number(name: str, value: object) -> str:
    """A number as its name asks: a share in per cent, seconds with their unit, anything else to three digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name == "share":
        return f"{100 * value:.3g} %"
    if name.endswith("_s"):
        return seconds(value)
    if isinstance(value, int):
        return str(value)
    return f"{value:.3g}" if abs(value) >= SMALLEST or not value else f"below {SMALLEST:g}"


def seconds(value: float) -> str:
    """Whole from ten on; below, a tenth tells a hurried message from another."""
    return f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s"
