"""``manage.py benchmark`` from models to stored results, on tiny networks."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from modelhub import registry
from modelhub.benchmarks import ranking, store, systems
from modelhub.benchmarks.metrics import metrics
from modelhub.benchmarks.tasks import Options, ask
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.models import BenchmarkResult, ProvenanceResult, Revision

from .parlai_files import CONFIG as PARLAI_CONFIG
from .parlai_files import write_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("use_tiny_base")]
#: A few questions of each task, so that everything takes a second.
FEW = ("--max-examples", "24", "--candidates", "12")
RESULTS = (BenchmarkResult, ProvenanceResult)


@pytest.fixture(autouse=True)
def models(make_model, make_manager) -> dict[str, Revision]:
    """Three single-skill models, two composites of them, and one over all their utterances."""
    names = ("convai2", "wow", "ed")
    skills = [
        registry.register(name, name.upper(), "retrieval", make_model(name, seed=seed), {"skill": name})
        for seed, name in enumerate(names)
    ]
    made = dict(zip(names, skills, strict=True))
    made["random-skill"] = registry.register("random-skill", "Random-Skill", "random_skill", None, {}, skills)
    made["two"] = registry.register("two", "MT Two-Stage", "two_stage", make_manager("wow"), {}, skills)
    made["all"] = registry.register("all", "All", "retrieval", make_model("all", seed=9), {})
    return made


def benchmark(*options: object) -> str:
    out = io.StringIO()
    call_command("benchmark", *map(str, options), stdout=out)
    return out.getvalue()


def document(*options: object) -> dict:
    return json.loads(benchmark(*options, "--format", "json"))


def ranks_of(result: BenchmarkResult) -> list[int]:
    return [rank for dialogue in result.ranks_by_dialogue for rank in dialogue]


def interrupt_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Ctrl-C comes while the n-th task is ranked."""
    ranked = ranking.ranks
    calls: list[object] = []

    def ranks(*args: object, **options: object) -> list[int]:
        calls.append(args)
        if len(calls) == number:
            raise KeyboardInterrupt
        return ranked(*args, **options)

    monkeypatch.setattr("modelhub.benchmarks.measuring.ranking.ranks", ranks)


# --- Figures ------------------------------------------------------------------------------------------------------


def test_a_result_is_what_the_models_ranks_come_to(models) -> None:
    line = document("ed", "--task", "ed", *FEW)["results"][0]
    asked = ask(Skill.ED, STARTER, Options(candidates=12, max_examples=24))
    found = ranking.ranks(systems.resolve("ed").ranker(), asked.questions, batch=1)
    expected = metrics([[rank] for rank in found])
    figures = {name: line[name] for name in ("hits_at_1", "hits_at_5", "hits_at_10", "mrr")}
    assert figures == {name: pytest.approx(getattr(expected, name)) for name in figures}
    assert (line["examples"], line["candidates"], line["candidates_kind"]) == (24, 12, "random")
    result = BenchmarkResult.objects.get()
    assert result.revision == models["ed"] and result.reference == "ed@1"
    assert ranks_of(result) == found
    assert result.dialogues == len(result.ranks_by_dialogue)


def test_text_and_markdown_name_the_candidates_and_the_seed() -> None:
    text = benchmark("ed", "--task", "ed", *FEW, "--seed", 3)
    assert "12 random candidates, seed 3" in text
    assert "ties count against the label" in text
    row = benchmark("ed", "--task", "ed", *FEW, "--seed", 3, "--format", "markdown").splitlines()[2]
    assert row.startswith("| ed@1 | ed | test (part) | 24 |") and row.endswith("|")


def test_all_tasks_are_four_and_of_table_5s_variants_three() -> None:
    def tasks(*options: str) -> list[str]:
        return [each["task"] for each in document("ed", "--task", "all", *FEW, *options)["results"]]

    assert tasks() == ["convai2", "wow", "ed", "bst"]
    assert tasks("--mixed-candidates") == tasks("--added-context") == ["convai2", "wow", "ed"]
    mixed = BenchmarkResult.objects.filter(options__mixed_candidates=True)
    assert {result.candidates for result in mixed} == {36}


@pytest.mark.parametrize("slug", ["random-skill", "two"])
def test_composites_are_measured_as_the_parts_they_choose(slug: str) -> None:
    benchmark(slug, "convai2", "wow", "ed", "--task", "bst", *FEW)
    of = {result.revision.model.slug: ranks_of(result) for result in BenchmarkResult.objects.all()}
    composite = of.pop(slug)
    assert all(rank in ranks for rank, *ranks in zip(composite, *of.values(), strict=True))
    assert (composite == of["wow"]) is (slug == "two")


