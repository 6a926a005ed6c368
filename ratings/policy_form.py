"""The form of a study's policy: each rule with what is set, what was sent, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ratings.errors import PolicyRefused
from ratings.models import Policy
from ratings.quality import wording
from ratings.quality.catalogue import BY_NAME, RULES, Act, Rule
from ratings.quality.policy import checked_change

#: What a policy may say of a rule, as people read it.
ACTS = {
    Act.EXCLUDE: "Exclude whom it flags",
    Act.REVIEW: "Only look at whom it flags",
    Act.OFF: "Do not ask it",
}


@dataclass(frozen=True, slots=True)
class AskedRule:
    """A rule on the page; ``threshold`` is a text as it was sent or stands, ``reason`` is "" when all is well."""

    rule: Rule
    act: str
    threshold: str
    reason: str

    @property
    def acts(self) -> list[tuple[str, str, bool]]:
        """Value, words and whether it is chosen; what flags honest workers too often excludes nobody."""
        offered = [act for act in ACTS if not (self.rule.review_only and act is Act.EXCLUDE)]
        return [(act.value, ACTS[act], act.value == self.act) for act in offered]

    @property
    def default(self) -> str:
        return f"{wording.threshold(self.rule, self.rule.threshold)}, {ACTS[self.rule.act].lower()}"

    @property
    def range(self) -> str:
        return f"{self.rule.unit}, from {self.rule.low:g} to {self.rule.high:g}"


def asked(
    policy: Policy, sent: Mapping[str, str] | None = None, reasons: Mapping[str, str] | None = None
) -> list[tuple[str, list[AskedRule]]]:
    """The rules by what they are about, with what was sent where something was, else as ``policy`` has them."""
    shown = _stands(policy) | dict(sent or {})
    rules = [
        AskedRule(
            rule,
            shown[f"{rule.name}-act"],
            shown[f"{rule.name}-threshold"],
            (reasons or {}).get(rule.name, ""),
        )
        for rule in sorted(RULES, key=_subject)
    ]
    return [(about, list(group)) for about, group in groupby(rules, key=lambda each: each.rule.about.value)]


def _subject(rule: Rule) -> int:
    """The place of a rule's subject: where the catalogue first speaks of it."""
    return [each.about for each in RULES].index(rule.about)


def _stands(policy: Policy) -> dict[str, str]:
    """The fields as the policy fills them; a rule that came after it is asked as by default and excludes nobody."""
    fields = {}
    for rule in RULES:
        declared = policy.rules.get(rule.name, {"act": Act.REVIEW.value, "threshold": rule.threshold})
        fields[f"{rule.name}-act"] = str(declared["act"])
        fields[f"{rule.name}-threshold"] = f"{declared['threshold']:.6g}"
    return fields


def changes(policy: Policy, sent: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What was sent that differs from the policy, as ``policy.declare`` takes it; what was not sent stays."""
    stands = _stands(policy)
    found: dict[str, dict[str, Any]] = {}
    for field, value in sent.items():
        rule, _, part = field.rpartition("-")
        if field in stands and value.strip() != stands[field]:
            found.setdefault(rule, {})[part] = value.strip()
    return found


def refusals(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each rule that cannot be declared so, with its sentence: all of them at once."""
    for name, change in changes.items():
        try:
            checked_change(BY_NAME[name], change)
        except PolicyRefused as refusal:
            yield name, str(refusal)
