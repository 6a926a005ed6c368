"""ParlAI's files: imported as they are, and refused with clear words where they are broken or hostile."""

from __future__ import annotations

import io
import json
import shutil
import struct
import sys
import tarfile
import types
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from modelhub import registry
from modelhub.archives import ArchiveError
from modelhub.errors import CheckpointError, NoBank
from modelhub.parlai import checkpoint, importing, options, storage
from modelhub.polyencoder import bank

from .parlai_files import (
    CANDIDATES,
    CONFIG,
    OPTIONS,
    TOKENS,
    make_network,
    packed,
    write_dictionary,
    write_malicious,
    write_model,
    write_saved,
)


def quiet(what: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "parlai")


@pytest.fixture
def convert(tmp_path: Path) -> Callable[..., Path]:
    def make(source: Path, bank_file: Path | None = None, name: str = "out") -> Path:
        return importing.convert(source, tmp_path / name, bank_file, quiet)

    return make


# --- Imported as it was -------------------------------------------------------------------------------------------


def test_an_imported_model_scores_as_the_network_that_was_saved(model: Path, convert) -> None:
    network, text_encoder = storage.load(convert(model))
    original = make_network(CONFIG)
    context, candidates = text_encoder.contexts([["i like the river"]]), text_encoder.candidates(CANDIDATES)
    expected = original.score(original.encode_context(*context), original.encode_candidates(*candidates))
    found = network.score(network.encode_context(*context), network.encode_candidates(*candidates))
    assert found.equal(expected)


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_are_read(tmp_path: Path, zipped: bool) -> None:
    """Zips since version 1.6; the zoo's files are older."""
    folder = write_model(tmp_path / "parlai", zipped=zipped)
    assert zipfile.is_zipfile(folder / "model") is zipped
    assert checkpoint.read(folder).config == CONFIG


@pytest.mark.parametrize(
    ("config", "given"),
    [
        (replace(CONFIG, shared_encoder=True), {"share_encoders": True}),
        # ParlAI says so by default, and keeps two encoders all the same.
        (CONFIG, {"share_encoders": True}),
        (replace(CONFIG, segments=0, variant="aiayn"), {"n_segments": 0, "variant": "aiayn"}),
        # Some of its versions keep two segments, whatever the options say.
        (CONFIG, {"n_segments": 0}),
        (CONFIG, {"n_segments": ...}),
        (replace(CONFIG, layers=2), {"n_layers": 5, "n_encoder_layers": 2}),
        (replace(CONFIG, positions=20, text_truncate=18), {"n_positions": 0, "truncate": 12}),
        (replace(CONFIG, text_truncate=22, label_truncate=24), {"text_truncate": -1, "label_truncate": None}),
        (replace(CONFIG, text_truncate=5), {"text_truncate": None, "truncate": 5}),
        (replace(CONFIG, view_type="n_first", views=6), {"polyencoder_type": "n_first", "poly_n_codes": 6}),
        (
            replace(CONFIG, view_type="n_first", attention_keys="position"),
            {"polyencoder_type": "n_first", "polyencoder_attention_keys": "position"},
        ),
        (
            replace(CONFIG, code_attention="multihead", candidate_attention="multihead", candidate_heads=2),
            {
                "codes_attention_type": "multihead",
                "poly_attention_type": "multihead",
                "poly_attention_num_heads": 2,
            },
        ),
        (
            replace(CONFIG, activation="relu", scaled_embeddings=True),
            {"activation": ..., "embeddings_scale": ...},
        ),
    ],
)
def test_options_become_the_configuration(tmp_path: Path, config, given: dict) -> None:
    assert checkpoint.read(write_model(tmp_path / "parlai", config, **given)).config == config


def test_half_precision_is_kept_on_disk_and_cast_when_loaded(model: Path, convert) -> None:
    halves = {name: tensor.half() for name, tensor in make_network(CONFIG).state_dict().items()}
    write_saved(model, {"model": halves})
    folder = convert(model)
    assert {tensor.dtype for tensor in load_file(folder / "weights.safetensors").values()} == {torch.float16}
    network, _ = storage.load(folder)
    assert all(tensor.dtype == torch.float32 for tensor in network.state_dict().values())
    assert network.codes.equal(halves["codes"].float())


@pytest.mark.parametrize("given", [{"fp16": True}, {"force_fp16_tokens": True}])
def test_a_dictionary_of_half_precision_may_be_filled_up(tmp_path: Path, given: dict) -> None:
    filled = write_model(tmp_path / "filled", replace(CONFIG, vocabulary=24), **given)
    assert checkpoint.read(filled).dictionary.size == 24
    # Where ParlAI had saved the filling, or added none.
    assert checkpoint.read(write_model(tmp_path / "exact", **given)).dictionary.size == len(TOKENS)


