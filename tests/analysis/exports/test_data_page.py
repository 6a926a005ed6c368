"""The page of a study's data and its downloads, through the site's own routes."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import FileResponse
from django.test import Client
from django.urls import reverse

from analysis import data_views
from analysis.exports.data import FORMS, KINDS, export, remake
from tests.analysis.exports.collected import Collected

PAGE = "/studies/table7/data/"


@pytest.fixture
def researcher(client: Client, collected: Collected) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    return client


def links(client: Client, address: str = PAGE) -> list[str]:
    page = client.get(address).content.decode()
    return [unescape(link) for link in re.findall(r'download href="([^"]+)"', page)]


def content(answer: FileResponse) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}jsonl/"])
def test_only_researchers_see_it(client: Client, collected: Collected, address: str) -> None:
    client.force_login(User.objects.create_user("somebody"))
    answer = client.get(address)
    assert answer.status_code == 302 and answer["Location"].startswith(reverse("signed_out"))


def test_every_link_of_the_page_downloads_something(researcher: Client) -> None:
    offered = links(researcher)
    assert len(offered) == 3 * (len(KINDS) + 1) + 4
    for link in offered:
        answer = researcher.get(link)
        assert answer.status_code == 200 and len(content(answer)) > 100, link
        assert "attachment" in answer["Content-Disposition"] and "no-store" in answer["Cache-Control"]


def test_a_download_is_what_the_command_writes(
    researcher: Client, collected: Collected, tmp_path: Path
) -> None:
    answer = researcher.get(f"{PAGE}jsonl/?what=ratings")
    written = export(collected.study, tmp_path / "out", what=["ratings"]).folder / "ratings.jsonl"
    assert content(answer) == written.read_bytes()
    assert answer["Content-Disposition"] == 'attachment; filename="table7-ratings.jsonl"'
    assert answer["Content-Type"] == "application/x-ndjson"


def test_several_files_come_in_an_archive_with_what_they_are(researcher: Client) -> None:
    answer = researcher.get(f"{PAGE}csv/?what=conversations")
    with zipfile.ZipFile(io.BytesIO(content(answer))) as zipped:
        assert {name.rpartition("/")[2] for name in zipped.namelist()} == {
            *("conversations.csv", "messages.csv", "export.json")
        }
        about = json.loads(zipped.read("table7-conversations/export.json"))
    assert about["study"] == "table7" and about["identified"] is False


def test_a_frozen_study_that_was_downloaded_makes_its_tables_again(
    researcher: Client, tmp_path: Path
) -> None:
    answer = researcher.get(f"{PAGE}bundle/")
    (tmp_path / "bundle.tar.gz").write_bytes(content(answer))
    assert answer["Content-Disposition"] == 'attachment; filename="table7-bundle.tar.gz"'
    assert not remake(tmp_path / "bundle.tar.gz").differing


def test_simulated_data_is_marked_and_named_so(researcher: Client) -> None:
    simulated = f"{PAGE}?population=simulated"
    assert "Simulated data." in researcher.get(simulated).content.decode()
    assert all("population=simulated" in link for link in links(researcher, simulated))
    answer = researcher.get(f"{PAGE}jsonl/?what=ratings&population=simulated")
    assert 'filename="table7-ratings-simulated.jsonl"' in answer["Content-Disposition"]
    assert content(answer).count(b"\n") == 4


def test_a_download_is_logged_with_who_took_what(
    researcher: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "analysis"):
        researcher.get(f"{PAGE}csv/?what=workers")
    (line,) = [record for record in caplog.records if record.message == "data downloaded"]
    assert (line.study, line.form, line.what) == ("table7", "csv", "workers")  # type: ignore[attr-defined]
    assert line.user == User.objects.get().pk  # type: ignore[attr-defined]


def test_a_large_study_is_left_to_the_command(researcher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_views, "MOST_TALKS", 6)
    assert links(researcher) == []
    page = researcher.get(PAGE).content.decode()
    assert "7 talks are more than the 6 that a page hands out" in page and "--format bundle" in page
    assert researcher.get(f"{PAGE}jsonl/").status_code == 400


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{PAGE}xlsx/", 404),
        (f"{PAGE}jsonl/?what=votes", 404),
        (f"{PAGE}bundle/?what=ratings", 400),
        (f"{PAGE}?population=everybody", 400),
        ("/studies/other/data/", 404),
        ("/studies/other/data/jsonl/", 404),
    ],
)
def test_what_there_is_not_cannot_be_downloaded(researcher: Client, address: str, status: int) -> None:
    assert researcher.get(address).status_code == status


def test_no_page_gives_internal_ids(researcher: Client, collected: Collected) -> None:
    answer = researcher.get(f"{PAGE}jsonl/?what=workers&identified=1&reason=payments")
    assert str(collected.people["ann"].worker_id).encode() not in content(answer)


def test_nothing_is_left_behind(researcher: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for form in FORMS:
        answer = researcher.get(f"{PAGE}{form.name}/")
        assert list(tmp_path.iterdir()) == []
        assert content(answer)


def test_the_study_s_page_and_the_rail_lead_there(researcher: Client) -> None:
    page = researcher.get("/studies/table7/").content.decode()
    assert page.count(f'href="{PAGE}"') == 2
