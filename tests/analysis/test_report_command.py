"""``manage.py report``."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.models import Participation

PROJECT = Path(__file__).resolve().parents[2]


def report(*arguments: str) -> str:
    out = StringIO()
    call_command("report", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_markdown_unless_told_otherwise(rated_study) -> None:
    rated_study().fill(3)
    assert report("--study", "table7").startswith("# Table 7: Talk with a stranger\n")
    assert report("--study", "table7", "--format", "csv").startswith("study,population,model,axis,n,")


def test_simulated_ratings_stand_in_only_where_there_are_no_others(rated_study) -> None:
    study = rated_study()
    study.fill(2, simulated=True)
    assert "(simulated data)" in report("--study", "table7")
    study.fill(2)
    assert "imulated" not in report("--study", "table7")
    assert "(simulated data)" in report("--study", "table7", "--simulated")


def test_talks_of_excluded_workers_count_where_it_is_asked_for(rated_study) -> None:
    study = rated_study(models=["WoW", "ED"])
    study.fill(20, workers=8)
    everybody = report("--study", "table7", "--format", "csv")
    person = next(iter(study.people.values()))
    Participation.objects.filter(pk=person.pk).update(excluded_at=timezone.now())
    without = report("--study", "table7", "--format", "csv")
    assert without != everybody
    assert report("--study", "table7", "--format", "csv", "--with-excluded") == everybody


def test_the_papers_figures_can_be_left_away(rated_study) -> None:
    rated_study(models=["WoW", "ED"]).fill(3)

    def means(*more: str) -> set[str]:
        text = report("--study", "table7", "--format", "csv", *more)
        return {row["paper_mean"] for row in csv.DictReader(StringIO(text))}

    assert "" not in means() and means("--no-paper") == {""}


def test_it_writes_a_file(rated_study, tmp_path: Path) -> None:
    rated_study().fill(2)
    path = tmp_path / "table.tex"
    assert report("--study", "table7", "--format", "latex", "--output", str(path)) == ""
    assert path.read_text() == report("--study", "table7", "--format", "latex")


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(rated_study, tmp_path: Path) -> None:
    rated_study()
    with pytest.raises(CommandError, match=r"Cannot write .*: No such file or directory\."):
        report("--study", "table7", "--output", str(tmp_path / "missing" / "table.md"))


def test_an_unknown_study_is_said_in_a_sentence(rated_study) -> None:
    rated_study()
    with pytest.raises(CommandError, match=r"There is no study 'other'\. Studies here: table7\."):
        report("--study", "other")


def test_data_names_the_sites_folder_and_a_folder_without_a_site_is_said_in_a_sentence(
    tmp_path: Path,
) -> None:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("COLLOQUY_DATA", "DATABASE_URL")
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "report", "--study", "table7", "--data", str(tmp_path)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: The database of {tmp_path} cannot be read (no such table")
    assert len(done.stderr.splitlines()) == 1
