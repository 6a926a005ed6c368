import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_typing_records")]

    operations = [
        migrations.CreateModel(
            name="AccountTrace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("device", "device"), ("network", "network")], max_length=7),
                ),
                (
                    "keyed_hash",
                    models.CharField(
                        help_text="HMAC-SHA256 in hex, under a key of the study's own.", max_length=64
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_on", models.DateField(help_text="The day (UTC) on which it is deleted.")),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="traces",
                        to="chat.participation",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_on"], name="expired_traces")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participation", "kind", "keyed_hash"), name="one_trace_of_each"
                    )
                ],
            },
        ),
    ]
