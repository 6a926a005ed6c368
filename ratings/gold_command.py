"""``manage.py study gold SLUG MODEL knowledge=1-2 overall=1-3``, and what ``study show`` says of gold talks."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from chat.models import Arm, Study
from chat.study_subcommands import Subcommand
from ratings import gold
from ratings.errors import GoldRefused

_EXPECTATION = re.compile(r"(\w+)=(\d+)(?:-(\d+))?", re.ASCII)


def expectation(text: str) -> tuple[str, gold.Range]:
    """``knowledge=1-2``, or ``knowledge=1`` for one answer alone."""
    if not (found := _EXPECTATION.fullmatch(text)):
        raise ArgumentTypeError(f"{text!r}: write AXIS=LOW-HIGH, such as knowledge=1-2")
    axis, low, high = found.groups()
    return axis, (int(low), int(high or low))


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of the study, slug or slug@REVISION")
    parser.add_argument(
        "expected",
        nargs="*",
        type=expectation,
        metavar="AXIS=LOW-HIGH",
        help="what any attentive person would answer, in place of what was stated before",
    )
    parser.add_argument("--clear", action="store_true", help="expect nothing any more")


def run(study: Study, options: Mapping[str, Any]) -> str:
    expected: dict[str, gold.Range] = dict(options["expected"])
    if len(expected) < len(options["expected"]):
        raise CommandError("An axis is there twice; name each once.")
    if bool(expected) == options["clear"]:
        raise CommandError("Say what is expected, as knowledge=1-2, or --clear; one of the two.")
    try:
        arm = gold.arm_named(study, options["model"])
        before = gold.state_gold(arm, expected)
    except GoldRefused as refusal:
        raise CommandError(str(refusal)) from refusal
    said = f"{arm.revision.model.name}: {words(arm) or 'no gold talks'}"
    return f"{said}; stated after {before} of its talks" if before else said


def words(arm: Arm) -> str:
    """What is expected of the arm's talks, "" for nothing."""
    expected = gold.expected_of(arm)
    return f"gold talks, expected {gold.in_words(expected)}" if expected else ""


def lines(arm: Arm) -> list[str]:
    return [said] if (said := words(arm)) else []


GOLD = Subcommand(
    "gold",
    "state what any attentive person would answer about talks with a model",
    add_arguments,
    run,
)
