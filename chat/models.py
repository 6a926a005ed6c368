"""People talking: studies, the people in them, and their conversations.

The database refuses what must not be: two messages at one position, a talk over an arm's target or a worker's
cap, two live talks of one worker. Services only ask it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from chat.paradata import AccountTrace as AccountTrace
from chat.paradata import TypingRecord as TypingRecord
from modelhub.dialogue import Context, Dialogue, Skill, Utterance
from modelhub.dialogue import Speaker as SpeakerValue
from modelhub.models import Revision

#: A person who waits longer for every reply loses the thread; and a turn is owed for TURN_LIMIT_S at most.
HIGHEST_REPLY_FLOOR = timedelta(seconds=30)


class Study(models.Model):
    """What is asked of whom, with which models, and how much of it."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        OPEN = "open", "open"
        PAUSED = "paused", "paused"
        CLOSED = "closed", "closed"

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200, help_text="Evaluators see this.")
    template = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    consent_text = models.TextField(help_text="Paragraphs, parted by blank lines.")
    contact = models.CharField(max_length=200, blank=True)
    min_turns = models.PositiveSmallIntegerField(default=6, help_text="The worker's messages before rating.")
    max_turns = models.PositiveSmallIntegerField(default=12)
    max_words = models.PositiveSmallIntegerField(default=30)
    conversations_per_worker = models.PositiveSmallIntegerField(default=10)
    idle_limit = models.DurationField(default=timedelta(minutes=30))
    reply_floor = models.DurationField(
        default=timedelta(0),
        help_text="No reply is shown sooner after its message, so that speed does not tell models apart.",
    )
    keeps_paradata = models.BooleanField(
        default=True,
        # Of studies that were made before: their consent text says nothing of it.
        db_default=False,
        help_text="How people took part is kept beside what they said; the consent text says so.",
    )
    attention_every = models.PositiveSmallIntegerField(
        default=0, help_text="An attention item comes with every n-th talk of a worker; 0 for none."
    )
    seed = models.BigIntegerField(
        default=0, help_text="Contexts, ties of assignment and attention items are drawn with it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(min_turns__gte=1, max_turns__gte=F("min_turns")), name="study_turns_in_order"
            ),
            models.CheckConstraint(
                condition=Q(reply_floor__gte=timedelta(0), reply_floor__lte=HIGHEST_REPLY_FLOOR),
                name="study_floor_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Arm(models.Model):
    """A study's model with its target. ``taken`` counts people's running and finished talks that hold a slot."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="arms")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="arms")
    position = models.PositiveSmallIntegerField(help_text="The row in reports.")
    target = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)
    simulated_taken = models.PositiveIntegerField(default=0, help_text="Simulated talks; they fill no slot.")

    class Meta:
        ordering = ["study_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "revision"], name="one_arm_per_revision"),
            models.UniqueConstraint(fields=["study", "position"], name="one_arm_per_position"),
            models.CheckConstraint(condition=Q(taken__lte=F("target")), name="arm_not_overfilled"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug}: {self.revision}"


class Worker(models.Model):
    """A person, or a simulated one, known by a pseudonym alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    simulated = models.BooleanField(default=False)
    behaviour = models.CharField(max_length=30, blank=True, help_text="How a simulated worker behaves.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"worker {str(self.id)[:8]}"


class Participation(models.Model):
    """One worker's way through one study.

    ``talks_taken`` counts every talk begun but those that failed by the site's fault; the database holds it within
    ``talks_cap``, the study's cap at the time of entry. The completion code is never stored
    (chat.participation.completion_code).
    """

    class State(models.TextChoices):
        ENTERED = "entered", "entered"
        DECLINED = "declined", "declined consent"
        CONSENTED = "consented", "consented"
        LEFT = "left", "left early"
        DONE = "done", "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participations")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="participations")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ENTERED)
    talks_taken = models.PositiveSmallIntegerField(default=0)
    talks_cap = models.PositiveSmallIntegerField()
    consent_sha256 = models.CharField(max_length=64, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    excluded_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when none of the worker's talks counts (chat.exclusion)."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "worker"], name="one_participation_per_study"),
            models.CheckConstraint(condition=Q(talks_taken__lte=F("talks_cap")), name="worker_within_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.worker} in {self.study.slug}"


class SeedContext(models.Model):
    """A context of a study's pool, drawn once as BST draws them (Smith et al. 2020, section 3.1)."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="contexts")
    ordinal = models.PositiveIntegerField()
    source = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Skill])
    topic = models.CharField(max_length=200, blank=True)
    situation = models.TextField(blank=True)
    worker_persona = models.JSONField()
    model_persona = models.JSONField()
    worker_seed = models.TextField()
    model_seed = models.TextField()

    class Meta:
        ordering = ["study_id", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["study", "ordinal"], name="one_context_per_ordinal")]

    def __str__(self) -> str:
        return f"context {self.ordinal}"

    def as_value(self) -> Context:
        return Context(
            worker_persona=tuple(self.worker_persona),
            model_persona=tuple(self.model_persona),
            source=Skill(self.source),
            topic=self.topic,
            situation=self.situation,
            seeds=(
                Utterance(SpeakerValue.WORKER, self.worker_seed),
                Utterance(SpeakerValue.MODEL, self.model_seed),
            ),
        )


class Conversation(models.Model):
    """A talk of one participation with one arm's model.

    The worker speaks first and both take turns, so that ``last_position``, which changes with every message in
    its transaction, tells whose move it is and how much was said.
    """

    class State(models.TextChoices):
        CHATTING = "chatting", "chatting"
        RATING = "rating", "rating"
        COMPLETE = "complete", "complete"
        ABANDONED = "abandoned", "abandoned"
        FAILED = "failed", "failed"
        WITHDRAWN = "withdrawn", "withdrawn"

    LIVE = (State.CHATTING, State.RATING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participation = models.ForeignKey(Participation, on_delete=models.PROTECT, related_name="conversations")
    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="conversations")
    context = models.ForeignKey(SeedContext, on_delete=models.PROTECT, related_name="conversations")
    ordinal = models.PositiveSmallIntegerField(help_text="The worker's first, second, ... talk.")
    simulated = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHATTING)
    holds_slot = models.BooleanField(
        default=True, help_text="While live or complete; an excluded worker's talks hold none."
    )
    started_at = models.DateTimeField(auto_now_add=True)
    last_position = models.PositiveSmallIntegerField(default=0, help_text="0 before the first message.")
    last_activity_at = models.DateTimeField()
    rating_at = models.DateTimeField(null=True, blank=True, help_text="When talking ended and rating began.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["participation"],
                condition=Q(state__in=["chatting", "rating"]),
                name="one_live_talk_per_participation",
            ),
            models.UniqueConstraint(fields=["participation", "ordinal"], name="one_talk_per_ordinal"),
        ]
        indexes = [models.Index(fields=["state", "last_activity_at"], name="idle_talks")]

    def __str__(self) -> str:
        return f"talk {str(self.id)[:8]}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    @property
    def awaits_reply(self) -> bool:
        """Whether the worker spoke last."""
        return self.last_position % 2 == 1

    @property
    def worker_turns(self) -> int:
        """How many messages the worker has said."""
        return (self.last_position + 1) // 2

    @property
    def is_paid_failure(self) -> bool:
        """Whether the talk failed by the site's fault after the worker had said something."""
        return self.state == self.State.FAILED and self.last_position > 0

    def dialogue(self) -> Dialogue:
        """Everything said so far, for an agent; one query for messages, one for the context."""
        return self.as_dialogue(
            Utterance(SpeakerValue(speaker), text)
            for speaker, text in self.messages.order_by("position").values_list("speaker", "text")
        )

    def as_dialogue(self, said: Iterable[Utterance]) -> Dialogue:
        """What was said here, for an agent; one query for the context where it is not known."""
        return Dialogue(context=self.context.as_value(), utterances=tuple(said), key=str(self.id))


class Message(models.Model):
    """One thing said in a talk. Positions count from 1; seeds are part of the context, not messages.

    A reply's times, in milliseconds: from the stored message before it until a batch took it up, in the model, and
    kept back for the study's floor. A person's message has none.
    """

    class Speaker(models.TextChoices):
        WORKER = SpeakerValue.WORKER.value, "worker"
        MODEL = SpeakerValue.MODEL.value, "model"

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    position = models.PositiveSmallIntegerField()
    speaker = models.CharField(max_length=6, choices=Speaker.choices)
    text = models.TextField()
    client_id = models.CharField(max_length=64, null=True, blank=True)
    evidence = models.JSONField(default=dict, blank=True, help_text="Where a model's reply came from.")
    queued_ms = models.PositiveIntegerField(null=True, blank=True)
    generated_ms = models.PositiveIntegerField(null=True, blank=True)
    held_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["conversation_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="one_message_per_position"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="one_message_per_client_id"),
        ]
        indexes = [
            # How replies of the last minutes went, without a look at all the others.
            models.Index(fields=["created_at"], condition=Q(speaker="model"), name="recent_replies")
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.speaker}"


class Refusal(models.Model):
    """Why a talk's messages were refused, and how often; what they said is not kept."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="refusals")
    code = models.CharField(max_length=20, help_text="chat.rules.Refusal.code")
    times = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "code"], name="one_count_per_refusal_code")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.times} times"


class Turn(models.Model):
    """A reply that is owed: asked, running under a lease, perhaps held until it is due, then answered or failed.

    ``lease_until`` is when a turn is asked again: an asked one that nobody took, or one whose worker is silent.
    ``attempt`` counts attempts that ran, ``asked_again`` how often an asked turn was not taken in time.
    """

    class State(models.TextChoices):
        ASKED = "asked", "asked"
        RUNNING = "running", "running"
        HELD = "held", "held until it is due"
        ANSWERED = "answered", "answered"
        FAILED = "failed", "failed"

    #: Somebody is still to answer.
    OWED = (State.ASKED, State.RUNNING)
    #: The person still waits.
    OPEN = (*OWED, State.HELD)

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="turns")
    position = models.PositiveSmallIntegerField(help_text="Where the reply will stand.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    attempt = models.PositiveSmallIntegerField(default=0)
    asked_again = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reply = models.JSONField(null=True, blank=True, help_text="Of a held turn: text, evidence and times.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When a held reply is shown.")

    class Meta:
        ordering = ["conversation_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="one_turn_per_position")
        ]
        indexes = [
            models.Index(fields=["state", "lease_until"], name="owed_turns"),
            models.Index(
                fields=["asked_at"],
                condition=Q(attempt__gt=1) | Q(asked_again__gt=0),
                name="turns_asked_again",
            ),
        ]

    def __str__(self) -> str:
        return f"turn {self.position} {self.state}"


class Report(models.Model):
    """A worker's word that a reply is harmful or broken; the talk goes on."""

    class Reason(models.TextChoices):
        HARMFUL = "harmful", "harmful or upsetting"
        NONSENSE = "nonsense", "makes no sense"
        PERSONAL = "personal", "asks for personal data"
        OTHER = "other", "something else"

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="reports")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "reason"], name="one_report_per_reason")]

    def __str__(self) -> str:
        return f"{self.reason} at {self.message_id}"