def test_loss_scalers_beside_the_weights_are_passed_over(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in checkpoint.LOSS_SCALERS:
        module_name, _, class_name = name.rpartition(".")
        for depth in range(1, module_name.count(".") + 2):
            part = ".".join(module_name.split(".")[:depth])
            monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
        scaler = type(class_name, (), {"__module__": module_name})
        setattr(sys.modules[module_name], class_name, scaler)
        instance = scaler()
        instance.cur_scale = 65536
        write_saved(
            model, {"model": make_network(CONFIG).state_dict(), "optimizer": {"loss_scaler": instance}}
        )
        assert checkpoint.read(model).config == CONFIG


def test_the_wrapper_of_several_gpus_is_taken_off(model: Path) -> None:
    tensors = {f"module.{name}": tensor for name, tensor in make_network(CONFIG).state_dict().items()}
    write_saved(model, {"model": tensors})
    assert set(checkpoint.read(model).tensors) == set(make_network(CONFIG).state_dict())


def test_tensors_that_share_memory_are_imported(model: Path, convert) -> None:
    tensors = make_network(CONFIG).state_dict()
    tensors["encoder_cand.embeddings.weight"] = tensors["encoder_ctxt.embeddings.weight"]
    write_saved(model, {"model": tensors})
    network, _ = storage.load(convert(model))
    assert network.encoder_cand.embeddings.weight.equal(network.encoder_ctxt.embeddings.weight)


def test_an_archive_is_imported_as_its_folder(model: Path, convert) -> None:
    from_folder = convert(model, name="a")
    from_archive = convert(packed(model, "deep/inside"), name="b")
    made = [name for name in registry.FILES[1:] if (from_folder / name).exists()]
    assert {"weights.safetensors", "dictionary.txt", "merges.txt", "bank.jsonl"} <= set(made)
    for name in made:
        assert (from_archive / name).read_bytes() == (from_folder / name).read_bytes()
    assert not [path for path in from_archive.parent.iterdir() if path.name.startswith(".")]


# --- The bank -----------------------------------------------------------------------------------------------------


def test_the_models_own_candidates_are_its_bank(model: Path, convert) -> None:
    loaded = bank.load(convert(model))
    assert loaded.texts == tuple(CANDIDATES) and set(loaded.sources) == {importing.BANK_SOURCE}


def test_a_given_bank_wins(model: Path, convert, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one river\n\n  two boats  \none river\n")
    assert bank.load(convert(model, tmp_path / "lines.txt")).texts == ("one river", "two boats")


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, candidate_reduction="max", output_scaling=0.1)])
def test_the_bank_is_embedded_as_parlai_pads_it(tmp_path: Path, convert, config, settings) -> None:
    settings.SERVING_PRECISION = "float32"
    given = {"reduction_type": config.candidate_reduction, "output_scaling": config.output_scaling}
    folder = convert(write_model(tmp_path / "parlai", config, **given))
    network, text_encoder = storage.load(folder)
    expected = network.encode_candidates(*text_encoder.candidates(CANDIDATES))
    assert torch.allclose(bank.load(folder).embeddings.float(), expected, rtol=2e-3, atol=2e-3)


def test_several_files_of_candidates_are_refused(model: Path, convert) -> None:
    (model / "cands.txt").unlink()
    for name in ("model.cands-a.cands", "model.cands-b.cands"):
        (model / name).write_text("a river\n")
    with pytest.raises(CheckpointError, match=r"model: 2 files of candidates beside it; .* with --bank"):
        convert(model)


def test_a_model_without_candidates_is_imported_without_a_bank(model: Path, convert) -> None:
    (model / "cands.txt").unlink()
    folder = convert(model)
    storage.load(folder)
    with pytest.raises(NoBank, match=r"has no bank to answer from; embed one with manage\.py bank"):
        bank.load(folder)


@pytest.mark.parametrize(
    ("content", "words"), [(b"\n \n", "no utterance to answer with"), (b"\xff\xfe", "bank cannot be read")]
)
def test_a_bank_that_holds_nothing_is_named(
    model: Path, convert, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "lines.txt").write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"lines\.txt: .*{words}"):
        convert(model, tmp_path / "lines.txt")
    with pytest.raises(CheckpointError, match=r"gone\.txt: the bank cannot be read"):
        convert(model, tmp_path / "gone.txt")


