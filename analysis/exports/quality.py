"""The quality of a study's workers as JSON, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from analysis.exclusions import Change, Variant
from analysis.exports.markdown import escape
from analysis.quality_report import QualityReport, RuleLine, WorkerLine
from analysis.version import code_version
from ratings.models import Finding
from ratings.spreadsheet import safe

#: Grows when a reader of the old form could misread the new one.
SCHEMA = "colloquy.quality/1"
COLUMNS = (
    "study",
    "population",
    "worker",
    "excluded",
    "rule",
    "rule_version",
    "threshold",
    "numbers",
    "null_probability",
    "places",
    "policy_version",
    "behaviour",
)


def as_json(report: QualityReport) -> str:
    policy = report.effects.policy
    document = {
        "schema": SCHEMA,
        "study": report.study.slug,
        "population": report.population.value,
        "code_version": code_version(),
        "policy": {
            "version": policy.version,
            "declared_at": policy.declared_at and policy.declared_at.isoformat(),
            "declared_after_talks": policy.after_talks,
        },
        "workers_judged": report.judged,
        "workers_excluded": report.excluded,
        "honest_seeds": report.seeds,
        "rules": [_rule(line) for line in report.rules],
        "planted": [
            {"behaviour": p.behaviour, "workers": p.workers, "found": p.found, "by_rule": p.by_rule}
            for p in report.planted
        ],
        "workers": [_worker(line) for line in report.workers],
        "effects": [_effect(variant) for variant in report.effects.variants],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _rule(line: RuleLine) -> dict[str, object]:
    rule = line.setting.rule
    return {
        "rule": rule.name,
        "version": rule.version,
        "asks": rule.asks,
        "act": line.setting.act.value,
        "threshold": line.setting.threshold,
        "unit": rule.unit,
        "flagged": line.flagged,
        "expected_false_flags": line.expected,
        "false_positive_rate": None if line.honest is None else line.honest.share,
        "honest_workers_simulated": None if line.honest is None else line.honest.workers,
    }


def _worker(line: WorkerLine) -> dict[str, object]:
    return {
        "worker": str(line.participation.worker_id),
        "behaviour": line.behaviour or None,
        "excluded_at": line.participation.excluded_at and line.participation.excluded_at.isoformat(),
        "findings": [_finding(finding) for finding in line.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "rule_version": finding.rule_version,
        "threshold": finding.threshold,
        "numbers": finding.numbers,
        "null_probability": finding.null_probability,
        "places": [
            {"talk": talk, "position": position, "axis": axis or None}
            for talk, position, axis in finding.places
        ],
    }


def _effect(variant: Variant) -> dict[str, object]:
    return {
        "variant": variant.name,
        "label": variant.label,
        "act": variant.act and variant.act.value,
        "workers_left_out": variant.workers,
        "talks_left_out": variant.talks,
        "cells": [_cell(change) for change in variant.changes],
    }


def _cell(change: Change) -> dict[str, object]:
    before, after = change.before, change.after
    return {
        "model": change.model,
        "axis": change.axis,
        "n": [before.n, after.n],
        "mean": [before.mean, after.mean],
        "low": [before.low, after.low],
        "high": [before.high, after.high],
        "bold": [before.bold, after.bold],
    }


def as_csv(report: QualityReport) -> str:
    """A line a finding."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for line in report.workers:
        writer.writerows(_lines(report, line))
    return text.getvalue()


def _lines(report: QualityReport, line: WorkerLine) -> Iterator[list[object]]:
    for finding in line.findings:
        yield [
            safe(report.study.slug),
            report.population.value,
            str(line.participation.worker_id),
            str(line.is_excluded).lower(),
            finding.rule,
            finding.rule_version,
            finding.threshold,
            json.dumps(finding.numbers, ensure_ascii=False),
            "" if finding.null_probability is None else f"{finding.null_probability:.6g}",
            json.dumps(finding.places),
            report.effects.policy.version,
            safe(line.behaviour),
        ]


def as_markdown(report: QualityReport) -> str:
    policy = report.effects.policy
    when = "before any talk" if policy.declared_before else f"after {policy.after_talks} talks were begun"
    lines = [
        f"# Workers of {escape(report.study.title)} ({report.population.value})",
        "",
        f"{report.judged} workers judged, {report.excluded} excluded. Policy {policy.version}, declared {when}.",
        "",
        *_rules_table(report),
        "",
        *_planted_table(report),
        *_effects_table(report),
    ]
    return "\n".join(lines) + "\n"


def _rules_table(report: QualityReport) -> Iterator[str]:
    yield "| rule | policy | threshold | flagged | expected false flags | honest workers flagged |"
    yield "|---|---|--:|--:|--:|--:|"
    for line in report.rules:
        rule = line.setting.rule
        expected = "" if line.expected is None else f"{line.expected:.2g}"
        honest = "" if line.honest is None else f"{line.honest.flagged} of {line.honest.workers}"
        yield (
            f"| {rule.label} | {line.setting.act.value} | {line.setting.threshold:.3g} {rule.unit} | {line.flagged} "
            f"| {expected} | {honest} |"
        )


def _planted_table(report: QualityReport) -> Iterator[str]:
    if not report.planted:
        return
    yield "| simulated behaviour | workers | found | by |"
    yield "|---|--:|--:|---|"
    for planted in report.planted:
        by = ", ".join(f"{rule} {number}" for rule, number in planted.by_rule.items())
        yield f"| {planted.behaviour} | {planted.workers} | {planted.found} | {by} |"
    yield ""


def _effects_table(report: QualityReport) -> Iterator[str]:
    yield "| left out | workers | talks | largest shift of a mean | bold changes |"
    yield "|---|--:|--:|---|---|"
    for variant in report.effects.variants:
        bold = ", ".join(
            f"{'+' if change.after.bold else '−'}{escape(change.model)} ({change.axis})"
            for change in variant.bold_changes
        )
        yield f"| {variant.label} | {variant.workers} | {variant.talks} | {_largest(variant)} | {bold or 'none'} |"


def _largest(variant: Variant) -> str:
    largest = variant.largest
    if largest is None or not largest.shift:
        return "none"
    return f"{largest.shift:+.2f} {escape(largest.model)}, {largest.axis}"
