"""An old site's database under new code: every migration forwards over rows that are there, and one step back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps
from django.utils import timezone

OURS = ("modelhub", "chat", "ratings", "evalsite")
FIRST = [(app, "0001_initial") for app in OURS]
Targets = list[tuple[str, str | None]]


def migrate(targets: Targets) -> StateApps:
    """Bring the database there; the models as they were then."""
    MigrationExecutor(connection).migrate(targets)
    loader = MigrationExecutor(connection).loader
    return loader.project_state(list(loader.applied_migrations)).apps


def latest() -> Targets:
    """Of all apps: those above ours went back with them."""
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def one_step_before(app: str) -> Targets:
    """The migration before an app's last one; nothing of the app where it has but one."""
    loader = MigrationExecutor(connection).loader
    (leaf,) = loader.graph.leaf_nodes(app)
    parents = [parent.key for parent in loader.graph.node_map[leaf].parents if parent.key[0] == app]
    return parents or [(app, None)]


@pytest.fixture
def old_site(transactional_db: None) -> Iterator[StateApps]:
    """The database that the first migrations make, with rows of every kind; brought up to date at the end."""
    migrate([(app, None) for app in reversed(OURS)])
    apps = migrate(FIRST)
    fill(apps.get_model)
    yield apps
    migrate(latest())


def fill(model: Callable[[str, str], Any]) -> None:
    """A talk as the first release stored it: rated, with a turn that was answered and one that is owed."""
    now = timezone.now()
    registered = model("modelhub", "RegisteredModel").objects.create(slug="old", name="Old")
    part = model("modelhub", "Revision").objects.create(model=registered, number=1, kind="scripted")
    revision = model("modelhub", "Revision").objects.create(
        model=registered, number=2, kind="random_skill", config={"parts": ["old@1"]}
    )
    revision.parts.add(part)
    study = model("chat", "Study").objects.create(slug="old", title="Old", consent_text="Yes?")
    arm = model("chat", "Arm").objects.create(study=study, revision=revision, position=1, target=9, taken=1)
    context = model("chat", "SeedContext").objects.create(
        study=study, ordinal=1, source="bst", worker_persona=["I sing."], model_persona=[], worker_seed="Hi"
    )
    worker = model("chat", "Worker").objects.create()
    person = model("chat", "Participation").objects.create(
        study=study, worker=worker, state="consented", talks_taken=1, talks_cap=10
    )
    talk = model("chat", "Conversation").objects.create(
        participation=person, arm=arm, context=context, ordinal=1, last_activity_at=now
    )
    for position, speaker in enumerate(("worker", "model", "worker"), 1):
        message = model("chat", "Message").objects.create(
            conversation=talk, position=position, speaker=speaker, text=f"Said {position}. 🙂"
        )
    times = {"started_at": now, "ended_at": now + timedelta(seconds=1), "waited_ms": 40, "generated_ms": 900}
    model("chat", "Turn").objects.create(conversation=talk, position=2, state="answered", attempt=1, **times)
    model("chat", "Turn").objects.create(conversation=talk, position=4)
    model("chat", "Report").objects.create(message=message, reason="other")
    model("ratings", "Rating").objects.create(conversation=talk, axis="overall", score=4)
    user = model("auth", "User").objects.create(username="upgraded")
    model("evalsite", "SignInLink").objects.create(user=user, token_sha256="0" * 64, expires_at=now)


Rows = dict[str, list[dict[str, Any]]]


def rows(apps: StateApps) -> Rows:
    """Every row of our apps, by table."""
    models = [
        model for app in OURS for model in apps.get_app_config(app).get_models(include_auto_created=True)
    ]
    return {model._meta.db_table: list(model._default_manager.order_by("pk").values()) for model in models}


def differences(before: Rows, after: Rows) -> list[str]:
    """Where tables and columns that both have do not say the same."""
    found = []
    for table in before.keys() & after.keys():
        if len(before[table]) != len(after[table]):
            found.append(f"{table}: {len(before[table])} rows became {len(after[table])}")
        for old, new in zip(before[table], after[table], strict=False):
            found += [f"{table}.{name}" for name in old.keys() & new.keys() if old[name] != new[name]]
    return found


def test_rows_of_the_first_release_come_through_every_migration(old_site: StateApps) -> None:
    before = rows(old_site)
    assert [table for table, present in before.items() if not present] == []
    after = rows(migrate(latest()))
    assert before.keys() <= after.keys()
    assert differences(before, after) == []


def test_one_step_back_keeps_the_rows_and_goes_forward_again(old_site: StateApps) -> None:
    """App by app in one test, for the way up to here is what takes long."""
    new = rows(migrate(latest()))
    for app in OURS:
        if (app, None) not in one_step_before(app):
            assert differences(new, rows(migrate(one_step_before(app)))) == [], app
            assert differences(new, rows(migrate(latest()))) == [], app
