"""Worker quality as it is stored: what is declared, what was found, what was decided.

Policies and decisions are only ever added: the database refuses to change or delete one (migration 0003).
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from chat.models import Conversation, Message, Participation, Study


class Policy(models.Model):
    """What a study's rules ask and what follows from a flag, in a version; the newest one holds.

    ``rules`` maps a rule's name to ``{"act": ..., "threshold": ...}`` (ratings.quality.catalogue). ``after_talks`` is
    how many talks were begun when it was declared: a policy that was declared before any is not fitted to its data.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="policies")
    version = models.PositiveSmallIntegerField()
    rules = models.JSONField()
    after_talks = models.PositiveIntegerField()
    declared_by = models.CharField(max_length=150)
    declared_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study_id", "version"]
        constraints = [models.UniqueConstraint(fields=["study", "version"], name="one_policy_per_version")]

    def __str__(self) -> str:
        return f"policy {self.version} of {self.study.slug}"

    @property
    def declared_before(self) -> bool:
        return self.after_talks == 0


class Judgement(models.Model):
    """How far a worker's work is judged. ``due_since`` is set in the transaction that finishes a talk."""

    participation = models.OneToOneField(Participation, on_delete=models.PROTECT, related_name="judgement")
    due_since = models.DateTimeField(null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    talks = models.PositiveSmallIntegerField(default=0, help_text="Finished talks that were judged.")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, related_name="judgements")

    class Meta:
        indexes = [
            models.Index(fields=["due_since"], condition=Q(due_since__isnull=False), name="judgements_due")
        ]

    def __str__(self) -> str:
        return f"judgement of {self.participation_id}"


class SafetyScore(models.Model):
    """How likely a worker's message is unsafe, as a version of the classifier says."""

    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="safety")
    probability = models.FloatField()
    classifier = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="safety_is_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"{self.probability:.2f}"


class StudyNorms(models.Model):
    """What single workers are measured against: the study as a whole, as it was when all of it was judged last."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="norms")
    simulated = models.BooleanField(help_text="Of simulated workers; the two are never mixed.")
    computed_at = models.DateTimeField(auto_now=True)
    talks = models.PositiveIntegerField()
    values = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "simulated"], name="one_norm_per_population")]

    def __str__(self) -> str:
        return f"norms of {self.study.slug}"


class Finding(models.Model):
    """That a rule flags a worker, or one of their talks, and what it rests on.

    ``places`` lists the very messages and ratings as [talk, position, axis]. ``null_probability`` is how likely an
    honest worker of this study would be flagged; null where no model of honest work speaks about it. A finding that
    holds no longer, as more talks or another policy came, is cleared and stays.
    """

    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="findings")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    rule = models.CharField(max_length=40)
    rule_version = models.PositiveSmallIntegerField()
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="findings")
    threshold = models.FloatField()
    numbers = models.JSONField()
    places = models.JSONField()
    null_probability = models.FloatField(null=True, blank=True)
    found_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["participation_id", "rule", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "rule"],
                condition=Q(conversation__isnull=True, cleared_at__isnull=True),
                name="one_standing_finding_per_worker_and_rule",
            ),
            models.UniqueConstraint(
                fields=["conversation", "rule"],
                condition=Q(cleared_at__isnull=True),
                name="one_standing_finding_per_talk_and_rule",
            ),
            models.CheckConstraint(
                condition=Q(null_probability__isnull=True)
                | Q(null_probability__gte=0, null_probability__lte=1),
                name="null_is_a_probability",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True) | Q(cleared_at__gte=F("found_at")),
                name="cleared_after_found",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.participation_id}"


class Decision(models.Model):
    """Something a person decided: append-only. ``details`` holds what it rested on and what it changed."""

    class Act(models.TextChoices):
        DECLARE = "declare", "declared a policy"
        EXCLUDE = "exclude", "excluded"
        RESTORE = "restore", "restored"
        APPROVE = "approve", "approved for pay"
        REJECT = "reject", "asked for a rejection"
        CONFIRM = "confirm", "confirmed the rejection"
        BONUS = "bonus", "gave a bonus"
        PLAN = "plan", "adopted a plan"
        STOP = "stop", "closed the study"

    class Reason(models.TextChoices):
        POLICY = "policy", "the study's policy"
        PLAN = "plan", "the study's plan"
        RATINGS = "ratings", "ratings that say nothing"
        WRITING = "writing", "writing that is no conversation"
        UNSAFE = "unsafe", "abuse"
        ACCOUNTS = "accounts", "several accounts"
        GENERATED = "generated", "not written by a person"
        MISTAKE = "mistake", "excluded by mistake"
        APPEAL = "appeal", "the worker explained"
        WORK = "work", "the work was done"
        EXTRA = "extra", "more than was asked"
        OTHER = "other", "something else"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="decisions")
    participation = models.ForeignKey(
        Participation, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    act = models.CharField(max_length=10, choices=Act.choices)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=150)
    policy = models.ForeignKey(
        Policy, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=["declare", "plan", "stop"], participation__isnull=True)
                | Q(
                    act__in=["exclude", "restore", "approve", "reject", "confirm", "bonus"],
                    participation__isnull=False,
                ),
                name="decision_is_about_its_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.participation_id or ''}".strip()