# --- Options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"warp_factor": 9, "n_wings": 2}, "unknown options n_wings, warp_factor"),
        (
            {"model": "transformer/biencoder"},
            "model is 'transformer/biencoder'; only transformer/polyencoder",
        ),
        ({"dict_tokenizer": "gpt2"}, r"dict_tokenizer is 'gpt2'; only bpe"),
        ({"variant": "bart"}, "variant is 'bart'"),
        ({"activation": "swish"}, "activation is 'swish'"),
        ({"reduction_type": "none"}, "candidate_reduction is 'none'"),
        ({"polyencoder_type": "n_last"}, "view_type is 'n_last'"),
        ({"poly_attention_type": "cosine"}, "candidate_attention is 'cosine'"),
        ({"person_tokens": True}, "person_tokens is True, which is not supported: false"),
        ({"history_reversed": True}, "history_reversed is True"),
        ({"history_size": 2}, r"history_size is 2.*at least 20"),
        ({"delimiter": "  "}, "delimiter is '  '"),
        ({"add_p1_after_newln": True}, "add_p1_after_newln"),
        ({"special_tok_lst": "a,b"}, "special_tok_lst"),
        ({"use_reply": "none"}, "use_reply is 'none'"),
        ({"polyencoder_image_encoder_num_layers": 1}, "polyencoder_image_encoder_num_layers is 1"),
        ({"n_positions": "many"}, "n_positions is 'many'; a whole number is needed"),
        ({"embedding_size": 16.5}, "width is 16.5; int is needed"),
        ({"n_heads": ..., "ffn_size": None}, "n_heads, ffn_size not given"),
    ],
)
def test_options_that_are_not_supported_are_named(tmp_path: Path, given: dict, words: str) -> None:
    with pytest.raises(CheckpointError, match=rf"model\.opt: .*{words}"):
        checkpoint.read(write_model(tmp_path / "parlai", **given))


def test_no_option_is_read_in_two_ways() -> None:
    groups = [set(options.NAMES), set(options.READ), set(options.MUST_BE), set(options.HARMLESS)]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert set(OPTIONS) <= set().union(*groups)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_options_that_are_no_object_are_named(model: Path, content: bytes) -> None:
    (model / "model.opt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.opt: .*fetch the model again"):
        checkpoint.read(model)


# --- Hostile and broken weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["pickle", "beside", "beside, no zip", "inside"])
def test_pickled_code_is_refused_and_does_not_run(model: Path, convert, tmp_path: Path, way: str) -> None:
    trap = tmp_path / "trap"
    write_malicious(model, trap, way)
    with pytest.raises(
        CheckpointError, match=r"parlai/model: .*Pickled code is never run; fetch the model again"
    ):
        convert(model)
    assert not trap.exists() and not (tmp_path / "out").exists()


def test_the_trap_would_close(model: Path, tmp_path: Path) -> None:
    """The same file, read by a reader that runs what it reads."""
    write_malicious(model, tmp_path / "trap", "beside")
    torch.load(model / "model", weights_only=False)
    assert (tmp_path / "trap").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.99])
def test_truncated_weights_are_named(tmp_path: Path, zipped: bool, keep: float) -> None:
    folder = write_model(tmp_path / "parlai", zipped=zipped)
    whole = (folder / "model").read_bytes()
    (folder / "model").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(CheckpointError, match=r"parlai/model: .*fetch the model again"):
        checkpoint.read(folder)


def test_a_changed_byte_of_a_tensor_is_noticed(model: Path) -> None:
    changed = bytearray((model / "model").read_bytes())
    place = changed.find(struct.pack("<f", float(make_network(CONFIG).codes[0, 0])))
    changed[place] ^= 1
    (model / "model").write_bytes(changed)
    with pytest.raises(CheckpointError, match=r"model: a changed checkpoint \(.* has a wrong checksum\)"):
        checkpoint.read(model)


