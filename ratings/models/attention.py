"""Signals of attention: answers to items that ask for a number, and how gold talks should be rated."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from chat.models import Arm, Conversation
from ratings.axes import Axis
from ratings.models.rating import HIGHEST, LOWEST


class AttentionAnswer(models.Model):
    """What an attention item asked for and what was chosen, given once with the ratings. It is no rating."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.PROTECT, related_name="attention_answer"
    )
    asked = models.PositiveSmallIntegerField()
    given = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(asked__gte=LOWEST, asked__lte=HIGHEST, given__gte=LOWEST, given__lte=HIGHEST),
                name="attention_between_1_and_5",
            )
        ]

    def __str__(self) -> str:
        return f"asked {self.asked}, given {self.given}"


class GoldExpectation(models.Model):
    """How any attentive person would rate talks with an arm on an axis: from ``low`` to ``high``, both included."""

    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="gold_expectations")
    axis = models.CharField(max_length=20, choices=Axis.choices)
    low = models.PositiveSmallIntegerField()
    high = models.PositiveSmallIntegerField()
    stated_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["arm_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["arm", "axis"], name="one_gold_expectation_per_axis"),
            models.CheckConstraint(
                condition=Q(low__gte=LOWEST, high__lte=HIGHEST, low__lte=F("high")),
                name="gold_range_on_scale",
            ),
            models.CheckConstraint(condition=Q(axis__in=Axis.values), name="gold_axis_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.axis} {self.low}-{self.high}"
