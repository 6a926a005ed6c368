"""What a study planned before it opened, and its planned looks."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import Source
from analysis.models import StudyLook, StudyPlan

PLAN = (
    Field("version", Type.WHOLE, "The plan's number, from 1; the highest holds."),
    Field("withdrawn", Type.FLAG, "Whether the study went without a plan from here on."),
    Field("axis", Type.TEXT, "The axis that is compared."),
    Field("question", Type.TEXT, "`one_pair`, `best` or `all_pairs`."),
    Field(
        "first", Type.WHOLE, "The row in Table 7 of one model of the pair that is asked about.", optional=True
    ),
    Field("second", Type.WHOLE, "That of the other.", optional=True),
    Field("difference", Type.NUMBER, "What is worth finding, in points of the scale."),
    Field("sd", Type.NUMBER, "The spread of ratings that was assumed."),
    Field("icc", Type.NUMBER, "The share of its square between workers."),
    Field("talks_a_worker", Type.NUMBER, "On average, over all models."),
    Field("dealing", Type.TEXT, "`random` or `complete_block`."),
    Field("spread_source", Type.TEXT, "Where the spread was taken from."),
    Field("alpha", Type.NUMBER, "The error rate over all pairs and looks."),
    Field("power", Type.NUMBER, "The chance that a pair's difference is found."),
    Field("rule", Type.TEXT, "How limits go: `obrien_fleming`, `pocock` or `always_valid`."),
    Field("looks", Type.WHOLE, "How many looks were planned."),
    Field("talks_per_arm", Type.WHOLE, "Complete talks of each model at the last look."),
    Field("on_stop", Type.TEXT, "What follows when a look answers: `advise` or `close`."),
    Field("adopted_by", Type.TEXT, "Who adopted it."),
    Field("adopted_at", Type.TIME, "When."),
)
PAIR = (
    Field("first", Type.WHOLE, "The row in Table 7 of one model."),
    Field("second", Type.WHOLE, "That of the other."),
    Field("estimate", Type.NUMBER, "The first minus the second, in points of the scale.", optional=True),
    Field("error", Type.NUMBER, "Its standard error.", optional=True),
    Field("df", Type.NUMBER, "Its degrees of freedom.", optional=True),
    Field("z", Type.NUMBER, "Its normal score.", optional=True),
    Field("passed", Type.WHOLE, "1 where the first is ahead beyond the limit, -1 the second, else 0."),
    Field("decided", Type.WHOLE, "The same by this look or an earlier one; for the best, by this look."),
)
LOOK = (
    Field("look", Type.TEXT, "The plan's version and the look's number, as `1.2`."),
    Field("version", Type.WHOLE, "The plan's version."),
    Field("number", Type.WHOLE, "The look's number, from 1; looks that were passed by are missing."),
    Field("talks", Type.JSON, "Complete talks of each model, by its row in Table 7."),
    Field("smallest", Type.WHOLE, "The fewest of a model that is asked about."),
    Field("share", Type.NUMBER, "What that is of the plan's number."),
    Field("limit", Type.NUMBER, "The limit for each pair's |Z|."),
    Field("pairs", Type.ROWS, "What was found of each pair.", fields=PAIR),
    Field("best", Type.WHOLE, "The row in Table 7 of the model that is ahead of all others.", optional=True),
    Field("decision", Type.TEXT, "`go_on`, `answered` or `end` (not answered by the last look)."),
    Field("closed_study", Type.FLAG, "Whether the look closed the study."),
    Field("data_sha256", Type.TEXT, "Hash of the ratings that it rests on."),
    Field("code_version", Type.TEXT, "The code that computed it."),
    Field("taken_at", Type.TIME, "When."),
)


def read_plans(source: Source) -> Iterator[Record]:
    plans = StudyPlan.objects.filter(study=source.study).select_related("first", "second")
    for plan in plans.order_by("version"):
        yield _plan(source, plan)


def _plan(source: Source, plan: StudyPlan) -> Record:
    same = (
        "version withdrawn axis question difference sd icc talks_a_worker dealing spread_source alpha power rule looks "
        "talks_per_arm on_stop"
    )
    return {
        **{name: getattr(plan, name) for name in same.split()},
        "first": plan.first and plan.first.position,
        "second": plan.second and plan.second.position,
        "adopted_by": source.names.actor(plan.adopted_by),
        "adopted_at": moment(plan.adopted_at),
    }


def read_looks(source: Source) -> Iterator[Record]:
    """Of people's ratings, whatever the population of the export."""
    looks = StudyLook.objects.filter(plan__study=source.study).select_related("plan", "best")
    for look in looks.order_by("plan__version", "number"):
        same = "number talks smallest share limit pairs decision closed_study data_sha256 code_version"
        yield {
            "look": f"{look.plan.version}.{look.number}",
            "version": look.plan.version,
            **{name: getattr(look, name) for name in same.split()},
            "best": look.best and look.best.position,
            "taken_at": moment(look.taken_at),
        }


PLANS = Kind(
    name="plans",
    about="What the study planned before it opened, in every version.",
    fields=PLAN,
    read=read_plans,
    key="version",
)
LOOKS = Kind(
    name="looks",
    about="The planned looks, each as it was computed once.",
    fields=LOOK,
    read=read_looks,
    key="look",
    table="pairs",
)
