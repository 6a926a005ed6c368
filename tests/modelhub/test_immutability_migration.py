"""The migration that protects revisions survives a rerun and reverses."""

from __future__ import annotations

import importlib

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from modelhub import registry
from modelhub.models import Revision

migration = importlib.import_module("modelhub.migrations.0002_revision_is_immutable")


@pytest.fixture
def scripted(transactional_db) -> Revision:
    yield registry.register("script", "Script", "scripted", None, {"replies": ["one"]})
    call_command("migrate", "modelhub", verbosity=0)


def change(revision: Revision) -> None:
    with transaction.atomic():
        Revision.objects.filter(pk=revision.pk).update(path="/elsewhere")


def test_it_reverses_and_applies_again(scripted: Revision) -> None:
    call_command("migrate", "modelhub", "0001", verbosity=0)
    change(scripted)
    call_command("migrate", "modelhub", verbosity=0)
    with pytest.raises(DatabaseError, match="a revision is immutable"):
        change(scripted)


def test_it_survives_a_rerun(scripted: Revision) -> None:
    for _ in range(2):
        with connection.schema_editor() as editor:
            migration.create_triggers(None, editor)
    with pytest.raises(DatabaseError, match="a revision is immutable"):
        change(scripted)
