"""What a study planned before it opened, and what its planned looks found.

Rows are only ever added: the database refuses to change or delete one (migration 0002). A plan is added while its study
is a draft (analysis.planning.adoption).
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from analysis.statistics.terms import Dealing, Question, Rule
from chat.models import Arm, Study
from ratings.axes import Axis


class StudyPlan(models.Model):
    """A plan that a draft study adopted, in a version; the newest holds, and a withdrawn one is none.

    ``talks_per_arm`` complete talks of each model are there at the last look; ``sd`` (points of the scale), ``icc``
    and ``talks_a_worker`` are what was assumed, and ``spread_source`` where from. ``first`` and ``second`` are the pair
    where one pair is asked about.
    """

    class OnStop(models.TextChoices):
        ADVISE = "advise", "people are told, and decide"
        CLOSE = "close", "the study closes itself: no further talk begins"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="plans")
    version = models.PositiveSmallIntegerField()
    withdrawn = models.BooleanField(default=False)
    axis = models.CharField(max_length=20, choices=Axis.choices)
    question = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Question])
    first = models.ForeignKey(Arm, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    second = models.ForeignKey(Arm, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    difference = models.FloatField(help_text="Worth finding, in points of the scale.")
    sd = models.FloatField()
    icc = models.FloatField()
    talks_a_worker = models.FloatField()
    dealing = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Dealing])
    spread_source = models.CharField(max_length=200)
    alpha = models.FloatField()
    power = models.FloatField()
    rule = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Rule])
    looks = models.PositiveSmallIntegerField()
    talks_per_arm = models.PositiveIntegerField()
    on_stop = models.CharField(max_length=10, choices=OnStop.choices)
    adopted_by = models.CharField(max_length=150)
    adopted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study_id", "version"]
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="one_plan_per_version"),
            models.CheckConstraint(condition=Q(axis__in=Axis.values), name="plan_axis_is_known"),
            models.CheckConstraint(
                condition=Q(question__in=[each.value for each in Question])
                & Q(rule__in=[each.value for each in Rule])
                & Q(dealing__in=[each.value for each in Dealing]),
                name="plan_words_are_known",
            ),
            models.CheckConstraint(
                condition=Q(question="one_pair", first__isnull=False, second__isnull=False)
                & ~Q(first=F("second"))
                | ~Q(question="one_pair") & Q(first__isnull=True, second__isnull=True),
                name="plan_names_its_pair",
            ),
            models.CheckConstraint(
                condition=Q(difference__gt=0, sd__gt=0, icc__gte=0, icc__lt=1, talks_a_worker__gte=1),
                name="plan_spread_is_possible",
            ),
            models.CheckConstraint(
                condition=Q(alpha__gt=0, power__gt=F("alpha"), power__lt=1), name="plan_rates_in_order"
            ),
            # Each look comes after more talks than the one before.
            models.CheckConstraint(
                condition=Q(looks__gte=1, talks_per_arm__gte=F("looks")), name="plan_looks_apart"
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.version} of {self.study.slug}"

    @property
    def closes_itself(self) -> bool:
        return self.on_stop == self.OnStop.CLOSE

    def due_at(self, number: int) -> int:
        """How many complete talks each model needs for the look of this number, from 1."""
        return -(-number * self.talks_per_arm // self.looks)

    def looks_reached(self, talks: int) -> int:
        """The number of the last look that is due with so many talks of the model that has the fewest; 0 for none."""
        return sum(self.due_at(number) <= talks for number in range(1, self.looks + 1))


class StudyLook(models.Model):
    """A planned look, computed once from people's ratings as they were then.

    ``talks`` are the complete talks of each arm by its position, ``smallest`` the fewest of an arm that is asked about,
    ``share`` what that is of the plan's. ``limit`` is for each pair's |Z|. ``pairs`` lists ``{"first", "second",
    "estimate", "error", "df", "z", "passed", "decided"}``, models by their arms' positions, figures null where they
    cannot be told; ``decided`` is 1 where the first is ahead by this look or an earlier one, -1 where the second is,
    else 0; where the best is asked for, by this look alone. ``best`` is the arm that is ahead of all others.
    """

    class Decision(models.TextChoices):
        GO_ON = "go_on", "not answered yet"
        ANSWERED = "answered", "answered"
        END = "end", "not answered by the last look"

    plan = models.ForeignKey(StudyPlan, on_delete=models.PROTECT, related_name="taken")
    number = models.PositiveSmallIntegerField()
    talks = models.JSONField()
    smallest = models.PositiveIntegerField()
    share = models.FloatField()
    limit = models.FloatField()
    pairs = models.JSONField()
    best = models.ForeignKey(Arm, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    closed_study = models.BooleanField(default=False)
    data_sha256 = models.CharField(max_length=64)
    code_version = models.CharField(max_length=40)
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["plan_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_look_per_number"),
            models.CheckConstraint(condition=Q(number__gte=1, share__gt=0, limit__gt=0), name="look_is_one"),
            models.CheckConstraint(
                condition=Q(closed_study=False) | Q(decision="answered"), name="look_closes_what_is_answered"
            ),
        ]

    def __str__(self) -> str:
        return f"look {self.number} of {self.plan}"

    @property
    def is_last(self) -> bool:
        return self.decision != self.Decision.GO_ON
