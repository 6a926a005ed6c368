"""``manage.py report`` with --out: the whole analysis of a file of ratings, or of a study."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError, call_command

from analysis.exports.alone import alone
from tests.analysis.rating_files import drawn_rows, write_ratings

PROJECT = Path(__file__).resolve().parents[2]
#: What R found (expected_R_cells.csv) by our names.
OF_R = {
    "n": "n",
    "n_workers": "workers",
    "mean": "mean",
    "sd": "sd",
    "cr2_se": "cr2_error",
    "cr2_df": "cr2_df",
    "bold_R1_{way}": "bold",
    "{way}_lo": "low",
    "{way}_hi": "high",
}


def report(*arguments: object) -> str:
    out = StringIO()
    call_command("report", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return write_ratings(tmp_path / "ratings.csv", drawn_rows())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def read_json(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


# --- Files of ratings ---------------------------------------------------------------------------------------


def test_every_format_is_written_and_named(ratings: Path, out: Path) -> None:
    said = report("--ratings", ratings, "--out", out)
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "report.md",
        "report.tex",
        "report.json",
        "csv",
        "pictures",
    }
    assert said == (
        f"Wrote 38 files into {out}: report.html, report.md, report.tex, report.json, 14 in csv/ and 20 in pictures/.\n"
    )


def test_one_format_is_written_where_one_is_asked_for(ratings: Path, out: Path) -> None:
    report("--ratings", ratings, "--out", out, "--format", "latex")
    assert [path.name for path in out.iterdir()] == ["report.tex"]


@pytest.mark.parametrize(("method", "way"), [("wilson-cr2", "wilson"), ("t", "t"), ("cr2-t", "cr2")])
def test_cells_are_those_that_r_finds(reference: Path, out: Path, method: str, way: str) -> None:
    folder = reference / "vectors" / "statistics" / "public"
    report("--ratings", folder / "ratings.csv", "--out", out, "--format", "json", "--method", method)
    found = {(row["axis"], row["model"]): row for row in read_json(out)["tables"]["means"]}
    with (folder / "expected_R_cells.csv").open(newline="") as file:
        expected = list(csv.DictReader(file))
    assert len(expected) == len(found) == 32
    for row in expected:
        ours = found[row["axis"], row["model"]]
        for theirs, name in OF_R.items():
            value = row.get(theirs.format(way=way))
            if value in ("TRUE", "FALSE"):
                assert ours[name] is (value == "TRUE")
            elif value is not None:
                assert ours[name] == pytest.approx(float(value), abs=1e-9)


def test_pairs_are_those_that_r_finds(reference: Path, out: Path) -> None:
    folder = reference / "vectors" / "statistics" / "public"
    report("--ratings", folder / "ratings.csv", "--out", out, "--format", "json")
    found = {
        (row["axis"], f"{row['first']} - {row['second']}"): row
        for row in read_json(out)["tables"]["differences"]
    }
    for name, columns, allowed in (
        ("expected_R_lmer_pairs.csv", {"est": "estimate", "p_tukey": "p_tukey", "p_holm": "p_holm"}, 1e-4),
        (
            "expected_R_pairs_ols_cluster.csv",
            {"cr2_se": "clustered_error", "cr2_p_holm": "clustered_p_holm"},
            1e-9,
        ),
    ):
        with (folder / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 112
        for row in rows:
            ours = found[row["axis"], row["contrast"]]
            for theirs, own in columns.items():
                assert ours[own] == pytest.approx(float(row[theirs]), abs=allowed), (name, theirs)


def test_the_same_file_and_seed_give_the_same_bytes_in_another_process(ratings: Path, out: Path) -> None:
    given = [
        "--ratings",
        str(ratings),
        "--method",
        "bootstrap",
        "--replicates",
        "100",
        "--seed",
        "5",
        "--out",
    ]
    report(*given, out)
    subprocess.run(
        [sys.executable, "manage.py", "report", *given, str(out.parent / "again")],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    files = [path.relative_to(out) for path in out.rglob("*") if path.is_file()]
    assert len(files) == 38 and read_json(out)["seed"] == 5
    assert all((out / each).read_bytes() == (out.parent / "again" / each).read_bytes() for each in files)


def test_options_reach_the_report(ratings: Path, out: Path, tmp_path: Path) -> None:
    exclusions = tmp_path / "out.csv"
    exclusions.write_text("worker_id,rule\nw1,speed\nnobody,speed\n")
    report(
        *("--ratings", ratings, "--out", out, "--format", "json", "--scale", 0, 10, "--title", "A pilot"),
        *("--main-axis", "empathy", "--level", 0.9, "--exclusions", exclusions),
    )
    found = read_json(out)
    assert (found["title"], found["main_axis"], found["level"]) == ("A pilot", "empathy", 0.9)
    assert (found["scale_low"], found["scale_high"]) == (0, 10)
    assert found["exclusions"].startswith("speed (1 worker,")
    assert (
        found["notes"] == "180 rows read, none left out; the rules of exclusion name 1 worker without ratings"
    )


def test_a_file_with_faults_is_refused_with_all_of_them_and_nothing_is_written(
    ratings: Path, out: Path
) -> None:
    with pytest.raises(CommandError) as refused:
        report("--ratings", ratings, "--out", out, "--scale", 2, 4)
    told = str(refused.value).splitlines()
    assert told[0].startswith("ratings.csv: ") and "'1'; expected is a number from 2 to 4" in str(
        refused.value
    )
    assert len(told) == 22 and not out.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--ratings", "x.csv"], "Say where the report goes: --out DIR."),
        (["--ratings", "x.csv", "--out", "y", "--simulated"], "--simulated does not go with --ratings."),
        (["--study", "s", "--out", "y", "--scale", "1", "5"], "--scale does not go with --study."),
        (["--study", "s", "--out", "y", "--output", "z"], "--out and --output exclude each other"),
        (["--study", "s", "--format", "html"], "--format html goes with --out DIR."),
        (["--study", "s", "--level", "95"], "level is 95.0; a confidence level is from 0.5 to 0.9999"),
        (
            ["--ratings", "x.csv", "--out", "y", "--scale", "1", "inf"],
            "the scale runs from 1 to inf; two numbers",
        ),
        (
            ["--ratings", "x.csv", "--out", "y", "--seed", "-1"],
            "seed is -1; a seed is a whole number from 0.",
        ),
        (["--ratings", "x.csv", "--out", "y", "--scale", "5", "1"], "the scale runs from 5 to 1"),
        (["--ratings", "x.csv", "--out", "y"], "Cannot read x.csv: No such file or directory."),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as refused:
        report(*given)
    assert sentence in str(refused.value)


def test_a_study_whose_name_is_empty_is_no_file(rated_study, out: Path) -> None:
    rated_study("pilot")
    with pytest.raises(CommandError, match=r"There is no study ''\. Studies here: pilot\."):
        report("--study", "", "--out", out)


def test_an_axis_that_is_not_rated_is_said_in_a_sentence(ratings: Path, out: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no axis 'wit'; rated are empathy, overall\."):
        report("--ratings", ratings, "--out", out, "--main-axis", "wit")


def test_a_terminal_hears_what_is_going_on_and_a_file_does_not(ratings: Path, out: Path) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), StringIO()
    for stderr in (terminal, pipe):
        call_command("report", "--ratings", str(ratings), "--out", str(out), stdout=StringIO(), stderr=stderr)
    assert "180 rows read" in terminal.getvalue() and "mixed models" in terminal.getvalue()
    assert pipe.getvalue() == ""


# --- What goes wrong while it is written --------------------------------------------------------------------


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_report_that_finds_no_room_leaves_the_earlier_one_as_it_was(ratings: Path, out: Path) -> None:
    report("--ratings", ratings, "--out", out)
    before = everything(out)
    process = started(
        *("report", "--ratings", ratings, "--out", out, "--level", 0.9),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (
        1,
        f"CommandError: Cannot write {out}/report.html: File too large.\n",
    )
    assert everything(out) == before


def test_a_folder_that_another_command_writes_into_is_left_alone(ratings: Path, out: Path) -> None:
    with alone(out), pytest.raises(CommandError, match=r"Another command is writing into .*out; wait until"):
        report("--ratings", ratings, "--out", out, "--format", "json")
    assert not list(out.iterdir())


def test_files_of_an_earlier_report_are_named(ratings: Path, out: Path, tmp_path: Path) -> None:
    report("--ratings", ratings, "--out", out)
    fewer = write_ratings(tmp_path / "fewer.csv", [row for row in drawn_rows() if row[3] == "overall"])
    err = StringIO()
    call_command("report", "--ratings", str(fewer), "--out", str(out), stdout=StringIO(), stderr=err)
    assert err.getvalue().startswith("Not of this report, and left as they were: ")
    assert "pictures/means-empathy.png" in err.getvalue() and "overall" not in err.getvalue()
    call_command(
        "report", "--ratings", str(ratings), "--out", str(out), stdout=StringIO(), stderr=(err := StringIO())
    )
    assert err.getvalue() == ""


def test_a_name_that_is_too_long_for_a_file_is_cut(out: Path, tmp_path: Path) -> None:
    rows = [(*row[:3], f"{row[3]} {'x' * 300}", row[4]) for row in drawn_rows()]
    report("--ratings", write_ratings(tmp_path / "long.csv", rows), "--out", out, "--format", "svg")
    names = [path.name for path in (out / "pictures").iterdir()]
    assert len(set(names)) == len(names) > 4 and max(map(len, names)) < 100


def started(*arguments: object, **options: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_full_disk_under_what_is_printed_is_said_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        _, said = (process := started("plan", stdout=full)).communicate(timeout=60)
    assert (process.returncode, said) == (1, "CommandError: Cannot print: No space left on device.\n")


def test_a_terminal_without_our_letters_is_said_in_a_sentence() -> None:
    _, said = (
        process := started("plan", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    ).communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("CommandError: Cannot print in ascii") and "PYTHONIOENCODING=utf-8" in said


def test_ctrl_c_ends_it_without_a_traceback(
    ratings: Path, out: Path, eventually: Callable[..., None]
) -> None:
    process = started(
        *("report", "--ratings", ratings, "--out", out, "--method", "bootstrap", "--replicates", 100_000),
        # What runs in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    computed = psutil.Process(process.pid).cpu_times
    eventually(lambda: computed().user > 1, "a second of computing")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (130, "Stopped.")
    assert "Traceback" not in said and not out.exists()


# --- Studies ------------------------------------------------------------------------------------------------


def test_a_study_has_the_whole_analysis_too(rated_study, out: Path) -> None:
    rated_study().fill(6)
    report("--study", "table7", "--out", out)
    found = read_json(out)
    assert (found["source"], found["collected"], found["population"]) == ("table7", "by this site", "people")
    assert found["tables"]["means"][0]["paper_mean"] == 3.2
    assert "the paper's mean in square brackets" in (out / "report.md").read_text()


def test_simulated_ratings_are_marked_in_every_format(rated_study, out: Path) -> None:
    rated_study().fill(3, simulated=True)
    report("--study", "table7", "--out", out)
    for name in ("report.html", "report.md", "report.tex", "report.json", "csv/about.csv"):
        assert "imulated" in (out / name).read_text(), name


def test_a_study_without_ratings_says_what_is_missing(rated_study, out: Path) -> None:
    rated_study()
    report("--study", "table7", "--out", out)
    assert read_json(out)["answer"]["title"] == "There are no ratings yet"


def test_a_studys_table_can_have_other_intervals(rated_study) -> None:
    rated_study().fill(6)
    found = report("--study", "table7", "--method", "t", "--level", "0.9")
    assert "90 % Student's t intervals" in found
    assert ",t," in report("--study", "table7", "--method", "t", "--format", "csv").splitlines()[1]


def test_no_pseudonym_of_a_worker_or_a_talk_is_written(rated_study, out: Path) -> None:
    study = rated_study()
    study.fill(3, workers=4)
    report("--study", "table7", "--out", out)
    ids = {str(person.worker_id) for person in study.people.values()}
    ids |= {str(talk.pk) for person in study.people.values() for talk in person.conversations.all()}
    whole = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert not [each for each in ids if each.encode() in whole or each.replace("-", "").encode() in whole]
