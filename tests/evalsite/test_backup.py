"""From a site to a backup to a site; on SQLite, or on PostgreSQL where DATABASE_URL is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from evalsite import preflight
from evalsite.backups import archive
from tests.evalsite.backup_places import COUNT_PAIRS, FILL, WRITE_PAIRS, Place, empty_place
from tests.site_process import PROJECT

ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
REPORT = ("report", "--study", "pilot", "--format", "json")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Place]]:
    """``places()``: a new empty place."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(empty_place(tmp_path_factory.mktemp("place") / "data"))


@pytest.fixture(scope="module")
def site(places: Callable[[], Place]) -> Place:
    """Talks and ratings, and a model that does not ship with the project."""
    site = places()
    site.manage("migrate", "--verbosity", "0")
    site.shell(FILL)
    own = site.data / "models" / "own"
    (own / "encoder").mkdir(parents=True)
    (own / "config.json").write_text('{"kind": "a test\'s"}')
    (own / "weights.safetensors").write_bytes(bytes(range(256)) * 40)
    (own / "encoder" / "config.json").write_text("{}")
    site.shell(
        f"from modelhub import registry; registry.register('own', 'Own', 'retrieval', {str(own)!r}, {{}})"
    )
    return site


@pytest.fixture(scope="module")
def backup(site: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "site.tar"
    site.manage("backup", "--to", str(path), "--models")
    return path


@pytest.fixture(scope="module")
def restored(backup: Path, places: Callable[[], Place]) -> Place:
    place = places()
    place.manage("restore", str(backup))
    return place


# --- There and back ----------------------------------------------------------------------------------------


def test_every_row_of_every_table_comes_back(site: Place, restored: Place) -> None:
    everything = ("dumpdata", "--all", "--indent", "1")
    assert restored.manage(*everything) == site.manage(*everything)


def test_the_study_s_report_is_the_same_to_the_byte(site: Place, restored: Place) -> None:
    report = site.manage(*REPORT)
    assert json.loads(report) and restored.manage(*REPORT) == report


def test_the_secret_key_comes_back_readable_by_its_owner_alone(site: Place, restored: Place) -> None:
    key = restored.data / "secret_key"
    assert key.read_text() == (site.data / "secret_key").read_text()
    assert key.stat().st_mode & 0o777 == 0o600


def test_models_come_back_below_the_data_folder(site: Place, restored: Place) -> None:
    was, now = site.data / "models" / "own", restored.data / "models" / "own"
    names = sorted(path.relative_to(was) for path in was.rglob("*"))
    assert sorted(path.relative_to(now) for path in now.rglob("*")) == names
    assert (now / "weights.safetensors").read_bytes() == (was / "weights.safetensors").read_bytes()


def test_the_restored_site_goes_on(restored: Place) -> None:
    """Its sequences stand after the rows, and its triggers hold."""
    restored.shell(
        "from modelhub.models import *; from django.db import DatabaseError\n"
        "Revision.objects.create(model=RegisteredModel.objects.create(slug='new', name='New'), number=1, "
        "kind='scripted')\n"
        "try:\n    Revision.objects.update(path='/elsewhere')\n"
        "except DatabaseError as error:\n    assert 'immutable' in str(error)\n"
        "else:\n    raise SystemExit('a revision was changed')"
    )


def test_a_backup_is_readable_by_its_owner_alone_and_leaves_nothing_beside_it(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir()] == ["site.tar"]


def test_checking_needs_no_place(backup: Path, tmp_path: Path) -> None:
    said = Place(tmp_path / "data").manage("restore", str(backup), "--check")
    assert "is whole" in said and "models: own@1" in said
    assert not (tmp_path / "data" / "colloquy.sqlite3").exists()


def test_a_backup_beside_writers_holds_whole_transactions(
    places: Callable[[], Place], tmp_path: Path
) -> None:
    busy, quiet = places(), places()
    busy.manage("migrate", "--verbosity", "0")
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE_PAIRS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=PROJECT, env=busy.environment(), **pipes) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        busy.manage("backup", "--to", str(tmp_path / "busy.tar"))
        assert writer.poll() is None
        writer.communicate(b"stop\n", timeout=30)
    quiet.manage("restore", str(tmp_path / "busy.tar"))
    models, revisions = map(int, quiet.shell(COUNT_PAIRS).split())
    written, _ = map(int, busy.shell(COUNT_PAIRS).split())
    assert 0 < models == revisions < written


# --- Refusals ----------------------------------------------------------------------------------------------


def test_a_database_with_tables_is_left_alone(site: Place, backup: Path) -> None:
    before = site.manage(*REPORT)
    assert "tables: " in site.refusal("restore", str(backup))
    assert site.manage(*REPORT) == before


