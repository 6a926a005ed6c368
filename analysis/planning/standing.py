"""How a study's plan stands: which one holds, and which look is due. Loads no statistics."""

from __future__ import annotations

from django.db.models import Count, Q

from analysis.models import StudyLook, StudyPlan
from chat.models import Arm, Conversation, Study

#: Who closes a study when a look answers its question.
PLAN_ACTOR = "the study's plan"


def plan_of(study: Study) -> StudyPlan | None:
    """The plan that the study adopted last; None where there is none, or it was withdrawn. One query."""
    newest = (
        StudyPlan.objects.filter(study=study).select_related("first", "second").order_by("-version").first()
    )
    return None if newest is None or newest.withdrawn else newest


def looks_of(plan: StudyPlan) -> list[StudyLook]:
    """The looks that were taken, in order; one query."""
    return list(plan.taken.select_related("plan", "best").order_by("number"))


def talks_by_arm(study: Study) -> dict[int, int]:
    """People's complete talks of each arm by its position, without those of excluded workers; one query."""
    counted = Count(
        "conversations",
        filter=Q(
            conversations__state=Conversation.State.COMPLETE,
            conversations__simulated=False,
            conversations__participation__excluded_at=None,
        ),
    )
    arms = Arm.objects.filter(study=study).annotate(complete=counted).order_by("position")
    return dict(arms.values_list("position", "complete"))


def positions_asked(plan: StudyPlan, positions: list[int]) -> list[int]:
    """The arms that the question is about."""
    if plan.first is None or plan.second is None:
        return positions
    return [plan.first.position, plan.second.position]


def smallest(plan: StudyPlan, talks: dict[int, int]) -> int:
    """Talks of the arm that has the fewest of those that the question is about."""
    return min(talks[each] for each in positions_asked(plan, list(talks)))


def look_due(plan: StudyPlan, taken: list[StudyLook], talks: dict[int, int]) -> int:
    """The number of the look that is due; 0 for none. Looks that were passed by are left out.

    After a look that answers the question, or the last one, no more are due.
    """
    if taken and taken[-1].is_last:
        return 0
    reached = plan.looks_reached(smallest(plan, talks))
    return reached if reached > (taken[-1].number if taken else 0) else 0