def test_a_folder_of_weights_can_be_named(make_model) -> None:
    folder = make_model("fresh", seed=4)
    line = document(folder, "--task", "ed", *FEW)["results"][0]
    assert (line["model"], line["reference"]) == ("fresh", str(folder))
    assert line["weights_sha256"] == registry.fingerprint(folder)
    assert document(folder, "--task", "ed", *FEW)["results"][0]["stored_before"]


@pytest.mark.parametrize("view_type", ["codes", "n_first"])
def test_a_model_of_parlais_is_measured_like_any_other(tmp_path: Path, view_type: str) -> None:
    source = write_model(
        tmp_path / "parlai", replace(PARLAI_CONFIG, view_type=view_type), polyencoder_type=view_type
    )
    call_command("import_parlai", source, slug="zoo", out=tmp_path / "zoo", stdout=io.StringIO())
    registered, folder = document("zoo", tmp_path / "zoo", "--task", "ed", *FEW)["results"]
    assert (registered["reference"], folder["reference"]) == ("zoo@1", str(tmp_path / "zoo"))
    first, second = BenchmarkResult.objects.all()
    assert ranks_of(first) == ranks_of(second) and len(set(ranks_of(first))) > 3
    assert document("zoo", "--provenance", *FEW)["results"][0]["shares"]["imported"]["share"] == 1
    with pytest.raises(CommandError, match="no untrained one to compare with"):
        benchmark("zoo", "--task", "ed", *FEW, "--against", "untrained")


def test_an_older_revision_can_be_named(make_model) -> None:
    registry.register("ed", "ED", "retrieval", make_model("newer", seed=5), {"skill": "ed"})
    references = [each["reference"] for each in document("ed", "ed@1", "--task", "ed", *FEW)["results"]]
    assert references == ["ed@2", "ed@1"]


# --- Differences --------------------------------------------------------------------------------------------------


def test_a_model_differs_from_itself_by_nothing() -> None:
    found = document("ed", "--task", "ed", *FEW, "--against", "ed")["differences"]
    assert found[0]["by_task"] == [["ed", {"value": 0, "lower": 0, "upper": 0}]]


def test_the_difference_is_that_of_the_two_models_hits() -> None:
    said = document("ed", "--task", "ed", "--task", "bst", *FEW, "--against", "wow")
    ours, theirs = (
        {each.task: each.hits_at_1 for each in BenchmarkResult.objects.filter(revision__model__slug=slug)}
        for slug in ("ed", "wow")
    )
    difference = said["differences"][0]
    for task, found in difference["by_task"]:
        assert found["value"] == pytest.approx(ours[task] - theirs[task])
        assert found["lower"] <= found["value"] <= found["upper"]
    assert difference["mean"]["value"] == pytest.approx(
        sum(found["value"] for _, found in difference["by_task"]) / 2
    )


def test_the_untrained_base_is_measured_and_stored_once() -> None:
    line = benchmark("ed", "random-skill", "--task", "ed", *FEW, "--against", "untrained").splitlines()[-1]
    assert line.startswith("Random-Skill against Untrained base, hits@1: ed ")
    assert BenchmarkResult.objects.filter(name="Untrained base").count() == 1


# --- Stored once, and resumed -------------------------------------------------------------------------------------


def test_what_is_stored_is_not_measured_again_unless_asked() -> None:
    first = document("ed", "--task", "ed", *FEW)["results"][0]
    second = document("ed", "--task", "ed", *FEW)["results"][0]
    assert (first["stored_before"], second["stored_before"]) == (False, True)
    assert "stored 20" in benchmark("ed", "--task", "ed", *FEW)
    assert BenchmarkResult.objects.count() == 1
    again = document("ed", "--task", "ed", *FEW, "--again")["results"][0]
    assert not again["stored_before"] and BenchmarkResult.objects.count() == 2


def test_a_result_of_other_code_says_so(monkeypatch) -> None:
    monkeypatch.setattr("modelhub.benchmarks.store.code_version", lambda: "0123456789ab")
    benchmark("ed", "--task", "ed", *FEW)
    assert "by other code" in benchmark("ed", "--task", "ed", *FEW)


