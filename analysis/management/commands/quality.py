"""``manage.py quality --study S``: judge a study's workers, tell what was found and what excluding them changes."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from analysis.exports import QUALITY_FORMATS
from analysis.management.table_command import TableCommand
from analysis.quality_report import quality_report
from analysis.reading.frames import Population, choose_population
from analysis.report import study_named
from chat.errors import ChatError
from chat.models import Participation, Study
from modelhub.errors import ModelhubError
from ratings.errors import RatingError
from ratings.models import Decision
from ratings.quality import columns, decisions, honest_seeds, judging, policy, reading, safety


def change(text: str) -> tuple[str, dict[str, str]]:
    """``shouting=review``, ``shouting=0.3`` or ``shouting=exclude:0.3``."""
    name, separator, value = text.partition("=")
    if not separator:
        raise ArgumentTypeError(f"{text!r}: write RULE=ACT, RULE=THRESHOLD or RULE=ACT:THRESHOLD")
    parts = value.split(":")
    return name, {("threshold" if part[:1].isdigit() or part[:1] == "." else "act"): part for part in parts}


class Command(TableCommand):
    help = (
        "Judge the workers of a study by its declared policy; with options, exclude them or bring them back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, help="the study's name in addresses, such as table7")
        parser.add_argument("--simulated", action="store_true", help="simulated workers, not people")
        parser.add_argument("--no-judge", action="store_true", help="tell what is known without judging anew")
        parser.add_argument(
            "--classify",
            action="store_true",
            help="let the safety classifier look at messages it has not seen",
        )
        parser.add_argument(
            "--seeds",
            type=int,
            default=honest_seeds.SEEDS,
            help="crowds of honest workers to simulate for false-positive rates (20; 0 for none)",
        )
        parser.add_argument(
            "--declare",
            type=change,
            action="append",
            default=[],
            metavar="RULE=ACT:THRESHOLD",
            help="declare a new version of the policy with this change; may be repeated",
        )
        parser.add_argument("--exclude", metavar="WORKER", help="a pseudonym, or its beginning")
        parser.add_argument("--restore", metavar="WORKER", help="the same")
        parser.add_argument("--apply", action="store_true", help="exclude everybody whom the policy names")
        parser.add_argument("--reason", default="", help=f"one of: {', '.join(Decision.Reason.values)}")
        parser.add_argument("--note", default="", help="a few words, kept with the decision")
        self.add_output_arguments(parser, [each.name for each in QUALITY_FORMATS])

    def handle(self, *args: Any, **options: Any) -> None:
        with self.errors_as_sentences():
            study = study_named(options["study"])
            population = Population.SIMULATED if options["simulated"] else choose_population(study)
            try:
                self.decide(study, population is Population.SIMULATED, options)
            except (RatingError, ChatError, ModelhubError) as error:
                raise CommandError(str(error)) from error
            report = quality_report(
                study, population, seeds=options["seeds"], on_progress=self.progress("honest crowds")
            )
        form = next(each for each in QUALITY_FORMATS if each.name == options["format"])
        self.deliver(form.render(report), options["output"])

    def decide(self, study: Study, simulated: bool, options: dict[str, Any]) -> None:
        """Declare, judge, exclude and restore as was asked, in this order."""
        told = {"actor": getpass.getuser(), "note": options["note"]}
        if options["declare"]:
            policy.declare(study, dict(options["declare"]), **told)
        if options["classify"]:
            people = columns.read(study, simulated=simulated).people
            self.stderr.write(f"The classifier looked at {safety.look_at(people)} messages.")
        if not options["no_judge"]:
            judging.judge_study(study, simulated=simulated, on_progress=self.progress("workers"))
        if options["restore"]:
            decisions.restore(self.worker(study, options["restore"]), reason=options["reason"], **told)
        if options["exclude"]:
            decisions.exclude(self.worker(study, options["exclude"]), reason=options["reason"], **told)
        if options["apply"]:
            made = decisions.carry_out(study, simulated=simulated, **told)
            self.stderr.write(f"Excluded {len(made)} workers whom the policy names.")

    def worker(self, study: Study, pseudonym: str) -> Participation:
        found = reading.participation_of(study, pseudonym)
        if found is None:
            raise CommandError(
                f"{pseudonym!r} names none or several workers of {study.slug}; give more of the name."
            )
        return found

    def progress(self, what: str) -> Callable[[int, int], None]:
        """Tells a terminal how far it is."""

        def tell(done: int, of: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{done} of {of} {what}", ending="\n" if done == of else "")

        return tell
