"""What is registered, models by name and their immutable revisions; what was measured of them; who serves them."""

from __future__ import annotations

import uuid

from django.db import models

from modelhub.dialogue import Skill


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

    @property
    def reference(self) -> str:
        """How commands and configurations name it: slug@number."""
        return f"{self.model.slug}@{self.number}"


class Measurement(models.Model):
    """What one system did on one task: what was measured, with what, and how to measure it again.

    A database trigger refuses updates and deletions (migration ``0004_benchmark_results_are_immutable``): to
    measure again is to store another row, and the latest counts.
    """

    revision = models.ForeignKey(
        Revision, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss"
    )
    folder = models.CharField(
        max_length=400, blank=True, help_text="Of the weights that were not registered; else empty."
    )
    name = models.CharField(max_length=120, help_text="The model's name, or the folder's own.")
    weights_sha256 = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=20, choices=[(skill.value, skill.value) for skill in Skill])
    split = models.CharField(max_length=20)
    options = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    examples = models.PositiveIntegerField()
    dialogues = models.PositiveIntegerField()
    data_folder = models.CharField(max_length=400)
    data_sha256 = models.CharField(max_length=64)
    questions_sha256 = models.CharField(
        max_length=64, help_text="Systems with the same one were asked the same."
    )
    code_version = models.CharField(max_length=40)
    duration = models.DurationField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["id"]
        indexes = [models.Index(fields=["questions_sha256"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revision=None) ^ models.Q(folder=""), name="%(class)s_of_one_system"
            ),
            models.CheckConstraint(
                condition=models.Q(examples__gt=0, dialogues__gt=0), name="%(class)s_of_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.task} {self.split}"

    @property
    def reference(self) -> str:
        """How commands name the system: slug@number, or the folder."""
        return self.revision.reference if self.revision else self.folder


class BenchmarkResult(Measurement):
    """How a system ranked what people really said; shares from 0 to 1 (modelhub.benchmarks.metrics)."""

    class Candidates(models.TextChoices):
        LISTED = "listed", "listed by the file"
        RANDOM = "random", "seeded random"
        BOTH = "both", "listed by the file, seeded random where it lists none"

    candidates_kind = models.CharField(max_length=10, choices=Candidates.choices)
    candidates = models.PositiveIntegerField(help_text="The most that an example had.")
    hits_at_1 = models.FloatField()
    hits_at_5 = models.FloatField()
    hits_at_10 = models.FloatField()
    mrr = models.FloatField()
    standard_error = models.FloatField(
        null=True, help_text="Of hits@1, clustered by dialogue; none where there is one dialogue."
    )
    ranks_by_dialogue = models.JSONField(help_text="The label's rank, question by question of each dialogue.")

    @property
    def asked_text(self) -> str:
        """``20 random candidates, seed 7``; ``60 listed candidates, mixed, seed 7``."""
        kinds = {self.Candidates.BOTH.value: "listed or random"}
        given = [name for name in ("mixed_candidates", "added_context") if self.options[name]]
        words = [f"{self.candidates} {kinds.get(self.candidates_kind, self.candidates_kind)} candidates"]
        words += [name.replace("_candidates", "").replace("_", " ") for name in given]
        if given or self.candidates_kind != self.Candidates.LISTED:
            words.append(f"seed {self.seed}")
        return ", ".join(words)


class ProvenanceResult(Measurement):
    """Which data sets the utterances that a system chose came from (Smith et al. 2020, Table 4)."""

    sources = models.JSONField(help_text="The data sets, in the order in which dialogues name them.")
    sources_by_dialogue = models.JSONField(
        help_text="Places in `sources`, question by question of each dialogue."
    )


class ServingWorker(models.Model):
    """A process that serves models. It says each few seconds that it is alive; a silent one counts as gone."""

    class State(models.TextChoices):
        STARTING = "starting", "starting"
        READY = "ready", "ready"
        STOPPING = "stopping", "stopping"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, help_text="Host and process id.")
    group = models.CharField(
        max_length=200, blank=True, help_text="The models it was told to hold, joined by +; empty for all."
    )
    device = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STARTING)
    memory_mb = models.PositiveIntegerField(default=0, help_text="What the process holds on its device.")
    memory_free_mb = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return self.name


class ServedModel(models.Model):
    """What became of one revision in one worker."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be loaded"
        LOADING = "loading", "loading"
        WARMING = "warming", "warming"
        READY = "ready", "ready"
        UNLOADING = "unloading", "unloading"
        REFUSED = "refused", "refused"

    worker = models.ForeignKey(ServingWorker, on_delete=models.CASCADE, related_name="served")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="served_by")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    detail = models.TextField(blank=True, help_text="Why it was refused, in a sentence that says what to do.")
    memory_mb = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["worker_id", "revision_id"]
        constraints = [models.UniqueConstraint(fields=["worker", "revision"], name="served_once_a_worker")]

    def __str__(self) -> str:
        return f"{self.revision_id} {self.state}"


class ModelHealth(models.Model):
    """A revision's circuit breaker: it opens after failures in a row, and while it is open no talk begins."""

    revision = models.OneToOneField(
        Revision, primary_key=True, on_delete=models.CASCADE, related_name="health"
    )
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    openings = models.PositiveIntegerField(default=0, help_text="In a row; each doubles the pause.")
    is_open = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True, help_text="When a worker tries it again.")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "model health"

    def __str__(self) -> str:
        return f"{self.revision_id} {'open' if self.is_open else 'closed'}"
