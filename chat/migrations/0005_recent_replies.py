from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0004_turns_without_times")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("speaker", "model")), fields=["created_at"], name="recent_replies"
            ),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                condition=models.Q(("attempt__gt", 1), ("asked_again__gt", 0), _connector="OR"),
                fields=["asked_at"],
                name="turns_asked_again",
            ),
        ),
    ]