def test_a_compressed_zip_is_refused(model: Path) -> None:
    with zipfile.ZipFile(model / "model") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(model / "model", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(CheckpointError, match="compressed, as torch never writes them"):
        checkpoint.read(model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("codes") * 0, r"codes missing, which the options ask for"),
        (lambda t: [t.pop(name) for name in list(t) if "encoder_cand" in name], "encoder_cand.* missing"),
        (lambda t: t.update(surprise=torch.zeros(1)), "surprise came, which the options do not ask for"),
        (
            lambda t: t.update(codes=torch.zeros(4, 8)),
            r"codes is \(4, 8\), but the options ask for \(4, 16\)",
        ),
        (lambda t: t.update(codes=torch.zeros(4, 16, dtype=torch.long)), "codes is torch.int64"),
        (lambda t: t.update(codes=torch.full((4, 16), torch.nan)), "codes is not finite"),
        (lambda t: t.update(codes=torch.zeros(1).expand(4, 16)), "codes is larger than what is stored"),
        (lambda t: t.update(codes="a string"), "'codes' is no tensor"),
        (lambda t: t.clear(), "no tensors under `model`"),
        (
            lambda t: t.update(
                {f"encoder_{side}.embeddings.weight": torch.zeros(30, 16) for side in ("ctxt", "cand")}
            ),
            r"embeddings\.weight has 30 rows, but the dictionary 21 tokens: the vocabulary does not match",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(model: Path, change, words: str) -> None:
    tensors = dict(make_network(CONFIG).state_dict())
    change(tensors)
    write_saved(model, {"model": tensors})
    with pytest.raises(CheckpointError, match=rf"parlai/model: .*{words}"):
        checkpoint.read(model)


def test_a_file_without_a_model_in_it_is_named(model: Path) -> None:
    write_saved(model, [torch.zeros(3)])
    with pytest.raises(CheckpointError, match="no tensors under `model`; it is no checkpoint of ParlAI"):
        checkpoint.read(model)


def test_another_dictionary_is_noticed(model: Path) -> None:
    write_dictionary(model, tokens=TOKENS[:-4])
    with pytest.raises(CheckpointError, match=r"has 21 rows, but the dictionary 17 tokens.*own model\.dict"):
        checkpoint.read(model)


@pytest.mark.parametrize("name", ["model", "model.opt", "model.dict", "model.dict.codecs"])
def test_a_missing_file_is_named(model: Path, convert, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(CheckpointError, match=r"parlai.* is missing|0 files model\.opt"):
        convert(model)


@pytest.mark.parametrize("name", ["model.dict", "model.dict.codecs"])
def test_a_dictionary_that_is_no_text_is_named(model: Path, name: str) -> None:
    (model / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match=rf"{name.replace('.', '[.]')}: no UTF-8"):
        checkpoint.read(model)


# --- Nothing by halves --------------------------------------------------------------------------------------------


def test_what_failed_leaves_no_folder(model: Path, convert, tmp_path: Path) -> None:
    (model / "cands.txt").write_bytes(b"\xff")
    with pytest.raises(CheckpointError):
        convert(packed(model))
    assert {path.name for path in tmp_path.iterdir()} == {"parlai", "v1.0.tar.gz"}


def test_a_folder_that_is_there_is_left_alone(model: Path, convert, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(CheckpointError, match="out is there already"):
        convert(model)
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_an_interrupted_import_leaves_no_folder(model: Path, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.convert(model, tmp_path / "out", None, interrupt)
    assert {path.name for path in tmp_path.iterdir()} == {"parlai"}


def test_a_folder_of_several_models_is_refused(model: Path, convert) -> None:
    shutil.copytree(model, model / "second")
    with pytest.raises(CheckpointError, match=r"2 files model\.opt there; name the folder or archive of one"):
        convert(model)


def test_what_is_not_there_is_named(convert, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="gone is missing; name a folder or an archive"):
        convert(tmp_path / "gone")


def test_a_hostile_archive_is_refused(convert, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("../model.opt")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"{}"))
    with pytest.raises(ArchiveError, match="could lie outside the folder"):
        convert(tmp_path / "bad.tar.gz")


# --- The imported folder ------------------------------------------------------------------------------------------


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json: cannot be read as JSON"),
        (
            lambda folder: edit(folder / "config.json", kind="manager"),
            "no description of a parlai_polyencoder",
        ),
        (lambda folder: edit(folder / "config.json", format=9), "format 9 came, 1 is needed"),
        (lambda folder: edit(folder / "config.json", options={"width": 5}), "an option is missing"),
        (lambda folder: edit(folder / "config.json", options={"wings": 5}), "unknown options wings"),
        (
            lambda folder: (folder / "dictionary.txt").write_text("a\t1\n"),
            "4 tokens, but config.json says 21",
        ),
        (lambda folder: (folder / "merges.txt").unlink(), r"merges\.txt is missing"),
        (lambda folder: (folder / "weights.safetensors").write_bytes(b"no"), "no safetensors file"),
        (
            lambda folder: save_file({"codes": torch.zeros(4, 16)}, folder / "weights.safetensors"),
            r"weights\.safetensors: .* missing",
        ),
    ],
)
def test_a_damaged_import_is_named(model: Path, convert, damage, words: str) -> None:
    folder = convert(model)
    damage(folder)
    with pytest.raises(CheckpointError, match=words):
        storage.load(folder)


def test_the_import_tells_where_it_came_from(model: Path, convert) -> None:
    described = json.loads((convert(model) / "config.json").read_text())
    assert described["kind"] == "parlai_polyencoder" and described["source"]["name"] == "parlai"
    assert len(described["source"]["model_sha256"]) == 64
