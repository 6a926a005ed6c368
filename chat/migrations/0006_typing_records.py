import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_recent_replies")]

    operations = [
        migrations.CreateModel(
            name="TypingRecord",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="typing_record",
                        serialize=False,
                        to="chat.message",
                    ),
                ),
                ("keystrokes", models.PositiveSmallIntegerField()),
                ("deletions", models.PositiveSmallIntegerField()),
                ("pastes", models.PositiveSmallIntegerField()),
                ("pasted_characters", models.PositiveSmallIntegerField()),
                ("first_key_ms", models.PositiveIntegerField()),
                ("typed_ms", models.PositiveIntegerField()),
                ("focus_losses", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="study",
            name="keeps_paradata",
            field=models.BooleanField(
                db_default=False,
                default=True,
                help_text="How people took part is kept beside what they said; the consent text says so.",
            ),
        ),
    ]