def test_a_running_site_is_left_alone(backup: Path, tmp_path: Path) -> None:
    place = Place(tmp_path)
    with preflight.sole_use(tmp_path, "http://localhost:8000"):
        assert place.refusal("restore", str(backup)).startswith(f"A site already runs on {tmp_path}")


def test_a_damaged_backup_restores_nothing(backup: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar"
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    place = Place(tmp_path / "data")
    assert "is damaged: its SHA-256" in place.refusal("restore", str(damaged))
    assert not (tmp_path / "data" / "colloquy.sqlite3").exists()


def test_a_backup_by_newer_code_is_refused(backup: Path, places: Callable[[], Place], tmp_path: Path) -> None:
    newer = rewritten(backup, tmp_path, migrations=("chat.0999_from_the_future",))
    assert "newer code, which has chat.0999_from_the_future" in places().refusal("restore", str(newer))


def test_the_other_engine_s_backup_is_refused(
    backup: Path, places: Callable[[], Place], tmp_path: Path
) -> None:
    other = rewritten(backup, tmp_path, engine="sqlite" if ON_POSTGRESQL else "postgresql")
    assert "The backup is of a " in places().refusal("restore", str(other))


def test_rows_that_are_not_those_of_the_manifest_are_told(
    backup: Path, places: Callable[[], Place], tmp_path: Path
) -> None:
    tables = dict(archive.verify(backup).database.tables)
    tables["chat_message"] = tables["chat_study"]
    other = rewritten(backup, tmp_path, tables=tables)
    assert "not" in places().refusal("restore", str(other))


def rewritten(backup: Path, folder: Path, **changes: object) -> Path:
    """The same members under a manifest that says something else of the database."""
    from dataclasses import replace

    manifest = archive.verify(backup)
    sources = {name: folder / str(number) for number, name in enumerate(manifest.members)}
    archive.extract(backup, sources)
    changed = replace(manifest, database=replace(manifest.database, **changes))
    archive.write(folder / "rewritten.tar", changed, sources)
    return folder / "rewritten.tar"


def test_a_name_that_is_taken_is_kept(site: Place, backup: Path) -> None:
    before = backup.read_bytes()
    assert "is there already" in site.refusal("backup", "--to", str(backup))
    assert backup.read_bytes() == before


def test_an_empty_database_is_no_site(places: Callable[[], Place], tmp_path: Path) -> None:
    assert places().refusal("backup", "--to", str(tmp_path)).startswith("The database holds no site")
    assert list(tmp_path.iterdir()) == []


# --- Keys and models ---------------------------------------------------------------------------------------


def test_a_key_from_the_environment_stays_there(
    site: Place, places: Callable[[], Place], tmp_path: Path
) -> None:
    key = "k1l2m3n4" * 9
    said = site.manage("backup", "--to", str(tmp_path), SECRET_KEY=key)
    (backup,) = tmp_path.glob("colloquy-*.tar")
    assert "no secret key" in said and "secret_key" not in archive.verify(backup).members
    assert "The secret key is not the one" in places().manage("restore", str(backup))
    assert "The secret key" not in places().manage("restore", str(backup), SECRET_KEY=key)


def test_a_model_that_is_only_listed_is_looked_for(
    site: Place, places: Callable[[], Place], tmp_path: Path
) -> None:
    site.manage("backup", "--to", str(tmp_path / "b.tar"))
    folder, hidden = site.data / "models" / "own", site.data / "models" / "hidden"
    folder.rename(hidden)
    try:
        said = places().manage("restore", str(tmp_path / "b.tar"))
    finally:
        hidden.rename(folder)
    assert f"The model own@1 is not in {folder}." in said


def test_a_changed_model_is_not_backed_up_as_if_it_were_whole(site: Place, tmp_path: Path) -> None:
    weights = site.data / "models" / "own" / "weights.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes(b"other")
    try:
        said = site.refusal("backup", "--to", str(tmp_path / "b.tar"), "--models")
    finally:
        weights.write_bytes(kept)
    assert "the files are not those that were registered as own@1" in said
    assert list(tmp_path.iterdir()) == []


# --- PostgreSQL's tools ------------------------------------------------------------------------------------


@pytest.mark.skipif(not ON_POSTGRESQL, reason="needs DATABASE_URL with a PostgreSQL; .ci/run sets it")
def test_missing_and_old_tools_are_one_sentence(site: Place, tmp_path: Path) -> None:
    to = str(tmp_path / "b.tar")
    assert site.refusal("backup", "--to", to, PATH=str(tmp_path)).startswith("pg_dump is not installed")
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    assert "says 'pg_dump (PostgreSQL) 9.6.1'" in site.refusal("backup", "--to", to, PATH=str(tmp_path))
