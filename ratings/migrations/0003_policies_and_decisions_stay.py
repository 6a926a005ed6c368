"""The database itself refuses to change or delete a policy or a decision: who was excluded, and why, can be checked.

On SQLite a later migration that rebuilds one of these tables drops its triggers with the old table, and must make
them again.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLES = ("ratings_policy", "ratings_decision")
EVENTS = ("update", "delete")
REFUSAL = "policies and decisions are never changed: add another one"


def create_triggers(apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION ratings_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    drop_triggers(apps, schema_editor, keep_function=True)
    for table, event, trigger in _triggers():
        if vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {trigger} BEFORE {event.upper()} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION ratings_refuse()"
            )
        elif vendor == "sqlite":
            schema_editor.execute(
                f"CREATE TRIGGER {trigger} BEFORE {event.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        else:
            raise NotImplementedError(f"{vendor}: decisions are protected on SQLite and PostgreSQL alone")


def drop_triggers(
    apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor, keep_function: bool = False
) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table, _, trigger in _triggers():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger}" + (f" ON {table}" if postgresql else ""))
    if postgresql and not keep_function:
        schema_editor.execute("DROP FUNCTION IF EXISTS ratings_refuse()")


def _triggers() -> list[tuple[str, str, str]]:
    return [(table, event, f"{table}_no_{event}") for table in TABLES for event in EVENTS]


class Migration(migrations.Migration):
    dependencies = [("ratings", "0002_worker_quality")]
    operations = [migrations.RunPython(create_triggers, drop_triggers)]
