"""A study's report as files from its page, and what an address may ask of it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import resvg_py
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from analysis.exports.pictures import FONT, ZOOM, as_png, as_svg, pictures
from analysis.exports.svg.shapes import WIDTH
from analysis.reading.ratings_frame import Population
from analysis.remembered import report as remembered
from analysis.report_options import ReportOptions
from chat.models import Participation
from tests.analysis.rated_studies import RatedStudy

PAGE = "/studies/table7/report/"
#: An address with everything other than by default, and the command's words for it.
ASKED = "?population=people&method=t&level=90&axis=empathy&excluded=on&paper=off"
ARGUMENTS = ("--method", "t", "--level", "0.9", "--main-axis", "empathy", "--with-excluded", "--no-paper")


@pytest.fixture
def researcher(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    return client


@pytest.fixture
def study(rated_study) -> RatedStudy:
    """Of three models, with one worker who is excluded."""
    made = rated_study(models=["WoW", "ED", "BST"])
    made.fill(25)
    first = min(made.people.values(), key=lambda person: person.pk)
    Participation.objects.filter(pk=first.pk).update(excluded_at=timezone.now())
    return made


@pytest.fixture
def written(study: RatedStudy, tmp_path: Path) -> Path:
    """What the command writes with the options of ``ASKED``."""
    call_command(
        "report", "--study", "table7", "--out", str(tmp_path / "out"), *ARGUMENTS, stdout=io.StringIO()
    )
    return tmp_path / "out"


def content(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content


# --- Files --------------------------------------------------------------------------------------------------


def test_each_file_is_what_the_command_writes(researcher: Client, written: Path) -> None:
    for ending in ("html", "md", "tex", "json"):
        answer = researcher.get(f"{PAGE}report.{ending}{ASKED}")
        assert answer.content == (written / f"report.{ending}").read_bytes(), ending
        assert answer.headers["Content-Disposition"] == f'attachment; filename="table7-report.{ending}"'


def test_folders_and_their_pictures_are_as_the_command_writes_them(researcher: Client, written: Path) -> None:
    for name in ("csv", "pictures"):
        packed = content(researcher, f"{PAGE}{name}.zip{ASKED}")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            found = {info.filename: archive.read(info) for info in archive.infolist()}
        assert found == {path.name: path.read_bytes() for path in (written / name).iterdir()}, name
        assert packed == content(researcher, f"{PAGE}{name}.zip{ASKED}")
    for path in (written / "pictures").glob("means-*"):
        assert content(researcher, f"{PAGE}pictures/{path.name}{ASKED}") == path.read_bytes()


@pytest.mark.parametrize(
    "name", ["report.docx", "other.zip", "pictures/other.svg", "pictures/means-empathy.gif"]
)
def test_what_there_is_not_is_not_found(researcher: Client, study: RatedStudy, name: str) -> None:
    assert researcher.get(PAGE + name).status_code == 404


def test_a_file_of_simulated_ratings_says_so_in_its_name(researcher: Client, study: RatedStudy) -> None:
    study.fill(5, simulated=True)
    answer = researcher.get(f"{PAGE}pictures/means-empathy.svg?population=simulated")
    assert 'filename="table7-means-empathy-simulated.svg"' in answer.headers["Content-Disposition"]
    assert b"Simulated data. Means and intervals" in answer.content


# --- Pictures -----------------------------------------------------------------------------------------------


def test_every_figure_is_a_picture_with_its_names_in_it(study: RatedStudy) -> None:
    document = remembered(study.study, ReportOptions(Population.PEOPLE)).document
    found = pictures(document)
    assert len({each.name for each in found}) == sum(len(each.figures) for each in document.sections)
    for each in found:
        root = ElementTree.fromstring(as_svg(each))  # noqa: S314 (our own)
        words = " ".join(root.itertext())
        assert each.section in words and each.figure.title in words
        assert not [part for part in root.iter() if part.tag.endswith("script")]


def test_a_png_needs_no_font_of_the_machine(study: RatedStudy) -> None:
    document = remembered(study.study, ReportOptions(Population.PEOPLE)).document
    picture = pictures(document)[0]
    drawn = as_png(picture)
    assert drawn.startswith(b"\x89PNG") and int.from_bytes(drawn[16:20]) == ZOOM * (WIDTH + 32)
    bare = resvg_py.svg_to_bytes(
        svg_string=as_svg(picture),
        zoom=ZOOM,
        skip_system_fonts=True,
        font_files=[str(path) for path in fonts()],
        font_family=FONT,
    )
    assert drawn == bare
    wordless = re.sub(r"<text.*?</text>", "", as_svg(picture))
    assert bare != resvg_py.svg_to_bytes(svg_string=wordless, zoom=ZOOM, skip_system_fonts=True)


def fonts() -> list[Path]:
    package = pytest.importorskip("font_source_sans_pro")
    folder = Path(package.__file__).parent / "files"
    return [folder / f"SourceSansPro-{weight}.ttf" for weight in ("Regular", "Bold")]


# --- The page and its address -------------------------------------------------------------------------------


def test_the_page_says_what_its_files_say(researcher: Client, study: RatedStudy) -> None:
    shown = unescape(content(researcher, PAGE + ASKED).decode())
    found = json.loads(content(researcher, f"{PAGE}report.json{ASKED}"))
    assert found["answer"]["title"] in shown and "empathy" in found["answer"]["title"]
    for section in found["sections"]:
        assert section["title"] in shown
        assert all(words in shown for words in (*section["words"], *section["missing"], *section["sources"]))


def test_every_address_of_the_page_keeps_what_was_chosen(researcher: Client, study: RatedStudy) -> None:
    shown = unescape(content(researcher, PAGE + ASKED).decode())
    links = re.findall(r'(?:href|src)="((?:/studies/table7/report/[^"]*)?\?[^"]*)"', shown)
    asked = parse_qs(ASKED[1:])
    assert len(links) > 40
    for link in links:
        kept = parse_qs(urlsplit(link).query)
        changed = [name for name in asked if kept.get(name) != asked[name]]
        assert len(changed) <= 1, link
    selected = re.findall(r'<option value="([^"]+)" selected>', shown)
    assert selected[:4] == ["t", "90", "empathy", "on"]


def test_the_way_of_intervals_changes_them_and_says_so(researcher: Client, study: RatedStudy) -> None:
    plain, other = (content(researcher, PAGE + query).decode() for query in ("", "?method=bootstrap"))
    assert "Wilson score intervals" in plain and "percentile intervals of a bootstrap" in other
    first = [re.findall(r"<small>(\d\.\d\d–\d\.\d\d)</small>", shown) for shown in (plain, other)]
    assert len(first[0]) == len(first[1]) == 12 and first[0] != first[1]


def test_excluded_workers_count_where_it_is_asked_for(researcher: Client, study: RatedStudy) -> None:
    without, counted = (
        json.loads(content(researcher, f"{PAGE}report.json{query}")) for query in ("", "?excluded=on")
    )
    assert counted["talks"] == 75 > without["talks"]
    assert counted["notes"] == "talks of excluded workers are counted" and without["notes"] == ""
    assert "excluded workers counted" in content(researcher, PAGE + "?excluded=on").decode()


def test_the_papers_figures_can_be_put_away_and_brought_back(researcher: Client, study: RatedStudy) -> None:
    shown, hidden = (content(researcher, PAGE + query).decode() for query in ("", "?paper=off"))
    assert shown.count('<small class="ref">paper ') == 12 and "Hide the paper" in shown
    assert '<small class="ref">' not in hidden and "Show the paper" in hidden
    assert "paper=off" in shown and "Ethe paper: 2.6" in shown and "Ethe paper: " not in hidden


@pytest.mark.parametrize("query", ["method=magic", "level=94", "axis=beauty", "excluded=maybe", "paper=1"])
def test_what_cannot_be_chosen_is_a_bad_request(researcher: Client, study: RatedStudy, query: str) -> None:
    for address in (PAGE, PAGE + "report.json", PAGE + "table7.csv", PAGE + "pictures/means-empathy.svg"):
        assert researcher.get(f"{address}?{query}").status_code == 400


# --- What is remembered -------------------------------------------------------------------------------------


def test_a_report_is_kept_until_the_study_changes(study: RatedStudy) -> None:
    options = ReportOptions(Population.PEOPLE)
    first = remembered(study.study, options)
    assert remembered(study.study, options) is first
    assert remembered(study.study, ReportOptions(Population.PEOPLE, level=0.9)) is not first
    person = max(study.people.values(), key=lambda each: each.pk)
    people = Participation.objects.filter(pk=person.pk)
    people.update(excluded_at=timezone.now())
    fewer = remembered(study.study, options)
    assert fewer.analysis.table.workers == first.analysis.table.workers - 1
    people.update(excluded_at=None)
    assert remembered(study.study, options).analysis.table == first.analysis.table
    study.talk("somebody else", 0, [1, 2, 3, 4])
    assert remembered(study.study, options).analysis.table.talks == first.analysis.table.talks + 1
    study.study.title = "Another title"
    study.study.save()
    assert "Another title" in remembered(study.study, options).document.title