def test_an_interrupted_run_keeps_finished_tasks_and_goes_on(monkeypatch, capsys) -> None:
    with monkeypatch.context() as patched:
        interrupt_at(patched, 3)
        with pytest.raises(SystemExit) as stopped:
            benchmark("ed", "--task", "all", *FEW)
    assert stopped.value.code == 130
    kept = list(BenchmarkResult.objects.values_list("pk", "task"))
    assert [task for _, task in kept] == ["convai2", "wow"]
    found = document("ed", "--task", "all", *FEW)["results"]
    assert [each["stored_before"] for each in found] == [True, True, False, False]
    assert list(BenchmarkResult.objects.values_list("pk", "task"))[:2] == kept


def test_nothing_is_loaded_where_everything_is_stored(make_model) -> None:
    folder = make_model("fresh", seed=4)
    revision = registry.register("gone", "Gone", "retrieval", folder, {})
    benchmark("gone", "--task", "ed", *FEW)
    shutil.rmtree(folder)
    assert document("gone", "--task", "ed", *FEW)["results"][0]["stored_before"]
    with pytest.raises(CommandError, match="none of config"):
        benchmark("gone", "--task", "ed", *FEW, "--again")
    assert revision.benchmarkresults.count() == 1


@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.parametrize("how", ["update", "delete"])
def test_the_database_refuses_to_change_a_result(kind: type, how: str) -> None:
    benchmark("ed", "--task", "bst", *FEW)
    benchmark("ed", "--provenance", *FEW)
    row = kind.objects.get()
    with pytest.raises(DatabaseError, match="a result is immutable"), transaction.atomic():
        kind.objects.update(split="train") if how == "update" else kind.objects.all()._raw_delete("default")
    assert kind.objects.get() == row


# --- Provenance ---------------------------------------------------------------------------------------------------


def test_provenance_is_the_share_of_each_source_among_the_replies(models) -> None:
    line = document("all", "--provenance", *FEW)["results"][0]
    asked = ask(Skill.BST, STARTER, Options(candidates=12, max_examples=24))
    agent = systems.resolve("all").agent()
    sources = [agent.reply([question.example.dialogue])[0].evidence["source"] for question in asked.questions]
    shares = {source: found["share"] for source, found in line["shares"].items()}
    assert shares == {source: pytest.approx(sources.count(source) / 24) for source in sorted(set(sources))}
    assert sum(shares.values()) == pytest.approx(1)
    assert ProvenanceResult.objects.get().revision == models["all"]


def test_a_composites_replies_come_from_the_part_it_chooses() -> None:
    composite, part = document("two", "wow", "--provenance", *FEW)["results"]
    assert composite["shares"] == part["shares"]


def test_provenance_is_stored_once_too() -> None:
    assert not document("all", "--provenance", *FEW)["results"][0]["stored_before"]
    assert document("all", "--provenance", *FEW)["results"][0]["stored_before"]


# --- Refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("ed",), "name a task with --task"),
        (
            ("nobody", "--task", "ed"),
            r"'nobody' is neither a registered model nor a folder.*registered are: convai2",
        ),
        (("ed@7", "--task", "ed"), "no revision 7 of 'ed'; it has: 1"),
        (("ed@x", "--task", "ed"), "named by its number"),
        (("ed", "--task", "bst", "--mixed-candidates"), "not for bst"),
        (("ed", "--provenance", "--added-context"), "leave out"),
        (("ed", "--task", "ed", "--candidates", "1"), "counts from 2"),
        (("ed", "--task", "ed", "--against", "nobody"), "'nobody' is neither"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(options: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        benchmark(*options)


def test_a_folder_without_the_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=rf"{tmp_path} has no test split of ed; looked for"):
        benchmark("ed", "--task", "ed", "--data", tmp_path)


def test_a_manager_alone_and_an_empty_folder_are_refused(make_manager, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds a dialogue manager"):
        benchmark(make_manager("ed"), "--task", "ed", *FEW)
    with pytest.raises(CommandError, match=r"config\.json: cannot be read"):
        benchmark(tmp_path, "--task", "ed", *FEW)


def test_a_scripted_model_ranks_nothing() -> None:
    registry.register("script", "Script", "scripted", None, {"replies": ["Hello."]})
    with pytest.raises(CommandError, match="script@1 cannot score given candidates"):
        benchmark("script", "--task", "ed", *FEW)


def test_results_of_other_questions_are_not_compared() -> None:
    benchmark("ed", "--task", "ed", "--task", "bst", *FEW)
    pair = tuple(BenchmarkResult.objects.all())
    with pytest.raises(ValueError, match="same questions"):
        store.difference([pair])
