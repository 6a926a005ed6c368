from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_move_times_to_messages")]

    operations = [
        migrations.RemoveField(model_name="turn", name="waited_ms"),
        migrations.RemoveField(model_name="turn", name="generated_ms"),
    ]
