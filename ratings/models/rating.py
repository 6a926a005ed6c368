"""What people say about a talk: ratings."""

from __future__ import annotations

from django.db import models

from chat.models import Conversation
from ratings.axes import Axis

LOWEST, HIGHEST = 1, 5


class Rating(models.Model):
    """One answer on one axis, given once. There is no path that changes it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="ratings")
    axis = models.CharField(max_length=20, choices=Axis.choices)
    score = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["conversation_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "axis"], name="one_rating_per_axis"),
            models.CheckConstraint(
                condition=models.Q(score__gte=LOWEST, score__lte=HIGHEST), name="score_between_1_and_5"
            ),
            models.CheckConstraint(condition=models.Q(axis__in=Axis.values), name="axis_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.axis} {self.score}"
