"""A study's policy: what each rule asks and what follows. Declared before the study opens, and versioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max

from chat.models import Conversation, Study
from ratings.errors import PolicyRefused
from ratings.models import Decision, Policy
from ratings.quality.catalogue import BY_NAME, RULES, Act, Rule

#: Who declared a policy that nobody chose.
DEFAULT_ACTOR = "default policy"


@dataclass(frozen=True, slots=True)
class Setting:
    """A rule as a policy sets it."""

    rule: Rule
    act: Act
    threshold: float


def settings_of(policy: Policy) -> dict[str, Setting]:
    """The policy's rules that are asked, by name; rules that came after it was declared are asked as by default, but
    exclude nobody: nobody declared them.
    """
    found = {rule.name: _setting(rule, policy.rules.get(rule.name)) for rule in RULES}
    return {name: setting for name, setting in found.items() if setting.act is not Act.OFF}


def _setting(rule: Rule, declared: Mapping[str, Any] | None) -> Setting:
    if declared is None:
        return Setting(rule, Act.REVIEW, rule.threshold)
    return Setting(rule, Act(declared["act"]), float(declared["threshold"]))


def defaults() -> dict[str, dict[str, str | float]]:
    """The rules of Smith et al. (2020), section 4.1, exclude; all others ask for a look."""
    return {rule.name: {"act": rule.act.value, "threshold": rule.threshold} for rule in RULES}


def in_force(study: Study) -> Policy:
    """The newest policy. Where none was declared yet, the default one is declared now."""
    newest = study.policies.order_by("-version").first()
    return newest or declare(study, {}, actor=DEFAULT_ACTOR)


def held(study: Study) -> Policy:
    """The policy in force; where none is declared yet, what would be, not stored and of version 0."""
    newest = study.policies.order_by("-version").first()
    return newest or Policy(study=study, version=0, rules=defaults(), after_talks=0)


def declare(study: Study, changes: Mapping[str, Mapping[str, Any]], *, actor: str, note: str = "") -> Policy:
    """Declare a new version: the present rules, or the default ones, with ``changes`` to some of them.

    A change is ``{"act": ..., "threshold": ...}``, either part may be missing. Talks that were held already are judged
    by it too; the policy remembers how many there were. Raises PolicyRefused.
    """
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        newest = study.policies.order_by("-version").first()
        rules = _changed(newest.rules if newest else defaults(), changes)
        policy = Policy.objects.create(
            study=study,
            version=(study.policies.aggregate(last=Max("version"))["last"] or 0) + 1,
            rules=rules,
            after_talks=Conversation.objects.filter(arm__study=study, simulated=False).count(),
            declared_by=actor[:150],
        )
        Decision.objects.create(
            study=study,
            act=Decision.Act.DECLARE,
            reason=Decision.Reason.POLICY,
            note=note[:500],
            actor=actor[:150],
            policy=policy,
            details={"before": newest.rules if newest else None, "after": rules},
        )
    return policy


def _changed(rules: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    changed = {name: dict(rules.get(name, default)) for name, default in defaults().items()}
    for name, change in changes.items():
        if name not in BY_NAME:
            raise PolicyRefused(f"There is no rule {name!r}; there are: {', '.join(BY_NAME)}.")
        changed[name] |= checked_change(BY_NAME[name], change)
    return changed


def checked_change(rule: Rule, change: Mapping[str, Any]) -> dict[str, str | float]:
    """The change, or PolicyRefused with what is wrong with it."""
    checked: dict[str, str | float] = {}
    if unknown := set(change) - {"act", "threshold"}:
        raise PolicyRefused(
            f"{rule.name}: {', '.join(sorted(unknown))} cannot be set; act and threshold can."
        )
    if "act" in change:
        if change["act"] not in list(Act):
            raise PolicyRefused(f"{rule.name}: {change['act']!r} is none of exclude, review, off.")
        if change["act"] == Act.EXCLUDE and rule.review_only:
            raise PolicyRefused(
                f"{rule.name} flags honest workers too often to exclude anybody; review or off."
            )
        checked["act"] = str(change["act"])
    if "threshold" in change:
        checked["threshold"] = _threshold(rule, change["threshold"])
    return checked


def _threshold(rule: Rule, given: Any) -> float:
    try:
        threshold = float(given)
    except (TypeError, ValueError):
        raise PolicyRefused(f"{rule.name}: {given!r} is no number.") from None
    if not rule.low <= threshold <= rule.high:
        raise PolicyRefused(
            f"{rule.name}: {threshold:g} {rule.unit}; choose from {rule.low:g} to {rule.high:g}."
        )
    return threshold
