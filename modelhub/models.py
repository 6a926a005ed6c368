"""What is registered: models by name, and the immutable revisions that conversations are held with."""

from __future__ import annotations

from django.db import models


class RegisteredModel(models.Model):
    """A system under evaluation, named as in the report's rows."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120, help_text="The row label of Table 7.")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def latest(self) -> Revision | None:
        """The newest revision; one query."""
        return self.revisions.order_by("-number").first()


class Revision(models.Model):
    """One immutable state of a model: what it is made of, and the hash of its weights.

    A database trigger refuses updates (migration ``0002_revision_is_immutable``).
    """

    class Kind(models.TextChoices):
        RETRIEVAL = "retrieval", "poly-encoder retrieval"
        RANDOM_SKILL = "random_skill", "random skill"
        TWO_STAGE = "two_stage", "two stage"
        SCRIPTED = "scripted", "scripted"

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    path = models.CharField(
        max_length=400,
        blank=True,
        help_text="Folder of the weights; relative to the project for what ships with it, else absolute.",
    )
    config = models.JSONField(default=dict, help_text="Kind-specific settings; parts name other revisions.")
    weights_sha256 = models.CharField(max_length=64, blank=True)
    parts = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="used_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["model_id", "number"]
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"{self.model.name} r{self.number}"
