"""The database itself refuses to change or delete a plan or a look; PostgreSQL also refuses a plan of a study that was
opened.

On SQLite a later migration that rebuilds one of these tables drops its triggers with the old table, and must make
them again. A trigger that reads ``chat_study`` would there keep every later migration from rebuilding that table; the
service (analysis.planning.adoption) reads the state in a transaction that holds the database's one lock.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLES = ("analysis_studyplan", "analysis_studylook")
EVENTS = ("update", "delete")
REFUSAL = "plans and looks are never changed: what was planned and seen stays"
OPENED = "analysis_studyplan_before_opening"
TOO_LATE = "a plan is adopted before its study opens"
IS_DRAFT = "(SELECT state FROM chat_study WHERE id = NEW.study_id) = 'draft'"


def create_triggers(apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    drop_triggers(apps, schema_editor)
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        _create_on_postgresql(schema_editor)
    elif vendor == "sqlite":
        _create_on_sqlite(schema_editor)
    else:
        raise NotImplementedError(f"{vendor}: plans are protected on SQLite and PostgreSQL alone")


def _create_on_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> None:
    refuse = "RAISE EXCEPTION '{}' USING ERRCODE = 'integrity_constraint_violation';"
    for name, body in {
        "analysis_refuse": refuse.format(REFUSAL),
        "analysis_refuse_late": f"IF NOT {IS_DRAFT} THEN {refuse.format(TOO_LATE)} END IF; RETURN NEW;",
    }.items():
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
    for table, event, trigger in _triggers():
        schema_editor.execute(
            f"CREATE TRIGGER {trigger} BEFORE {event.upper()} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION analysis_refuse()"
        )
    schema_editor.execute(
        f"CREATE TRIGGER {OPENED} BEFORE INSERT ON {TABLES[0]} FOR EACH ROW EXECUTE FUNCTION analysis_refuse_late()"
    )


def _create_on_sqlite(schema_editor: BaseDatabaseSchemaEditor) -> None:
    for table, event, trigger in _triggers():
        schema_editor.execute(
            f"CREATE TRIGGER {trigger} BEFORE {event.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def drop_triggers(apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table, _, trigger in _triggers():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {OPENED} ON {TABLES[0]}")
        for name in ("analysis_refuse", "analysis_refuse_late"):
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")


def _triggers() -> list[tuple[str, str, str]]:
    return [(table, event, f"{table}_no_{event}") for table in TABLES for event in EVENTS]


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_study_plans")]
    operations = [migrations.RunPython(create_triggers, drop_triggers)]
