"""Table 7 as files: what they say, that they say it twice alike, and that names in them do no harm."""

from __future__ import annotations

import csv
import io
import json

import pytest

from analysis.errors import UnknownFormat
from analysis.exports import FORMATS, Format, format_named
from analysis.exports.latex import escape as latex_escape
from analysis.exports.markdown import escape as markdown_escape
from analysis.reading.frames import Population
from analysis.report import report_of
from analysis.tables.table7 import Table7
from ratings.spreadsheet import safe

every_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)


@pytest.fixture
def table(rated_study) -> Table7:
    study = rated_study()
    study.fill(4)
    return report_of(study.study)


@pytest.fixture
def simulated(rated_study) -> Table7:
    study = rated_study()
    study.fill(4, simulated=True)
    return report_of(study.study)


@every_format
def test_the_same_data_gives_the_same_bytes(rated_study, form: Format) -> None:
    study = rated_study()
    study.fill(4)
    first, second = (form.render(report_of(study.study)) for _ in range(2))
    assert first == second and first.endswith("\n")


@every_format
def test_simulated_data_says_so_and_peoples_does_not(form: Format, rated_study) -> None:
    study = rated_study()
    study.fill(2, simulated=True)
    study.fill(2)
    assert "simulated" in form.render(report_of(study.study, Population.SIMULATED)).lower()
    assert "simulated data" not in form.render(report_of(study.study, Population.PEOPLE)).lower()


@every_format
def test_every_format_names_its_data_and_its_code(form: Format, table: Table7) -> None:
    text = form.render(table)
    assert table.sha256 in text and "0.1+" in text


@every_format
def test_an_empty_table_can_be_written(form: Format, rated_study) -> None:
    assert "MT Two-Stage" in form.render(report_of(rated_study().study))


def test_csv_has_a_line_a_model_and_axis(table: Table7) -> None:
    lines = list(csv.DictReader(io.StringIO(format_named("csv").render(table))))
    cell = table.rows[5].cell("overall")
    line = next(line for line in lines if (line["model"], line["axis"]) == ("MT Two-Stage", "overall"))
    assert len(lines) == 32
    assert (float(line["mean"]), float(line["low"])) == pytest.approx((cell.mean, cell.low), abs=1e-6)
    assert (line["n"], line["paper_mean"], line["population"]) == ("4", "3.5", "people")


def test_every_csv_line_of_simulated_data_is_marked(simulated: Table7) -> None:
    lines = list(csv.DictReader(io.StringIO(format_named("csv").render(simulated))))
    assert {line["population"] for line in lines} == {"simulated"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", *"＝＋－＠"])
def test_a_name_that_begins_like_a_formula_is_neutralised(rated_study, start: str) -> None:
    name = f"{start}HYPERLINK(1)"
    assert safe(name) == f"'{name}"
    text = format_named("csv").render(report_of(rated_study(models=[name]).study))
    assert all(line["model"] == f"'{name}" for line in csv.DictReader(io.StringIO(text, newline="")))


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert safe("MT Single-Skills +BST fine-tuning") == "MT Single-Skills +BST fine-tuning"


def test_latex_is_a_booktabs_table_with_bold_and_intervals(table: Table7) -> None:
    text = format_named("latex").render(table)
    best = max((row.cell("overall") for row in table.rows), key=lambda cell: cell.mean or 0)
    assert rf"\textbf{{{best.mean:.2f}}} {{\scriptsize [{best.low:.2f}--{best.high:.2f}]}}" in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 8 and all(line.count(" & ") == 5 and line.endswith(r"\\") for line in body)


def test_latex_prints_names_as_they_stand() -> None:
    given = "50% of A&B_c #1 {x} ~ ^ $ \\input"
    assert latex_escape(given) == (
        r"50\% of A\&B\_c \#1 \{x\} \textasciitilde{} \textasciicircum{} \$ \textbackslash{}input"
    )


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("awq--int4---rev", "awq-{}-int4-{}-{}-rev"),
        ("a|b", r"a\textbar{}b"),
        ("``it''s", r"\textasciigrave{}\textasciigrave{}it'{}'s"),
        ("", ""),
    ],
)
def test_latex_prints_signs_that_it_would_join_as_they_stand(given: str, printed: str) -> None:
    assert latex_escape(given) == printed


