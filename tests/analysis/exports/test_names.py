"""Whom an export names: nobody, unless it was asked for with a reason."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from analysis.errors import ExportRefused
from analysis.exports.data import FORMS, Exported, Identification, export, read_jsonl, read_parquet
from analysis.exports.data.names import INTERNAL, pseudonyms
from chat.models import Conversation, Participation, Study, Worker
from chat.participation import completion_code
from tests.analysis.exports.collected import CONTACT, NOTE, RESEARCHER, Collected, empty_study

every_form = pytest.mark.parametrize("form", [form.name for form in FORMS])


def secrets(study: Study) -> set[str]:
    """Every id, name and code that no pseudonymous export may hold, in each form in which it could stand there."""
    ids = [
        *Worker.objects.values_list("pk", flat=True),
        *Participation.objects.values_list("pk", flat=True),
        *Conversation.objects.values_list("pk", flat=True),
    ]
    Participation.objects.update(state=Participation.State.DONE)
    codes = [
        completion_code(person)
        for person in Participation.objects.filter(study=study, conversations__state="complete").distinct()
    ]
    beginnings = {str(pk)[:8] for pk in Participation.objects.values_list("pk", flat=True)}
    return (
        beginnings
        | {str(each) for each in ids}
        | {each.hex for each in ids}
        | {RESEARCHER, CONTACT, NOTE, *codes}
    )


def texts(folder: Path) -> Iterator[str]:
    """Everything that a folder's files and their names hold; what Parquet packs is unpacked."""
    for path in folder.rglob("*"):
        yield path.name
        if path.suffix == ".parquet":
            yield json.dumps(list(read_parquet(path)), ensure_ascii=False)
        elif path.is_file():
            yield path.read_text(encoding="utf-8")


@every_form
def test_no_export_holds_an_id_a_name_or_a_code(
    collected: Collected, exported: Callable[..., Exported], form: str
) -> None:
    folder = exported(form, with_excluded=True).folder
    found = "\n".join(texts(folder))
    hidden = secrets(collected.study)
    assert len(hidden) > 25 and not [secret for secret in hidden if secret in found]


def test_an_identified_export_holds_them(collected: Collected, exported: Callable[..., Exported]) -> None:
    folder = exported("jsonl", identification=Identification("ada", "payments")).folder
    found = "\n".join(texts(folder))
    for secret in (str(collected.people["ann"].worker_id), RESEARCHER, CONTACT, NOTE):
        assert secret in found


def test_a_person_has_one_name_in_a_study_and_another_in_the_next(collected: Collected) -> None:
    other = empty_study("other").study
    person = collected.people["ann"].worker_id
    name = pseudonyms(collected.study).of(person)
    assert pseudonyms(Study.objects.get(pk=collected.study.pk)).of(person) == name
    assert pseudonyms(other).of(person) != name
    with override_settings(SECRET_KEY="another key of a site of the same study"):
        assert pseudonyms(collected.study).of(person) != name


def test_one_person_goes_by_one_name_in_all_kinds(exported: Callable[..., Exported]) -> None:
    folder = exported("jsonl", with_excluded=True).folder

    def named(kind: str, field: str) -> set[str]:
        return {record[field] for record in read_jsonl(folder / f"{kind}.jsonl") if record[field]}

    workers, talks = named("workers", "worker"), named("conversations", "conversation")
    assert len(workers) == 4
    for kind in ("conversations", "ratings", "findings", "decisions"):
        assert named(kind, "worker") <= workers
    assert named("ratings", "conversation") < talks and named("findings", "conversation") < talks


def test_ids_inside_of_what_was_counted_go_by_their_names(
    collected: Collected, exported: Callable[..., Exported]
) -> None:
    folder = exported("jsonl").folder
    finding = next(read_jsonl(folder / "findings.jsonl"))
    talk = pseudonyms(collected.study).of(collected.people["ann"].conversations.get(ordinal=1).pk)
    assert finding["numbers"]["like"] == f"talk {talk}"
    assert [place["conversation"] for place in finding["places"]] == [talk, talk]
    excluded = list(read_jsonl(folder / "decisions.jsonl"))[-1]
    assert finding["finding"] in [each["finding"] for each in excluded["details"]["findings"]]


def test_workers_whom_a_finding_names_go_by_their_names(
    collected: Collected, exported: Callable[..., Exported]
) -> None:
    found = {each["rule"]: each for each in read_jsonl(exported("jsonl").folder / "findings.jsonl")}
    names = pseudonyms(collected.study)
    named = [names.of(collected.people[name].worker_id) for name in ("ann", "bob")]
    assert found["shared_account"]["numbers"] == {"others": 2, "participations": ", ".join(named)}


@pytest.mark.parametrize("value", [3, None, True, "no id", ["a", {"b": 1.5}], {"deadbeef": "cafe"}])
def test_what_is_no_id_stays_as_it_is(collected: Collected, value: Any) -> None:
    assert pseudonyms(collected.study).within(value) == value


def test_an_identified_export_needs_a_reason(collected: Collected, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="needs a reason, which is logged: give --reason"):
        export(collected.study, tmp_path / "out", identification=Identification("ada", " "))
    assert not (tmp_path / "out").exists()


def test_an_identified_export_is_logged_as_a_warning_with_who_and_why(
    exported: Callable[..., Exported], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "analysis"):
        exported("jsonl", what=["workers"], identification=Identification("ada", "payments"))
        exported("csv", what=["workers"])
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [(each.study, each.user, each.reason) for each in warned] == [("table7", "ada", "payments")]  # type: ignore[attr-defined]


def test_a_key_is_not_shown_where_names_are() -> None:
    assert repr(INTERNAL) == "Names()"
