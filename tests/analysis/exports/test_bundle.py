"""A frozen study: verified, and the same Table 7 again without the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analysis.errors import BundleRefused, ExportRefused
from analysis.exports import FORMATS
from analysis.exports.data import Exported, Identification, Options, bundles, export, pack, remake
from analysis.reading.frames import Population
from modelhub.models import Revision
from modelhub.registry import fingerprint
from tests.analysis.exports.collected import Collected, empty_study


def report(form: str, *options: str) -> str:
    out = StringIO()
    call_command("report", "--study", "table7", "--format", form, *options, stdout=out)
    return out.getvalue()


def bundle_tables(*arguments: str) -> tuple[str, str]:
    """What the command prints, and what it says beside."""
    out, err = StringIO(), StringIO()
    call_command("bundle_tables", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
@pytest.mark.parametrize(
    "options", [{}, {"with_excluded": True}, {"identification": Identification("a", "b")}]
)
def test_its_tables_are_the_reports_byte_for_byte(
    many: Collected, tmp_path: Path, form: str, options: dict
) -> None:
    export(many.study, tmp_path / "frozen", form="bundle", **options)
    printed, _ = bundle_tables("--bundle", str(tmp_path / "frozen"), "--format", form)
    assert printed == report(form) and "MT Two-Stage" in printed


def test_simulated_ones_too(many: Collected, tmp_path: Path) -> None:
    export(many.study, tmp_path / "frozen", form="bundle", population=Population.SIMULATED)
    printed, _ = bundle_tables("--bundle", str(tmp_path / "frozen"), "--format", "json")
    assert printed == report("json", "--simulated")


def test_no_query_is_asked(many: Collected, tmp_path: Path, django_assert_num_queries: Callable) -> None:
    export(many.study, tmp_path / "frozen", form="bundle")
    with django_assert_num_queries(0):
        bundle_tables("--bundle", str(tmp_path / "frozen"))


def test_what_comes_later_changes_nothing(many: Collected, tmp_path: Path) -> None:
    export(many.study, tmp_path / "frozen", form="bundle")
    before = report("json")
    many.talk("late", 0, scores=(1, 1, 1, 1), texts=())
    assert report("json") != before
    assert bundle_tables("--bundle", str(tmp_path / "frozen"), "--format", "json")[0] == before


def test_an_archive_does_as_well_as_a_folder(many: Collected, tmp_path: Path) -> None:
    folder = export(many.study, tmp_path / "frozen", form="bundle").folder
    archive = pack(folder, tmp_path / "frozen.tar.gz")
    printed, said = bundle_tables("--bundle", str(archive))
    assert printed == report("markdown") and "the tables are the same as the bundle's" in said


def test_a_damaged_archive_is_called_by_its_own_name(
    exported: Callable[..., Exported], tmp_path: Path
) -> None:
    folder = exported("bundle").folder
    (folder / "README.md").write_text("other")
    archive = pack(folder, tmp_path / "frozen.tar.gz")
    with pytest.raises(BundleRefused, match=r"frozen\.tar\.gz is damaged: README\.md has changed"):
        remake(archive)
    (folder / "MANIFEST.json").unlink()
    with pytest.raises(
        BundleRefused, match=r"frozen\.tar\.gz is no frozen study: MANIFEST\.json cannot be read"
    ):
        remake(pack(folder, archive))


def test_all_formats_can_be_written_at_once(many: Collected, tmp_path: Path) -> None:
    folder = export(many.study, tmp_path / "frozen", form="bundle").folder
    bundle_tables("--bundle", str(folder), "--out", str(tmp_path / "again"))
    for form in FORMATS:
        made = (tmp_path / "again" / f"table7.{form.ending}").read_bytes()
        assert made == (folder / "tables" / f"table7.{form.ending}").read_bytes()


def test_a_study_without_ratings_can_be_frozen(db: None, tmp_path: Path) -> None:
    export(empty_study().study, tmp_path / "frozen", form="bundle")
    assert bundle_tables("--bundle", str(tmp_path / "frozen"))[0] == report("markdown")


def test_it_says_what_it_was_made_with(exported: Callable[..., Exported]) -> None:
    import numpy

    folder = exported("bundle").folder
    told = json.loads((folder / "code" / "version.json").read_text())
    assert told["packages"]["numpy"] == numpy.__version__ and told["code_version"].startswith("0.1+")
    assert "pyarrow==" in (folder / "code" / "requirements.txt").read_text()
    assert json.loads((folder / "MANIFEST.json").read_text())["seed"] == 7


# --- What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["records/ratings.jsonl", "code/version.json", "tables/table7.csv"])
def test_a_file_that_has_changed_is_named(exported: Callable[..., Exported], name: str) -> None:
    path = exported("bundle").folder / name
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(CommandError, match=f"is damaged: {name} has changed. Take another copy."):
        bundle_tables("--bundle", str(path.parents[1]))


def test_a_file_that_is_missing_is_named(exported: Callable[..., Exported]) -> None:
    folder = exported("bundle").folder
    (folder / "records" / "workers.jsonl").unlink()
    with pytest.raises(BundleRefused, match=r"records/workers\.jsonl is missing"):
        remake(folder)


def test_a_manifest_that_has_changed_is_refused(exported: Callable[..., Exported]) -> None:
    path = exported("bundle").folder / "MANIFEST.json"
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(BundleRefused, match=r"MANIFEST\.json is not what its SHA-256 says"):
        remake(path.parent)


def test_a_manifest_may_not_name_files_elsewhere(exported: Callable[..., Exported]) -> None:
    folder = exported("bundle").folder
    told = json.loads((folder / "MANIFEST.json").read_text())
    told["files"]["../outside"] = told["files"]["README.md"]
    (folder.parent / "outside").write_bytes((folder / "README.md").read_bytes())
    (folder / "MANIFEST.json").write_text(json.dumps(told | {"sha256": bundles.digest_of(told)}))
    with pytest.raises(BundleRefused, match=r"\.\./outside is missing"):
        remake(folder)


def forged(folder: Path, **changes: object) -> Path:
    """With a manifest that was changed by somebody who knows how its hash is made."""
    told = json.loads((folder / "MANIFEST.json").read_text()) | changes
    for name in bundles.READ:
        part = bundles.measured(folder / name)
        if name in told["files"]:
            told["files"][name] |= {"bytes": part.bytes, "sha256": part.sha256}
    (folder / "MANIFEST.json").write_text(json.dumps(told | {"sha256": bundles.digest_of(told)}))
    return folder


PART = {"records": 0, "files": 1, "bytes": 1, "sha256": "0"}


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": {"records": 0}},
        {"README.md": PART | {"more": 1}},
        {"README.md": [1]},
        {"a\0b": PART},
        {"a" * 5_000: PART},
        {"\ud800": PART},
        {"": PART},
        {"/etc/hostname": PART},
    ],
)
def test_a_manifest_whose_files_make_no_sense_is_refused(
    exported: Callable[..., Exported], files: dict[str, object]
) -> None:
    with pytest.raises(BundleRefused, match=r"is damaged: .*(is missing|makes no sense)"):
        remake(forged(exported("bundle").folder, files=files))


@pytest.mark.parametrize(
    "changes", [{"study": 7}, {"code_version": None}, {"code_version": ""}, {"files": []}]
)
def test_a_manifest_that_lacks_something_is_refused(
    exported: Callable[..., Exported], changes: dict[str, object]
) -> None:
    with pytest.raises(BundleRefused, match=r"MANIFEST\.json"):
        remake(forged(exported("bundle").folder, **changes))


def test_records_that_the_manifest_does_not_name_are_not_read(exported: Callable[..., Exported]) -> None:
    folder = exported("bundle").folder
    files = json.loads((folder / "MANIFEST.json").read_text())["files"]
    del files["records/ratings.jsonl"]
    with pytest.raises(BundleRefused, match=r"records/ratings\.jsonl is missing"):
        remake(forged(folder, files=files))


def test_json_without_end_is_refused(exported: Callable[..., Exported]) -> None:
    folder = exported("bundle").folder
    (folder / "records" / "ratings.jsonl").write_text("[" * 100_000)
    with pytest.raises(BundleRefused, match="its records cannot be read"):
        remake(forged(folder))
    (folder / "MANIFEST.json").write_text("[" * 100_000)
    with pytest.raises(BundleRefused, match=r"MANIFEST\.json cannot be read"):
        remake(folder)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        *(("ratings.jsonl", "score", value) for value in ("x", None, [1], 1.5, 10**30, float("nan"))),
        ("ratings.jsonl", "worker", [1]),
        ("ratings.jsonl", "arm", {}),
        ("study.jsonl", "title", [1]),
        ("study.jsonl", "title", "\ud800"),
        ("models.jsonl", "label", 5),
    ],
)
def test_records_of_another_type_are_refused(
    exported: Callable[..., Exported], name: str, field: str, value: object
) -> None:
    path = (folder := exported("bundle").folder) / "records" / name
    records = [json.loads(line) | {field: value} for line in path.read_text().splitlines()]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    with pytest.raises(BundleRefused, match="its records cannot be read"):
        remake(forged(folder))


def test_a_bundle_of_a_later_form_is_refused(exported: Callable[..., Exported]) -> None:
    folder = exported("bundle").folder
    told = json.loads((folder / "MANIFEST.json").read_text()) | {"schema": "colloquy.bundle/2"}
    (folder / "MANIFEST.json").write_text(json.dumps(told))
    with pytest.raises(BundleRefused, match=r"of schema 'colloquy\.bundle/2' and this code reads"):
        remake(folder)


@pytest.mark.parametrize("name", ["nothing", "text.tar.gz"])
def test_what_is_no_bundle_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "text.tar.gz").write_text("hello")
    with pytest.raises(
        CommandError, match=r"is no frozen study: MANIFEST\.json cannot be read|neither a tar\.gz"
    ):
        bundle_tables("--bundle", str(tmp_path / name))


def test_tables_that_come_out_otherwise_are_told(exported: Callable[..., Exported]) -> None:
    """As after a change of the code that computes: the bundle is whole, and its tables are others."""
    folder = exported("bundle").folder
    path = folder / "tables" / "table7.csv"
    path.write_text(path.read_text().replace("ConvAI2", "ConvAI3"))
    told = json.loads((folder / "MANIFEST.json").read_text())
    part = bundles.measured(path)
    told["files"]["tables/table7.csv"] |= {"bytes": part.bytes, "sha256": part.sha256}
    (folder / "MANIFEST.json").write_text(json.dumps(told | {"sha256": bundles.digest_of(told)}))
    with pytest.raises(CommandError, match=r"table7\.csv came out otherwise than the bundle holds"):
        bundle_tables("--bundle", str(folder))


def test_other_code_with_the_same_figures_is_told_and_no_fault(
    exported: Callable[..., Exported], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = exported("bundle").folder
    for module in ("bundles.code_version", "formats.bundle.code_version"):
        monkeypatch.setattr(f"analysis.exports.data.{module}", lambda: "0.2+other")
    for module in ("csv", "json", "latex", "markdown"):
        monkeypatch.setattr(f"analysis.exports.{module}.code_version", lambda: "0.2+other")
    monkeypatch.setattr("analysis.management.commands.bundle_tables.code_version", lambda: "0.2+other")
    printed, said = bundle_tables("--bundle", str(folder))
    assert "0.2+other" in printed and "the same as the bundle's, made by code 0.1+" in said


# --- Weights ----------------------------------------------------------------------------------------------


@pytest.fixture
def weighty(collected: Collected, tmp_path: Path) -> Path:
    """A folder of weights that one of the study's models answers with."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"w" * 100)
    arm = collected.arms[0]
    revision = Revision.objects.create(
        model=arm.revision.model,
        number=2,
        kind="retrieval",
        path=str(folder),
        weights_sha256=fingerprint(folder),
    )
    type(arm).objects.filter(pk=arm.pk).update(revision=revision)
    for other in collected.arms[1:]:
        plain = Revision.objects.create(model=other.revision.model, number=2, kind="scripted")
        type(other).objects.filter(pk=other.pk).update(revision=plain)
    return folder


def test_weights_stand_there_when_asked_for(collected: Collected, weighty: Path, tmp_path: Path) -> None:
    without = export(collected.study, tmp_path / "one", form="bundle").folder
    assert not (without / "weights").exists()
    folder = export(collected.study, tmp_path / "two", form="bundle", options=Options(weights=True)).folder
    assert (folder / "weights" / "convai2-r2" / "weights.safetensors").read_bytes() == b"w" * 100
    assert not remake(folder).differing


def test_weights_that_changed_since_they_were_registered_are_refused(
    collected: Collected, weighty: Path, tmp_path: Path
) -> None:
    (weighty / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(ExportRefused, match=r"The weights cannot go into the bundle: .*the files changed"):
        export(collected.study, tmp_path / "out", form="bundle", options=Options(weights=True))
