"""``manage.py study pay SLUG``: who is to be paid, as CSV; with options, what is decided about one person's pay."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from chat.models import Participation, Study
from chat.study_subcommands import Subcommand
from ratings import payment, payment_list
from ratings.errors import RatingError
from ratings.models import Decision
from ratings.quality.reading import participation_of


def add_arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--approve", metavar="WORKER", help="a pseudonym, or its beginning")
    what.add_argument("--reject", metavar="WORKER", help="ask for a rejection, which somebody else confirms")
    what.add_argument(
        "--confirm", metavar="WORKER", help="confirm the rejection that somebody else asked for"
    )
    what.add_argument("--bonus", metavar="WORKER", help="with --amount")
    parser.add_argument("--amount", default="", help="of the bonus, such as 1.50")
    parser.add_argument("--reason", default="", help=f"one of: {', '.join(Decision.Reason.values)}")
    parser.add_argument(
        "--text", default="", help="what the person will read; a rejection's has 100 characters"
    )


def run(study: Study, options: Mapping[str, Any]) -> str:
    act = next((name for name in ("approve", "reject", "confirm", "bonus") if options[name]), None)
    if act is None:
        return payment_list.as_csv(study)
    person = participation_of(study, options[act])
    if person is None:
        raise CommandError(
            f"{options[act]!r} names none or several workers of {study.slug}; give more of the name."
        )
    try:
        made = _decide(act, person, options)
    except RatingError as refusal:
        raise CommandError(str(refusal)) from refusal
    return f"{person.worker}: {made.get_act_display()}"


def _decide(act: str, person: Participation, options: Mapping[str, Any]) -> Decision:
    actor, told = getpass.getuser(), {"reason": options["reason"], "note": options["text"]}
    match act:
        case "approve":
            return payment.approve(person, actor=actor, **told)
        case "reject":
            return payment.ask_rejection(person, actor=actor, **told)
        case "confirm":
            return payment.confirm_rejection(person, actor=actor)
    return payment.give_bonus(person, amount=options["amount"], actor=actor, **told)


PAY = Subcommand(
    "pay",
    "list who is to be paid, or approve, reject and give bonuses",
    add_arguments,
    run,
)
