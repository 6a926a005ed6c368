"""Decisions about a study's plan: adopted, and the study closed by it.

SQLite rebuilds the table and drops its triggers with the old one, so they are made again, on the way back too.
"""

from importlib import import_module

from django.db import migrations, models

protect = import_module("ratings.migrations.0003_policies_and_decisions_stay").create_triggers


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0005_decisions_about_pay'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, protect),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_is_about_its_subject',
        ),
        migrations.AlterField(
            model_name='decision',
            name='act',
            field=models.CharField(choices=[('declare', 'declared a policy'), ('exclude', 'excluded'), ('restore', 'restored'), ('approve', 'approved for pay'), ('reject', 'asked for a rejection'), ('confirm', 'confirmed the rejection'), ('bonus', 'gave a bonus'), ('plan', 'adopted a plan'), ('stop', 'closed the study')], max_length=10),
        ),
        migrations.AlterField(
            model_name='decision',
            name='reason',
            field=models.CharField(choices=[('policy', "the study's policy"), ('plan', "the study's plan"), ('ratings', 'ratings that say nothing'), ('writing', 'writing that is no conversation'), ('unsafe', 'abuse'), ('accounts', 'several accounts'), ('generated', 'not written by a person'), ('mistake', 'excluded by mistake'), ('appeal', 'the worker explained'), ('work', 'the work was done'), ('extra', 'more than was asked'), ('other', 'something else')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('act__in', ['declare', 'plan', 'stop']), ('participation__isnull', True)), models.Q(('act__in', ['exclude', 'restore', 'approve', 'reject', 'confirm', 'bonus']), ('participation__isnull', False)), _connector='OR'), name='decision_is_about_its_subject'),
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
