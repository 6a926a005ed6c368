"""``manage.py plan``: where the spread is from, every format, adoption, and refusals in words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from analysis.models import StudyPlan
from analysis.planning import looks
from analysis.statistics.mixed import fit
from chat import studies
from tests.analysis.planned_studies import draft, hold, planned
from tests.analysis.rating_files import drawn_rows, frame_of, write_ratings

pytestmark = pytest.mark.django_db


def run(*options: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("plan", *map(str, options), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def as_json(*options: object) -> dict:
    return json.loads(run("--format", "json", *options)[0])


def test_by_default_the_papers_spread_is_planned_for() -> None:
    told = as_json("--models", 8, "--question", "one_pair")
    assert told["scenario"]["sd"] == 1.3 and "paper" in told["scenario"]["spread_source"]
    assert (told["schema"], told["talks_per_model"]) == ("colloquy.plan/1", 295)


def test_a_spread_by_hand_wins() -> None:
    told = as_json("--sd", 2, "--icc", 0, "--talks-a-worker", 1, "--difference", 0.5)
    assert (told["talks_per_model"], told["scenario"]["spread_source"]) == (252, "given")


def test_a_pilot_file_gives_its_spread_and_load(tmp_path: Path) -> None:
    rows = drawn_rows()
    path = write_ratings(tmp_path / "pilot.csv", rows)
    told = as_json("--pilot", path)["scenario"]
    frame = frame_of(rows)
    fitted = fit(frame.table())[frame.axes.index("overall")]
    assert told["sd"] ** 2 == pytest.approx(fitted.var_worker + fitted.var_residual)
    assert told["icc"] == pytest.approx(fitted.icc)
    assert told["spread_source"].startswith("pilot.csv: ")
    assert told["talks_a_worker"] == pytest.approx(frame.talks / frame.workers)


def test_a_pilot_study_gives_its_spread(rated_study) -> None:
    rated = rated_study(slug="pilot", models=["a", "b"])
    hold(rated, 40, [3, 3.5])
    told = as_json("--pilot-study", "pilot")["scenario"]
    assert 0.8 < told["sd"] < 1.6 and told["talks_a_worker"] == 4
    assert told["spread_source"] == "study pilot: 80 ratings on overall by 20 workers"


def test_a_pilot_of_programs_says_so(rated_study) -> None:
    hold(rated_study(slug="pilot", models=["a", "b"]), 20, [3, 3.5], simulated=True)
    assert "study pilot (simulated)" in as_json("--pilot-study", "pilot")["scenario"]["spread_source"]


def test_text_has_the_answer_the_looks_and_the_curve() -> None:
    said, _ = run("--models", 8, "--looks", 5, "--pay", 1.5, "--talks-a-day", 120)
    assert said.startswith(
        "303 talks of each of 8 models, 2,424 in all, find a difference of 0.30 with power 80 %."
    )
    assert "It takes 713 workers, a cost of 3,636.00 and 20.2 days." in said
    assert "28 pairs tested at 5 %" in said
    assert "<- the plan" in said


def test_markdown_has_three_tables() -> None:
    said, _ = run("--looks", 3, "--format", "markdown")
    assert said.startswith("# Plan\n\n**") and said.count("\n|---|") == 3


def test_csv_is_the_curve() -> None:
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv")[0])))
    assert [float(row["power"]) for row in rows] == sorted(float(row["power"]) for row in rows)
    assert {"talks", "power", "detectable"} == set(rows[0])


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    said, _ = run("--models", 3, "--looks", 5, "--format", "svg")
    talks = as_json("--models", 3, "--looks", 5)["talks_per_model"]
    texts = [each.text for each in ElementTree.fromstring(said).iter() if each.tag.endswith("text")]  # noqa: S314 (our own)
    assert f"the plan: {talks}" in texts and "5 looks" in texts and "80 % power" in texts
    run("--models", 3, "--format", "png", "--output", tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


def test_a_png_is_not_printed_and_nothing_is_adopted_meanwhile() -> None:
    draft(["a", "b"])
    with pytest.raises(CommandError, match="say where it goes: --output FILE"):
        run("--study", "planned", "--adopt", "--format", "png")
    assert not StudyPlan.objects.exists()


def test_a_file_is_written_where_one_is_named(tmp_path: Path) -> None:
    said, told = run("--format", "json", "--output", tmp_path / "plan.json")
    assert said == "" and "Wrote" in told
    assert json.loads((tmp_path / "plan.json").read_text())["talks"] == 534


def test_a_study_adopts_what_is_printed_for_its_models() -> None:
    rated = draft(["a", "b", "c"])
    said, told = run("--study", "planned", "--looks", 4, "--adopt", "--on-stop", "close", "--note", "why not")
    plan = StudyPlan.objects.get()
    assert said.startswith(f"{plan.talks_per_arm} talks of each of 3 models")
    assert (plan.looks, plan.on_stop, plan.question, plan.axis) == (4, "close", "best", "overall")
    assert told.startswith("planned adopted this as version 1 of its plan; each model's target is now")
    assert rated.study.decisions.get().note == "why not"
    run("--study", "planned", "--withdraw")
    assert StudyPlan.objects.get(version=2).withdrawn


def test_the_plan_its_looks_and_limits_for_now_are_shown() -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(2), [1.5, 4.6])
    taken = looks.take_due(rated.study)
    said, _ = run("--study", "planned", "--show")
    assert "Look 2 answered the question: WoW is the best. The study closed itself." in said
    assert taken and f"{taken.limit:.3f}" in said and "Limits that hold at any time" in said


def test_a_study_without_a_plan_shows_that(rated_study) -> None:
    hold(rated_study(slug="free", models=["a", "b"]), 5, [3, 4])
    said, _ = run("--study", "free", "--show")
    assert said.startswith("This study has no plan.\n") and "Limits that hold at any time" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--show",), "Say which study"),
        (("--adopt",), "Say which study"),
        (("--study", "nowhere"), "There is no study 'nowhere'"),
        (("--difference", 0), "0 is no difference to look for"),
        (("--power", 2, "--looks", 0), "power is 2.*0 looks cannot be planned"),
        (("--pilot", "/nowhere.csv"), "nowhere.csv"),
        (("--study", "planned", "--adopt", "--axis", "charm"), "no axis 'charm'"),
        (("--study", "planned", "--adopt", "--models", 5), "for 5 models, the study has 2"),
        (("--study", "planned", "--adopt", "--pair", "x"), "write the places of two models"),
        (("--pilot-study", "planned"), "0 ratings on overall do not tell"),
        (("--pilot-study", ""), "There is no study ''"),
        (("--study", ""), "There is no study ''"),
        (("--study", "planned", "--adopt", "--withdraw"), "not allowed with"),
        (("--study", "planned", "--adopt", "--show"), "not allowed with"),
        (("--scale", 0, 100), "--scale is the scale of a file's ratings: it goes with --pilot FILE."),
        (("--pilot", "x.csv", "--scale", 5, 1), "the scale runs from 5 to 1; two numbers are expected"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(options: tuple[object, ...], words: str) -> None:
    draft()
    with pytest.raises(CommandError, match=words):
        run(*options)
    assert not StudyPlan.objects.exists()


def test_an_open_study_refuses_a_plan() -> None:
    rated = draft()
    studies.open_study(rated.study)
    with pytest.raises(
        CommandError, match="planned is open: a plan counts where it is adopted before the first talk"
    ):
        run("--study", "planned", "--adopt")
