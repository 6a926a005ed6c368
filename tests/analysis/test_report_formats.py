"""The whole report as files: what they hold, that they say it twice alike, and that names in them do no harm."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from analysis.exports.reports import REPORT_FORMATS, CannotWrite, write
from analysis.inference import Source, analyse
from analysis.statistics.covariates import Number
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.writeup.document import Document
from analysis.writeup.report import written
from tests.analysis.rating_files import Row, drawn_rows, frame_of

#: A name that would do something in each format, were it not escaped.
WICKED = '=1+1 <script src="//x">&amp;</script> | **b** \\input{x} $x$ 100 % _a_'
every_format = pytest.mark.parametrize("form", REPORT_FORMATS)


def made(rows: list[Row], **given: object) -> Document:
    frame = frame_of(rows)
    turns = Number("turns", "one more", np.arange(len(frame.score)) % 5.0)
    source = Source("ratings.csv", collected_elsewhere=True, notes=("2 empty lines",))
    options = IntervalOptions(**given)
    without = {"speed": frame.without({"w1"})}
    return written(analyse(frame, source, options, covariates=[turns], without=without))


DOCUMENT = made(drawn_rows())
WICKED_DOCUMENT = made(drawn_rows(models=["Ape", WICKED], axes=(WICKED, "overall")))
POOR_DOCUMENT = made([("w1", "A", "c1", "overall", 3)])


def text(form: str, document: Document = DOCUMENT) -> str:
    """All files of a format."""
    return "\n".join(REPORT_FORMATS[form](document).values())


@every_format
def test_the_same_data_and_seed_give_the_same_bytes(form: str) -> None:
    given = {"method": Method.BOOTSTRAP, "seed": 3, "replicates": 60}
    first, second = (text(form, made(drawn_rows(), **given)) for _ in range(2))
    assert first == second
    assert first != text(form, made(drawn_rows(), **given | {"seed": 4}))


@every_format
def test_every_format_tells_its_data_its_code_its_way_and_its_exclusions(form: str) -> None:
    found = text(form)
    facts = {name: str(value) for name, _, value in DOCUMENT.facts}
    for name in ("data_sha256", "code_version", "method", "source"):
        assert facts[name] in found, name
    assert "speed (1 worker, " in found
    assert DOCUMENT.answer.title in found


@every_format
def test_poor_data_can_be_written(form: str) -> None:
    assert "nan" not in text(form, POOR_DOCUMENT).lower()


@every_format
def test_no_worker_and_no_talk_is_named(form: str) -> None:
    assert not re.search(r"\b[wc]\d+\b", text(form))


# --- CSV and JSON -------------------------------------------------------------------------------------------


def test_csv_has_a_file_a_table_even_where_it_is_empty() -> None:
    files = REPORT_FORMATS["csv"](POOR_DOCUMENT)
    assert set(files) == set(REPORT_FORMATS["csv"](DOCUMENT))
    assert files["csv/differences.csv"].startswith("axis,first,second,estimate,")
    assert len(files["csv/differences.csv"].splitlines()) == 1


def test_csv_lines_are_the_tables() -> None:
    lines = list(csv.DictReader(io.StringIO(REPORT_FORMATS["csv"](DOCUMENT)["csv/means.csv"])))
    table = DOCUMENT.sections[0].tables[0]
    assert len(lines) == len(table.rows) == 6
    low = table.rows[3][table.columns.index("low")]
    assert float(lines[3]["low"]) == pytest.approx(low, abs=1e-6) and lines[3]["bold"] in ("true", "false")
    assert lines[3]["paper_mean"] == "" and len(lines[3]["data_sha256"]) == 64


def test_json_holds_every_table_and_how_it_was_made() -> None:
    document = json.loads(text("json"))
    assert document["schema"] == "colloquy.report/1"
    assert (document["method"], document["level"], document["seed"]) == ("wilson-cr2", 0.95, 0)
    assert set(document["tables"]) == {table.name for table in DOCUMENT.tables()}
    assert document["tables"]["differences"][0]["first"] == "Ape"
    assert document["notes"] == "2 empty lines" and document["exclusions"].startswith("speed (")


def test_a_name_that_begins_like_a_formula_is_neutralised() -> None:
    lines = list(csv.DictReader(io.StringIO(REPORT_FORMATS["csv"](WICKED_DOCUMENT)["csv/means.csv"])))
    assert {line["model"] for line in lines} == {"Ape", f"'{WICKED}"}


# --- For people ---------------------------------------------------------------------------------------------


def test_markdown_keeps_every_row_as_wide_as_its_head() -> None:
    rows = [line for line in text("markdown", WICKED_DOCUMENT).splitlines() if line.startswith("| ")]
    widths = [len(re.split(r"(?<!\\)\|", row)) for row in rows]
    heads = [place for place, row in enumerate(rows) if row.startswith("| --- ")]
    assert len(heads) > 8
    for begin, end in zip(heads, [*[place - 1 for place in heads[1:]], len(rows)], strict=True):
        assert len(set(widths[begin - 1 : end])) == 1


def test_markdown_names_are_shown_as_they_stand() -> None:
    found = text("markdown", WICKED_DOCUMENT)
    assert r"\<script src=" in found and "<script" not in found.replace(r"\<script", "")


def test_latex_tables_are_booktabs_with_as_many_fields_as_columns() -> None:
    found = text("latex", WICKED_DOCUMENT)
    tables = re.findall(r"\\begin\{tabular\}\{(l?c*)\}(.*?)\\end\{tabular\}", found, re.DOTALL)
    assert len(tables) == sum(len(section.grids) for section in WICKED_DOCUMENT.sections)
    for columns, body in tables:
        assert all(body.count(rule) == 1 for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert all(row.count(" & ") == len(columns) - 1 for row in rows)


def test_latex_says_what_letters_of_other_alphabets_take() -> None:
    assert text("latex", made(drawn_rows(models=["Ape", "多語言"]))).startswith(
        "% Names hold letters that pdfLaTeX"
    )
    assert "pdfLaTeX" not in text("latex")


def test_latex_braces_close_and_names_are_escaped() -> None:
    found = text("latex", WICKED_DOCUMENT)
    plain = found.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert r"\input{x}" not in found and r"\textbackslash{}input\{x\} \$x\$ 100 \% \_a\_" in found


def test_a_table_of_more_than_a_page_runs_over_pages() -> None:
    models = [f"model {number:02d}" for number in range(11)]
    found = text("latex", made(drawn_rows(talks=66, models=models, axes=["overall"])))
    assert found.count(r"\begin{longtable}") == found.count(r"\end{longtable}") == 1
    assert found.count(r"\endhead") == 1


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_fetches_nothing_runs_nothing_and_is_well_formed() -> None:
    source = text("html", WICKED_DOCUMENT)
    page = Page(source)
    assert page.open == [] and not page.named("script") and not page.named("link") and not page.named("img")
    fetching = {"src", "srcset", "poster", "data", "action", "xlink:href"}
    assert not [
        attributes for _, attributes in page.tags if fetching & attributes.keys() or "style" in attributes
    ]
    assert all((link["href"] or "").startswith("#") for link in page.named("a"))
    assert "url(" not in source and "@import" not in source
    assert "default-src &#x27;none&#x27;" in source


def test_what_the_page_refers_to_is_there_once() -> None:
    page = Page(text("html"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = [
        label for _, attributes in page.tags for label in (attributes.get("aria-labelledby") or "").split()
    ]
    targets = [(link["href"] or "").removeprefix("#") for link in page.named("a")]
    assert set(labels) | set(targets) <= set(ids)


def test_the_page_answers_a_question_at_a_time() -> None:
    asked = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd></div>", text("html")))
    assert list(asked) == ["By how much", "How sure", "How many more talks"]
    assert [html.unescape(said) for said in asked.values()] == [
        " ".join(part.sentence for part in DOCUMENT.answer.parts if part.question == question)
        for question in asked
    ]


def test_tables_of_what_figures_draw_are_folded_away() -> None:
    folded = re.findall(r"<details><summary>Figures as a table: ([^<]+)</summary>", text("html"))
    grids = [grid for section in DOCUMENT.sections for grid in section.grids]
    assert folded == [grid.title for grid in grids if grid.detail] and len(folded) < len(grids)


def test_every_picture_has_a_name_and_its_section_a_table() -> None:
    page = Page(text("html"))
    pictures = page.named("svg")
    assert len(pictures) == sum(len(section.figures) for section in DOCUMENT.sections) == 10
    assert all(picture["role"] == "img" and picture["aria-labelledby"] for picture in pictures)
    assert all(section.grids for section in DOCUMENT.sections if section.figures)
    assert len(page.named("caption")) == len(page.named("table"))


def test_a_figure_stands_where_its_number_is() -> None:
    """The mark of each mean, from the plot's own units back to the scale."""
    (forest, _) = DOCUMENT.sections[0].figures
    found = re.findall(r'<circle class="point \w+" cx="([\d.]+)"', text("html"))[: len(forest.intervals)]
    ticks = dict(
        re.findall(
            r'<text x="([\d.]+)" y="\d+" text-anchor="middle" class="tick">([\d.]+)</text>', text("html")
        )
    )
    (x1, v1), (x2, v2) = sorted(
        (float(x), float(v)) for x, v in ticks.items() if float(v) in (forest.low, forest.high)
    )[:2]
    means = [v1 + (float(x) - x1) / (x2 - x1) * (v2 - v1) for x in found]
    assert means == pytest.approx([each.mean for each in forest.intervals], abs=0.01)


def test_long_names_stand_whole_in_two_lines() -> None:
    names = [f"Llama-3.1-70B-Instruct (prompt {number})" for number in (1, 2)]
    source = text("html", made(drawn_rows(models=names)))
    lines = re.findall(r'<text [^>]*class="small[^"]*">([^<]+)</text>', source)
    assert lines[:4] == ["Llama-3.1-70B-Instruct", "(prompt 1)", "Llama-3.1-70B-Instruct", "(prompt 2)"]


def test_shares_fill_their_bars() -> None:
    bars = next(section for section in DOCUMENT.sections if section.name == "distributions").figures
    assert all(sum(shares) == pytest.approx(1) for plot in bars for _, shares in plot.bars)


# --- Writing ------------------------------------------------------------------------------------------------


def test_files_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    paths = write(DOCUMENT, ["json", "csv"], tmp_path / "a" / "b")
    assert all(path.is_file() for path in paths)
    assert (tmp_path / "a/b/report.json").read_text() == text("json")
    assert (tmp_path / "a/b/csv/about.csv").read_bytes().count(b"\r\n") > 5


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match=r"Cannot write .*report\.json: "):
        write(DOCUMENT, ["json"], tmp_path / "file")
