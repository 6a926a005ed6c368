"""Tables of paradata: how people took part, beside what they said. ``chat.models`` has all others.

Nothing of what somebody typed or of where they are can be read from a row.
"""

from __future__ import annotations

from django.db import models


class TypingRecord(models.Model):
    """How a person's message was typed; the fields are those of chat.typing_dynamics.TypingDynamics.

    Messages whose page told nothing, as a simulated worker's, have none.
    """

    message = models.OneToOneField(
        "chat.Message", on_delete=models.PROTECT, primary_key=True, related_name="typing_record"
    )
    keystrokes = models.PositiveSmallIntegerField()
    deletions = models.PositiveSmallIntegerField()
    pastes = models.PositiveSmallIntegerField()
    pasted_characters = models.PositiveSmallIntegerField()
    first_key_ms = models.PositiveIntegerField()
    typed_ms = models.PositiveIntegerField()
    focus_losses = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"typing of message {self.message_id}"


class AccountTrace(models.Model):
    """That a participation came from a device or a network, of which only a keyed hash is kept, until its day.

    Two participations of a study with the same hash shared one; ``chat.traces`` makes and reads them.
    """

    class Kind(models.TextChoices):
        DEVICE = "device", "device"
        NETWORK = "network", "network"

    participation = models.ForeignKey("chat.Participation", on_delete=models.PROTECT, related_name="traces")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    keyed_hash = models.CharField(
        max_length=64, help_text="HMAC-SHA256 in hex, under a key of the study's own."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_on = models.DateField(help_text="The day (UTC) on which it is deleted.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participation", "kind", "keyed_hash"], name="one_trace_of_each")
        ]
        indexes = [models.Index(fields=["expires_on"], name="expired_traces")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.participation_id}"
