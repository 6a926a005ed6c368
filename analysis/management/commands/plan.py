"""``manage.py plan``: how many talks find a difference, with looks and what they cost; a draft study adopts it."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analysis.exports import plan as exports
from analysis.exports.plan import PlanShown, standing_text
from analysis.management.table_command import TableCommand
from analysis.models import StudyPlan
from analysis.planning import adoption, spread
from analysis.planning.live import planned_of
from analysis.planning.page import standing_parts
from analysis.planning.scenario import Scenario, plan
from analysis.planning.spread import Spread
from analysis.report import study_named
from analysis.statistics.means import PAPER_SCALE, Scale
from analysis.statistics.planning import ALPHA, POWER
from analysis.statistics.terms import Dealing, Question, Rule
from chat.models import Study
from ratings.axes import Axis

DIFFERENCE = 0.3


def pair(text: str) -> tuple[int, int]:
    """``1,3``: the places of two models in the study."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ArgumentTypeError(f"{text!r}: write the places of two models, such as 1,3")
    return int(parts[0]), int(parts[1])


class Command(TableCommand):
    help = (
        "How many talks of each model find a difference, by the spread of a pilot, of the paper or given by hand; with "
        "planned looks, what it costs and how long it takes. With --study S --adopt a draft study adopts it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self._add_spread(parser)
        self._add_scenario(parser)
        self._add_adoption(parser)
        self.add_output_arguments(parser, exports.ENDINGS)
        parser.set_defaults(format="text")

    def _add_spread(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--paper", action="store_true", help="the spread of the paper's ratings (default)")
        where.add_argument("--pilot", type=Path, metavar="FILE", help="the spread of a CSV file of ratings")
        where.add_argument("--pilot-study", metavar="S", help="the spread of a study's ratings")
        parser.add_argument(
            "--sd", type=float, help="the spread of a model's ratings, in points of the scale"
        )
        parser.add_argument("--icc", type=float, help="the share of its square between workers, 0 to 1")
        parser.add_argument("--axis", default="", help="of the pilot, and of the plan (overall)")
        parser.add_argument(
            "--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the ends of the file's scale (1 5)"
        )

    def _add_scenario(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--difference", type=float, default=DIFFERENCE, help="worth finding, in points (%(default)s)"
        )
        parser.add_argument("--models", type=int, help="how many are compared (those of --study, else 2)")
        parser.add_argument(
            "--talks-a-worker", type=float, help="over all models, on average (the pilot's or the paper's)"
        )
        parser.add_argument(
            "--dealing", default=Dealing.RANDOM.value, choices=[each.value for each in Dealing]
        )
        parser.add_argument("--alpha", type=float, default=ALPHA, help="error rate (%(default)s)")
        parser.add_argument("--power", type=float, default=POWER, help="chance to find it (%(default)s)")
        parser.add_argument(
            "--question",
            default=Question.BEST.value,
            choices=[each.value for each in Question],
            help="which comparisons share the error rate (%(default)s)",
        )
        parser.add_argument(
            "--rule",
            default=Rule.OBRIEN_FLEMING.value,
            choices=[each.value for each in Rule],
            help="how the looks' limits go (%(default)s)",
        )
        parser.add_argument("--looks", type=int, default=1, help="with the one at the end (%(default)s)")
        parser.add_argument("--pay", type=float, default=0.0, help="for a talk, in any unit")
        parser.add_argument("--talks-a-day", type=float, default=0.0, help="of all workers together")

    def _add_adoption(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", metavar="S", help="plan for this study's models")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--show", action="store_true", help="the study's plan, its looks, and limits for this moment"
        )
        what.add_argument("--adopt", action="store_true", help="the study, a draft, adopts the plan")
        what.add_argument("--withdraw", action="store_true", help="the study, a draft, goes without a plan")
        parser.add_argument(
            "--on-stop",
            default=StudyPlan.OnStop.ADVISE.value,
            choices=StudyPlan.OnStop.values,
            help="when a look answers the question, tell people, or close the study (%(default)s)",
        )
        parser.add_argument("--pair", type=pair, default=(), metavar="I,J", help="which two models, by place")
        parser.add_argument("--note", default="", help="why, kept with the decision")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["study"] and any(options[name] for name in ("show", "adopt", "withdraw")):
            raise CommandError("Say which study: --study S.")
        if options["format"] == "png" and not options["output"]:
            raise CommandError("A PNG cannot be printed; say where it goes: --output FILE.")
        if options["scale"] and not options["pilot"]:
            raise CommandError("--scale is the scale of a file's ratings: it goes with --pilot FILE.")
        with self.errors_as_sentences():
            study = None if options["study"] is None else study_named(options["study"])
            if study and options["withdraw"]:
                adoption.withdraw(study, actor=getpass.getuser(), note=options["note"])
                self.say(f"{study.slug} goes without a plan.")
                return
            if study and options["show"]:
                parts = standing_parts(study, planned_of(study))
                self.deliver(standing_text(parts), options["output"])
                return
            self._plan(study, options)

    def _plan(self, study: Study | None, options: dict[str, Any]) -> None:
        found = _spread(options)
        planned = plan(_scenario(options, found, study))
        shown = PlanShown(planned, found.source)
        adopted = self._adopt(study, shown, options) if study and options["adopt"] else ""
        made, _ = exports.file(shown, exports.ENDINGS[options["format"]])
        self.deliver(made, options["output"])
        if adopted:
            self.stderr.write(adopted)

    def _adopt(self, study: Study, shown: PlanShown, options: dict[str, Any]) -> str:
        """Adopt it; says what came of that."""
        adopted = adoption.adopt(
            study,
            shown.plan,
            axis=options["axis"] or Axis.OVERALL.value,
            on_stop=options["on_stop"],
            spread_source=shown.source,
            actor=getpass.getuser(),
            note=options["note"],
            pair=options["pair"],
        )
        return (
            f"{study.slug} adopted this as version {adopted.version} of its plan; each model's target is now "
            f"{adopted.talks_per_arm} talks."
        )


def _spread(options: dict[str, Any]) -> Spread:
    """What was named, with what was given by hand in its place. Raises AnalysisError, CommandError."""
    axis = options["axis"]
    if options["pilot"]:
        found = spread.of_file(options["pilot"], axis, _scale(options))
    elif options["pilot_study"] is not None:
        found = spread.of_study(study_named(options["pilot_study"]), axis or Axis.OVERALL.value)
    else:
        found = spread.PAPER
    return spread.by_hand(found, options["sd"], options["icc"])


def _scale(options: dict[str, Any]) -> Scale:
    try:
        return Scale(*options["scale"]) if options["scale"] else PAPER_SCALE
    except ValueError as error:
        raise CommandError(f"{error}.") from error


def _scenario(options: dict[str, Any], found: Spread, study: Study | None) -> Scenario:
    talks, models = options["talks_a_worker"], options["models"]
    if models is None:
        models = study.arms.count() if study else 2
    told = {name: options[name] for name in ("difference", "alpha", "power", "looks", "pay", "talks_a_day")}
    return Scenario(
        **told,
        sd=found.sd,
        icc=found.icc,
        talks_a_worker=found.talks_a_worker if talks is None else talks,
        models=models,
        question=Question(options["question"]),
        dealing=Dealing(options["dealing"]),
        rule=Rule(options["rule"]),
    )
