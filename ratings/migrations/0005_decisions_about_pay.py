"""Decisions about pay stand among those about data; the database goes on refusing to change any.

SQLite makes the table anew for its constraint, and loses its triggers with the old one: they are made again, forwards
and backwards.
"""

from importlib import import_module

from django.db import migrations, models

create_triggers = import_module("ratings.migrations.0003_policies_and_decisions_stay").create_triggers


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0010_study_attention_items'),
        ('ratings', '0004_attention_and_gold_talks'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, create_triggers),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_is_about_its_subject',
        ),
        migrations.AlterField(
            model_name='decision',
            name='act',
            field=models.CharField(choices=[('declare', 'declared a policy'), ('exclude', 'excluded'), ('restore', 'restored'), ('approve', 'approved for pay'), ('reject', 'asked for a rejection'), ('confirm', 'confirmed the rejection'), ('bonus', 'gave a bonus')], max_length=10),
        ),
        migrations.AlterField(
            model_name='decision',
            name='reason',
            field=models.CharField(choices=[('policy', "the study's policy"), ('ratings', 'ratings that say nothing'), ('writing', 'writing that is no conversation'), ('unsafe', 'abuse'), ('accounts', 'several accounts'), ('generated', 'not written by a person'), ('mistake', 'excluded by mistake'), ('appeal', 'the worker explained'), ('work', 'the work was done'), ('extra', 'more than was asked'), ('other', 'something else')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('act', 'declare'), ('participation__isnull', True)), models.Q(('act__in', ['exclude', 'restore', 'approve', 'reject', 'confirm', 'bonus']), ('participation__isnull', False)), _connector='OR'), name='decision_is_about_its_subject'),
        ),
        migrations.RunPython(create_triggers, migrations.RunPython.noop),
    ]
