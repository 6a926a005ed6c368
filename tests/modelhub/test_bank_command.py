"""``manage.py bank``: data sets' utterances as answers, without a change to what was registered."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command

from modelhub import registry
from modelhub.models import Revision
from modelhub.parlai import storage
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.serving.engine import Engine

from .conftest import talk
from .parlai_files import CONFIG, write_model
from .small_corpora import write_convai2

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("use_tiny_base")]


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "site"
    return settings.DATA_DIR


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_convai2(tmp_path / "data")


def embed(*arguments: object) -> str:
    out = io.StringIO()
    call_command("bank", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_registered_model_gets_a_new_revision_and_keeps_the_old(make_model, data, data_folder) -> None:
    first = registry.register("m", "M", "retrieval", make_model(), {"skill": "ed"})
    said = embed("m", "--data", data)
    second = registry.resolve("m")
    assert (second.number, second.config, second.model.name) == (2, {"skill": "ed"}, "M")
    assert registry.folder_of(second) == data_folder / "models" / "m-2"
    registry.verify(first)
    registry.verify(second)
    loaded = bank.load(registry.folder_of(second))
    assert set(loaded.sources) == {"convai2"} and all(text.endswith(" is good") for text in loaded.texts)
    assert f"embedded {len(loaded)} utterances" in said and "registered m@2 as M" in said


@pytest.fixture
def in_float32(settings) -> None:
    """Whatever this processor is faster in: what is compared is exact."""
    settings.SERVING_PRECISION = "float32"


def test_embeddings_are_the_networks_own(
    make_model, data, tiny_base: Path, text_encoder: TextEncoder, in_float32: None
) -> None:
    folder = make_model("fresh")
    embed(folder, "--data", data)
    loaded = bank.load(folder)
    alone = [
        checkpoints.load(folder, tiny_base).encode_candidates(*text_encoder.candidates([text]))
        for text in loaded.texts
    ]
    assert torch.allclose(loaded.embeddings.float(), torch.cat(alone), rtol=2e-3, atol=2e-3)


def test_a_folder_is_changed_in_its_place_or_copied(make_model, data, tmp_path: Path) -> None:
    folder = make_model("fresh")
    before = bank.load(folder).texts
    embed(folder, "--data", data, "--out", tmp_path / "copy")
    assert bank.load(folder).texts == before
    embed(folder, "--data", data)
    assert bank.load(folder).texts == bank.load(tmp_path / "copy").texts != before
    assert not Revision.objects.exists()


@pytest.mark.parametrize("reduction", ["mean", "max"])
def test_an_imported_model_without_candidates_gets_some_and_answers(
    tmp_path: Path, reduction: str, monkeypatch, in_float32: None
) -> None:
    data = tmp_path / "data"
    (data / "convai2").mkdir(parents=True)
    # Of different lengths, and not in one batch, so that padding shows.
    monkeypatch.setattr("modelhub.polyencoder.bank.BATCH_TOKENS", 8)
    (data / "convai2" / "train.txt").write_text("1 river ?\tyou like fish .\n1 the water\tboat\n")
    config = replace(CONFIG, candidate_reduction=reduction)
    source = write_model(tmp_path / "parlai", config, reduction_type=reduction)
    (source / "cands.txt").unlink()
    said = io.StringIO()
    call_command("import_parlai", source, slug="zoo", stdout=said)
    assert "manage.py bank zoo --data DIR" in said.getvalue()
    embed("zoo", "--data", data)
    revision = registry.resolve("zoo")
    folder = registry.folder_of(revision)
    loaded = bank.load(folder)
    network, text_encoder = storage.load(folder)
    # As wide as the longest, all at once.
    expected = network.encode_candidates(*text_encoder.candidates(loaded.texts))
    assert torch.allclose(loaded.embeddings.float(), expected, rtol=2e-3, atol=2e-3)
    engine = Engine()
    try:
        assert engine.reply(revision.pk, talk("i like the river")).reply.text in loaded.texts
    finally:
        engine.close()


def test_data_sets_and_the_split_can_be_chosen(make_model) -> None:
    from modelhub.datasets.layout import STARTER

    folder = make_model("fresh")
    embed(folder, "--data", STARTER, "--datasets", "wow,ed", "--split", "valid")
    chosen = bank.load(folder)
    embed(folder, "--data", STARTER, "--split", "valid")
    everything = bank.load(folder)
    assert list(dict.fromkeys(chosen.sources)) == ["wow", "ed"]
    assert list(dict.fromkeys(everything.sources)) == ["convai2", "wow", "ed", "bst"]


# --- Refused ------------------------------------------------------------------------------------------------------


def test_what_has_no_bank_is_refused(make_model, make_manager, data: Path, tmp_path: Path) -> None:
    skills = [registry.register(s, s, "retrieval", make_model(s), {"skill": s}) for s in ("wow", "ed")]
    registry.register("random", "Random", "random_skill", None, {}, skills)
    for arguments, says in (
        (("random", "--data", data), "has no bank of its own; name one of its parts"),
        (("nobody", "--data", data), "neither a registered model nor a folder"),
        ((make_manager("ed"), "--data", data), "holds a dialogue manager"),
        ((tmp_path / "wow", "--data", data), "belongs to wow@1, whose files never change"),
        (("wow", "--data", data, "--out", tmp_path / "wow"), "is there already"),
        (("wow", "--data", tmp_path), "has no utterance in a train split"),
        (("wow", "--data", data, "--datasets", "ed"), "has no train split of ed"),
        (
            ("wow", "--data", data, "--datasets", "reddit"),
            "no data set reddit; there are convai2, wow, ed, bst",
        ),
    ):
        with pytest.raises(CommandError, match=says):
            embed(*arguments)
    assert registry.resolve("wow").number == 1


def test_a_changed_model_is_refused(make_model, data: Path) -> None:
    revision = registry.register("m", "M", "retrieval", make_model(), {})
    (registry.folder_of(revision) / "bank.jsonl").write_text("")
    with pytest.raises(CommandError, match="the files changed since M r1 was registered"):
        embed("m", "--data", data)


def test_nothing_half_made_is_left(make_model, data: Path, data_folder: Path, monkeypatch) -> None:
    registry.register("m", "M", "retrieval", make_model(), {})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("modelhub.embedding.bank.Bank.save", full)
    with pytest.raises(CommandError, match=r"m-2 cannot be written .*No space left"):
        embed("m", "--data", data)
    assert list((data_folder / "models").iterdir()) == [] and registry.resolve("m").number == 1
