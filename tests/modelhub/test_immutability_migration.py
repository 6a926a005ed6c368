"""The migrations that protect revisions and results survive a rerun and reverse."""

from __future__ import annotations

import importlib
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from modelhub import registry
from modelhub.models import ProvenanceResult, Revision

migration = importlib.import_module("modelhub.migrations.0002_revision_is_immutable")
of_results = importlib.import_module("modelhub.migrations.0004_benchmark_results_are_immutable")


@pytest.fixture
def scripted(transactional_db) -> Revision:
    yield registry.register("script", "Script", "scripted", None, {"replies": ["one"]})
    # Of all apps: those above went back with modelhub's.
    call_command("migrate", verbosity=0)


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


@pytest.fixture
def result(scripted: Revision) -> ProvenanceResult:
    yield ProvenanceResult.objects.create(
        revision=scripted,
        name="Script",
        task="bst",
        split="test",
        seed=7,
        examples=1,
        dialogues=1,
        duration=timedelta(seconds=1),
        sources=["ed"],
        sources_by_dialogue=[[0]],
    )
    call_command("migrate", "modelhub", "0003", verbosity=0)
    ProvenanceResult.objects.all().delete()


def rename(result: ProvenanceResult) -> None:
    with transaction.atomic():
        ProvenanceResult.objects.filter(pk=result.pk).update(name="Another")


def test_that_of_results_reverses_and_applies_again(result: ProvenanceResult) -> None:
    call_command("migrate", "modelhub", "0003", verbosity=0)
    rename(result)
    call_command("migrate", "modelhub", verbosity=0)
    with pytest.raises(DatabaseError, match="a result is immutable"):
        rename(result)


def test_that_of_results_survives_a_rerun(result: ProvenanceResult) -> None:
    for _ in range(2):
        with connection.schema_editor() as editor:
            of_results.create_triggers(None, editor)
    with pytest.raises(DatabaseError, match="a result is immutable"):
        rename(result)
