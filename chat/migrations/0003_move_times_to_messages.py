"""Count what each talk holds, and write a reply's times beside the reply.

Backwards, replies that are held are asked for anew: the code before this knows no such state.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import migrations
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

ROWS_AT_ONCE = 1000


def forwards(apps, schema_editor):
    Conversation, Message = apps.get_model("chat", "Conversation"), apps.get_model("chat", "Message")
    said = Message.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
    last = Subquery(said.annotate(last=Max("position")).values("last"))
    Conversation.objects.update(last_position=Coalesce(last, 0))
    for turn in measured_turns(apps):
        Message.objects.filter(conversation=turn.conversation_id, position=turn.position).update(
            queued_ms=turn.waited_ms + asked_ms(turn), generated_ms=turn.generated_ms, held_ms=0
        )


def backwards(apps, schema_editor):
    Turn, Message = apps.get_model("chat", "Turn"), apps.get_model("chat", "Message")
    Turn.objects.filter(state="held").update(state="asked", attempt=0, reply=None, due_at=None)
    for message in Message.objects.filter(generated_ms__isnull=False).iterator(ROWS_AT_ONCE):
        turn = Turn.objects.get(conversation=message.conversation_id, position=message.position)
        turn.waited_ms = max(0, (message.queued_ms or 0) - asked_ms(turn))
        turn.generated_ms = message.generated_ms
        turn.save(update_fields=["waited_ms", "generated_ms"])


def measured_turns(apps):
    turns = apps.get_model("chat", "Turn").objects.filter(state="answered", generated_ms__isnull=False)
    return turns.iterator(ROWS_AT_ONCE)


def asked_ms(turn):
    """How long the turn waited for a worker; turns counted only the wait in the worker."""
    if turn.started_at is None:
        return 0
    return max(0, round((turn.started_at - turn.asked_at) / timedelta(milliseconds=1)))


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_held_replies_and_times_of_messages")]

    operations = [migrations.RunPython(forwards, backwards)]