def test_latex_says_what_letters_of_other_alphabets_take(rated_study) -> None:
    for name, told in (("Модель", True), ("Modèle", False)):
        study = rated_study(models=[name, "BST"], slug=f"letters-{told}".lower())
        study.fill(3)
        assert (
            "% Names hold letters that pdfLaTeX" in format_named("latex").render(report_of(study.study))
        ) is told


def test_a_line_break_in_a_title_cannot_leave_a_latex_comment(rated_study) -> None:
    study = rated_study(title="First\n\\input{secret}")
    text = format_named("latex").render(report_of(study.study))
    assert "\\input{secret}" not in text
    assert "First \\textbackslash{}input\\{secret\\}" in text


def test_markdown_keeps_a_name_inside_its_cell() -> None:
    assert markdown_escape("a|b *c* [d](e) <i>\nf") == r"a\|b \*c\* \[d\](e) \<i\> f"
    assert markdown_escape("- a") == r"\- a" and markdown_escape("12. a") == r"12\. a"
    assert markdown_escape("-0.5") == "-0.5" and markdown_escape("3.5 to 4") == "3.5 to 4"


def test_markdown_prints_intervals_bold_and_the_papers_means(table: Table7) -> None:
    text = format_named("markdown").render(table)
    cell = max((row.cell("overall") for row in table.rows), key=lambda cell: cell.mean or 0)
    assert f"**{cell.mean_text}** {cell.interval_text} [{cell.paper}]" in text
    assert text.startswith("# Table 7: Talk with a stranger\n")


def test_simulated_markdown_is_marked_in_its_title_and_in_a_line(simulated: Table7) -> None:
    lines = format_named("markdown").render(simulated).splitlines()
    assert lines[0] == "# Table 7: Talk with a stranger (simulated data)"
    assert lines[2].startswith("> **Simulated data: programs held these talks")


def test_simulated_latex_is_marked_in_its_caption(simulated: Table7) -> None:
    text = format_named("latex").render(simulated)
    assert text.startswith("% SIMULATED DATA\n") and r"\caption{\textbf{Simulated data.} " in text


def test_json_holds_how_it_was_made(simulated: Table7) -> None:
    document = json.loads(format_named("json").render(simulated))
    assert document["schema"] == "colloquy.table7/1"
    assert (document["population"], document["simulated"]) == ("simulated", True)
    assert document["method"]["name"] == "wilson-cr2" and document["method"]["level"] == 0.95
    assert [row["model"] for row in document["rows"]] == [row.model for row in simulated.rows]


def test_json_says_why_a_cell_has_no_interval(rated_study) -> None:
    study = rated_study(models=["ED"])
    study.talk("ann", 0, [1, 2, 3, 4])
    cell = json.loads(format_named("json").render(report_of(study.study)))["rows"][0]["cells"][3]
    assert (cell["mean"], cell["low"], cell["no_interval"]) == (4, None, "one_rating")


def test_an_unknown_format_names_those_there_are() -> None:
    with pytest.raises(UnknownFormat, match="no format 'xlsx'; known: markdown, csv, latex, json"):
        format_named("xlsx")


def test_no_file_holds_a_workers_or_a_talks_pseudonym(rated_study) -> None:
    study = rated_study()
    study.fill(2, workers=4)
    ids = {str(person.worker_id) for person in study.people.values()}
    ids |= {str(talk.pk) for person in study.people.values() for talk in person.conversations.all()}
    for form in FORMATS:
        text = form.render(report_of(study.study, Population.PEOPLE))
        assert not [each for each in ids if each in text or each.replace("-", "") in text]
