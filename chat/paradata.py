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
