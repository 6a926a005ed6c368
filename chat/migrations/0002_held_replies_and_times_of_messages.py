import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="last_position",
            field=models.PositiveSmallIntegerField(default=0, help_text="0 before the first message."),
        ),
        migrations.AddField(
            model_name="message",
            name="queued_ms",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="generated_ms",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="held_ms",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="study",
            name="reply_floor",
            field=models.DurationField(
                default=datetime.timedelta(0),
                help_text="No reply is shown sooner after its message, so that speed does not tell models apart.",
            ),
        ),
        migrations.AddField(
            model_name="turn",
            name="asked_again",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="turn",
            name="reply",
            field=models.JSONField(
                blank=True, help_text="Of a held turn: text, evidence and times.", null=True
            ),
        ),
        migrations.AddField(
            model_name="turn",
            name="due_at",
            field=models.DateTimeField(blank=True, help_text="When a held reply is shown.", null=True),
        ),
        migrations.AlterField(
            model_name="turn",
            name="state",
            field=models.CharField(
                choices=[
                    ("asked", "asked"),
                    ("running", "running"),
                    ("held", "held until it is due"),
                    ("answered", "answered"),
                    ("failed", "failed"),
                ],
                default="asked",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reply_floor__gte", datetime.timedelta(0)),
                    ("reply_floor__lte", datetime.timedelta(seconds=30)),
                ),
                name="study_floor_in_range",
            ),
        ),
    ]
