"""The page of Tables 4, 5 and 6 and its downloads, through the site's own routes."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from analysis.benchmarks import benchmarks
from analysis.errors import UnknownFormat
from analysis.exports import BENCHMARK_FORMATS, Format, benchmark_format_named
from modelhub.models import BenchmarkResult
from tests.analysis.measured_models import chose, measure_everything, model, ranked

pytestmark = pytest.mark.django_db
PAGE = "/benchmarks/"
every_format = pytest.mark.parametrize("form", BENCHMARK_FORMATS, ids=lambda form: form.name)
#: Names that do harm where they are not written as text.
ATTACK = "</script><img src=x onerror=alert(1)>|&%$ \\evil"


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    return client


def page(client: Client, **query: str) -> str:
    answer = client.get(PAGE, query)
    assert answer.status_code == 200
    return answer.content.decode()


def measure_some() -> None:
    """A part of Table 6, one cell of which was asked something else, and a row of Table 4."""
    ranked(model("convai2", "ConvAI2"), "bst")
    ranked(model("ed", "ED"), "bst")
    ranked(model("wow", "WoW"), "bst", questions_sha256="another seed", seed=8)
    chose(model("mt-single-skills"), [["convai2", "ed"], ["ed"]])


# --- The page -----------------------------------------------------------------------------------------------------


def test_nothing_measured_says_what_to_run(researcher: Client) -> None:
    shown = page(researcher)
    assert "Nothing was measured yet" in shown and "manage.py benchmark convai2" in shown
    assert "<table" not in shown and "download" not in shown


def test_some_results_show_three_tables_with_gaps(researcher: Client) -> None:
    measure_some()
    shown = page(researcher)
    assert re.findall(r'<h2 id="table(\d)"', shown) == ["4", "5", "6"]
    # Three cells of Table 6 and three of Table 4 have an interval.
    assert shown.count('class="point"') == 6
    assert shown.count('<span class="only-read">not measured</span>') > 60
    assert "not all asked the same" in shown and "* asked other questions" in shown
    assert "3 examples of 2 dialogues, replies from the model&#x27;s bank" in shown
    assert "Nothing was measured yet" not in shown


def test_all_results_show_every_cell_beside_the_papers(researcher: Client) -> None:
    measure_everything()
    shown = page(researcher)
    cells = [cell for table in benchmarks().tables for row in table.rows for cell in row.cells]
    assert shown.count('<small class="ref">paper ') == sum(cell.paper is not None for cell in cells) == 71
    assert shown.count('class="point"') == sum(cell.low is not None for cell in cells)
    assert "not all asked the same" not in shown
    for cell in cells:
        assert f'<span class="mean">{cell.text}' in shown and cell.interval_text in shown


def test_more_figures_of_a_ranking_stand_in_the_list(researcher: Client) -> None:
    ranked(model("ed"), "bst", [[1], [3], [7], [20]])
    shown = page(researcher)
    assert "<td>25.0</td>" in shown and "<td>50.0</td><td>75.0</td><td>0.382</td>" in shown


def test_folders_of_data_are_switched_by_the_address(researcher: Client) -> None:
    ranked(model("ed"), "bst", [[1], [1]])
    assert 'aria-label="Measured on"' not in page(researcher)
    ranked(model("ed"), "bst", [[2], [2]], data_folder="/data/a & b")
    shown = page(researcher)
    links = re.findall(r'<a class="breakable" href="\?data=([^"]+)"( aria-current="true")?', shown)
    assert [current for _, current in links] == [' aria-current="true"', ""]
    assert links[0][0] == "/data/a%20%26%20b"
    assert "Measured on /data/a &amp; b" in shown
    assert "Measured on starter corpus" in page(researcher, data="modelhub/datasets/starter")


def test_a_folder_that_nothing_was_measured_on_is_a_bad_request(researcher: Client) -> None:
    assert researcher.get(PAGE, {"data": "/nowhere"}).status_code == 400
    assert researcher.get(PAGE + "tables.csv", {"data": "/nowhere"}).status_code == 400


def test_names_are_text_and_never_markup(researcher: Client) -> None:
    ranked(model("attack", ATTACK), "bst", data_folder=f"/data/{ATTACK}")
    shown = page(researcher)
    assert "<img" not in shown and "&lt;img" in shown


def test_the_page_has_no_inline_style_and_no_inline_script(researcher: Client) -> None:
    measure_some()
    shown = page(researcher)
    assert not re.search(r"\sstyle=|<style|\son\w+=", shown)
    assert all("src=" in tag or "json" in tag for tag in re.findall(r"<script[^>]*>", shown))


def test_queries_do_not_grow_with_results(researcher: Client, django_assert_max_num_queries) -> None:
    measure_some()
    with django_assert_max_num_queries(6):
        page(researcher)
    measure_everything()
    with django_assert_max_num_queries(6):
        page(researcher)


def test_looking_changes_nothing(researcher: Client) -> None:
    measure_some()
    before = list(BenchmarkResult.objects.values())
    page(researcher)
    assert list(BenchmarkResult.objects.values()) == before
    assert researcher.post(PAGE).status_code == 405


def test_the_navigation_leads_here(researcher: Client) -> None:
    shown = researcher.get(reverse("studies")).content.decode()
    assert f'<a href="{PAGE}">Benchmarks</a>' in shown
    assert f'<a href="{PAGE}" aria-current="page">Benchmarks</a>' in page(researcher)


# --- Files --------------------------------------------------------------------------------------------------------


@every_format
def test_a_download_is_what_the_command_prints(researcher: Client, form: Format) -> None:
    measure_some()
    answer = researcher.get(reverse("benchmarks_file", args=[form.ending]))
    assert answer.content.decode() == command("--format", form.name) == form.render(benchmarks())
    assert answer.headers["Content-Disposition"] == f'attachment; filename="benchmarks.{form.ending}"'
    assert answer.headers["Content-Type"] == form.media_type


@every_format
def test_every_state_can_be_written_and_the_same_data_gives_the_same_bytes(form: Format) -> None:
    assert form.render(benchmarks()).endswith("\n")
    measure_some()
    some = form.render(benchmarks())
    assert some == form.render(benchmarks()) and "MT Two-Stage" in some and "0.1+" in some
    measure_everything()
    assert form.render(benchmarks()) != some


def test_the_pages_links_download_the_folder_it_shows(researcher: Client) -> None:
    ranked(model("ed"), "bst", data_folder="/data/a & b")
    ranked(model("ed"), "bst")
    links = re.findall(r'download href="([^"]+)"', page(researcher, data="/data/a & b"))
    assert len(links) == len(BENCHMARK_FORMATS)
    assert all("/data/a " in researcher.get(link).content.decode() for link in links)


def test_an_unknown_kind_of_file_is_not_found(researcher: Client) -> None:
    assert researcher.get(PAGE + "tables.xlsx").status_code == 404
    with pytest.raises(UnknownFormat, match=r"no format 'xlsx'; known: markdown, csv, latex, json"):
        benchmark_format_named("xlsx")


def test_csv_has_a_line_a_cell_with_what_it_was_asked() -> None:
    measure_some()
    lines = list(csv.DictReader(io.StringIO(command("--format", "csv"))))
    cells = sum(len(row.cells) for table in benchmarks().tables for row in table.rows)
    assert len(lines) == cells
    line = next(each for each in lines if (each["table"], each["model"]) == ("6", "ED"))
    assert (line["value"], line["paper_percent"], line["reference"]) == ("0.625000", "69.0", "ed@1")
    assert (line["asked"], line["same_questions"], line["examples"]) == ("20 listed candidates", "true", "8")
    assert (line["measured_by"], line["data_sha256"]) == ("0123456789ab", "d" * 64)
    other = next(each for each in lines if (each["table"], each["model"]) == ("6", "WoW"))
    assert other["same_questions"] == "false"


def test_markdown_marks_what_was_asked_something_else() -> None:
    measure_some()
    shown = command()
    assert "| ED | 62.5 " in shown and "[69.0] |" in shown
    assert r"| WoW | 62.5\* " in shown and r"\* asked other questions" in shown


def test_json_holds_how_it_was_made() -> None:
    measure_some()
    document = json.loads(command("--format", "json"))
    assert (document["schema"], document["method"]["level"]) == ("colloquy.benchmarks/1", 0.95)
    assert [table["number"] for table in document["tables"]] == [4, 5, 6]
    cell = document["tables"][2]["sections"][0]["rows"][2]["cells"][0]
    assert (cell["value"], cell["details"]["reference"]) == (0.625, "ed@1")


def test_names_do_no_harm_in_files() -> None:
    ranked(model("attack", f"={ATTACK}"), "bst")
    lines = list(csv.DictReader(io.StringIO(command("--format", "csv"))))
    line = next(each for each in lines if "attack" in each["reference"])
    assert line["model"].startswith("'=")
    markdown, latex = command(), command("--format", "latex")
    assert not re.search(r"(?<!\\)<img", markdown) and r"\|" in markdown
    assert r"\evil" not in latex and r"\textbackslash" in latex


def test_latex_can_be_set(tmp_path: Path) -> None:
    """As far as a look at its braces and environments goes: no TeX is needed for the tests."""
    measure_some()
    text = command("--format", "latex")
    assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 3
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    for line in text.splitlines():
        if line.endswith(r"\\") and "&" in line:
            assert line.count("&") - line.count(r"\&") in (2, 3, 4)


# --- The command --------------------------------------------------------------------------------------------------


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("benchmark_tables", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_markdown_of_the_folder_that_is_named() -> None:
    assert command() == "Nothing was measured yet.\n"
    ranked(model("ed"), "bst", [[1], [1]])
    ranked(model("ed"), "bst", [[2], [2]], data_folder="/data/official")
    assert command().startswith("Measured on /data/official, code ")
    assert command("--of", "starter corpus").startswith("Measured on starter corpus, code ")
    with pytest.raises(CommandError, match=r"Nothing was measured on 'x'\. .*here: /data/official, starter"):
        command("--of", "x")


def test_it_writes_a_file_or_says_why_not(tmp_path: Path) -> None:
    measure_some()
    path = tmp_path / "tables.tex"
    assert command("--format", "latex", "--output", str(path)) == ""
    assert path.read_text() == command("--format", "latex")
    with pytest.raises(CommandError, match=r"Cannot write .*: No such file or directory\."):
        command("--output", str(tmp_path / "missing" / "tables.md"))
