"""The versions of a study's policy, each with what it changed. Reads alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chat.models import Study
from ratings.models import Decision, Policy
from ratings.quality import wording
from ratings.quality.catalogue import RULES, Rule
from ratings.quality.policy import defaults


@dataclass(frozen=True, slots=True)
class Version:
    """``changes`` are against the version before; of the first, against the default rules."""

    policy: Policy
    note: str
    changes: tuple[str, ...]


def versions(study: Study) -> list[Version]:
    """Newest first; one query."""
    declared = study.decisions.filter(act=Decision.Act.DECLARE, policy__isnull=False).select_related("policy")
    return [
        Version(
            decision.policy,
            decision.note,
            tuple(
                differences(decision.details.get("before") or defaults(), decision.details.get("after") or {})
            ),
        )
        for decision in declared
        if decision.policy
    ]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A line a rule that is set otherwise: "All capitals: exclude, before review; 30 % of messages, before 20 %"."""
    for rule in RULES:
        if rule.name in after and rule.name in before and before[rule.name] != after[rule.name]:
            yield f"{rule.label}: {'; '.join(_parts(rule, before[rule.name], after[rule.name]))}"


def _parts(rule: Rule, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["act"] != after["act"]:
        yield f"{after['act']}, before {before['act']}"
    if before["threshold"] != after["threshold"]:
        was, now = (wording.threshold(rule, each["threshold"]) for each in (before, after))
        yield f"{now}, before {was}"
