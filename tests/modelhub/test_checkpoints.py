"""Model folders: saved and loaded alike, strictly read, tensors shared."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from modelhub.errors import BaseEncoderMissing, CheckpointError
from modelhub.polyencoder import base, checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder

from .conftest import TEXTS, TRAINED


@pytest.fixture
def folder(trained: PolyEncoder, tiny_base: Path, tmp_path: Path) -> Path:
    checkpoints.save(tmp_path / "model", trained, TRAINED, tiny_base)
    return tmp_path / "model"


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_weights(folder: Path, change) -> None:
    tensors = load_file(folder / "weights.safetensors")
    change(tensors)
    save_file(tensors, folder / "weights.safetensors")


def test_a_saved_model_scores_as_before(folder, trained, tiny_base, text_encoder: TextEncoder) -> None:
    loaded = checkpoints.load(folder, tiny_base)
    context, candidates = text_encoder.context(["hello"]), text_encoder.candidates(TEXTS)
    expected = trained.score(trained.encode_context(*context), trained.encode_candidates(*candidates))
    found = loaded.score(loaded.encode_context(*context), loaded.encode_candidates(*candidates))
    assert torch.allclose(found, expected, rtol=0.02, atol=0.05)
    assert found.argmax() == expected.argmax()


def test_saving_what_was_loaded_changes_nothing(folder, tiny_base, tmp_path) -> None:
    checkpoints.save(tmp_path / "again", checkpoints.load(folder, tiny_base), TRAINED, tiny_base)
    for name in ("config.json", "weights.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_only_what_differs_from_the_base_is_stored_in_half_precision(folder) -> None:
    stored = load_file(folder / "weights.safetensors")
    assert "codes" in stored
    assert all(name.startswith((*TRAINED, "codes")) for name in stored)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}


def test_a_change_that_would_be_lost_is_refused(trained, tiny_base, tmp_path) -> None:
    with torch.no_grad():
        trained.encoder.embeddings.word_embeddings.weight[5] += 1
    with pytest.raises(
        CheckpointError, match=r"word_embeddings\.weight differs from the base and would be lost"
    ):
        checkpoints.save(tmp_path / "model", trained, TRAINED, tiny_base)


def test_models_loaded_for_serving_share_the_base(folder, tiny_base) -> None:
    first, second = (checkpoints.load(folder, tiny_base, share=True) for _ in range(2))
    lower, top = "encoder.encoder.layer.0.output.dense.weight", "encoder.encoder.layer.1.output.dense.weight"
    assert first.get_parameter(lower).data_ptr() == second.get_parameter(lower).data_ptr()
    assert first.get_parameter(top).data_ptr() != second.get_parameter(top).data_ptr()


def test_training_a_network_leaves_the_shared_base_alone(folder, tiny_base) -> None:
    served = checkpoints.load(folder, tiny_base, share=True)
    before = served.encoder.embeddings.word_embeddings.weight.clone()
    for network in (checkpoints.load(folder, tiny_base), checkpoints.fresh(served.config, tiny_base)):
        with torch.no_grad():
            network.encoder.embeddings.word_embeddings.weight.add_(1)
    assert served.encoder.embeddings.word_embeddings.weight.equal(before)
    assert base.state(tiny_base)["embeddings.word_embeddings.weight"].equal(before)


def test_half_precision_scores_nearly_alike_and_keeps_codes_exact(folder, tiny_base, text_encoder) -> None:
    """What a GPU worker loads; CPUs can compute it too, slowly."""
    exact = checkpoints.load(folder, tiny_base, share=True)
    half = checkpoints.load(folder, tiny_base, share=True, dtype=torch.bfloat16)
    assert half.codes.equal(exact.codes) and half.encoder.dtype == torch.bfloat16
    tokens = text_encoder.candidates(TEXTS)
    found, expected = half.encode_candidates(*tokens), exact.encode_candidates(*tokens)
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected).min() > 0.99


def test_a_manager_is_saved_and_loaded(tiny_base, tmp_path, text_encoder) -> None:
    network = checkpoints.fresh_manager(ManagerConfig(hidden=8, text_truncate=48), tiny_base).eval()
    checkpoints.save(tmp_path / "manager", network, [], tiny_base)
    loaded = checkpoints.load_manager(tmp_path / "manager", tiny_base)
    tokens = text_encoder.context(["hello"])
    assert torch.allclose(loaded(*tokens), network(*tokens), atol=1e-2)
    assert loaded.config == network.config


def test_a_missing_tensor_is_named_with_its_file(folder, tiny_base) -> None:
    edit_weights(folder, lambda tensors: tensors.pop("codes"))
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: codes missing.*save the model again"):
        checkpoints.load(folder, tiny_base)


def test_codes_cannot_be_left_out_by_the_configuration(folder, tiny_base) -> None:
    """A network with codes of chance would answer, and nobody would know."""
    edit_config(folder, trained=TRAINED)
    edit_weights(folder, lambda tensors: tensors.pop("codes"))
    with pytest.raises(CheckpointError, match="codes missing"):
        checkpoints.load(folder, tiny_base)


def test_an_unknown_tensor_is_named_with_its_file(folder, tiny_base) -> None:
    edit_weights(folder, lambda tensors: tensors.update(surprise=torch.zeros(1)))
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: surprise came"):
        checkpoints.load(folder, tiny_base)


def test_a_wrong_shape_says_what_came_and_what_is_asked(folder, tiny_base) -> None:
    edit_weights(folder, lambda tensors: tensors.update(codes=torch.zeros(7, 32)))
    with pytest.raises(CheckpointError, match=r"codes is \(7, 32\), but config\.json asks for \(4, 32\)"):
        checkpoints.load(folder, tiny_base)


def test_an_unknown_option_is_refused(folder, tiny_base) -> None:
    edit_config(folder, options={"codes": 4, "magic": True})
    with pytest.raises(CheckpointError, match=r"config\.json: unknown options magic; known are codes"):
        checkpoints.load(folder, tiny_base)


def test_a_model_of_another_base_is_refused(folder, tiny_base) -> None:
    edit_config(folder, base_sha256="0" * 64)
    with pytest.raises(CheckpointError, match=r"made against another base encoder.*BASE_ENCODER"):
        checkpoints.load(folder, tiny_base)


def test_a_manager_is_no_polyencoder(folder, tiny_base) -> None:
    with pytest.raises(
        CheckpointError, match="a polyencoder of format 1 came; a manager of format 1 is needed"
    ):
        checkpoints.load_manager(folder, tiny_base)


@pytest.mark.parametrize(("content", "said"), [("{", "no JSON"), ("[]", "the keys"), ("{}", "the keys")])
def test_a_broken_configuration_is_named(folder, tiny_base, content: str, said: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=rf"config\.json: {said}"):
        checkpoints.load(folder, tiny_base)


class Bomb:
    """Unpickling it leaves a mark: whoever finds the mark has run what a file told it to."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.mark,))  # type: ignore[return-value]


@pytest.mark.parametrize("pickled_as", ["pickle", "torch"])
def test_a_pickled_file_is_refused_and_never_run(folder, tiny_base, tmp_path, pickled_as: str) -> None:
    mark = tmp_path / "ran"
    weights = folder / "weights.safetensors"
    if pickled_as == "pickle":
        weights.write_bytes(pickle.dumps(Bomb(mark)))
    else:
        torch.save({"codes": Bomb(mark)}, weights)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: no safetensors file.*never read"):
        checkpoints.load(folder, tiny_base)
    assert not mark.exists()


def test_pickled_weights_beside_the_configuration_are_not_taken_instead(folder, tiny_base) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match=r"weights\.safetensors is missing; only safetensors files are read"
    ):
        checkpoints.load(folder, tiny_base)


def test_weights_that_overflow_half_precision_are_refused(trained, tiny_base, tmp_path) -> None:
    with torch.no_grad():
        trained.codes[0, 0] = 1e6
    with pytest.raises(CheckpointError, match="codes is not finite in half precision"):
        checkpoints.save(tmp_path / "model", trained, TRAINED, tiny_base)


def test_a_base_that_is_not_there_says_how_to_get_it(folder, tmp_path) -> None:
    with pytest.raises(BaseEncoderMissing, match=r"requirements-nodeps\.txt"):
        checkpoints.load(folder, tmp_path / "nowhere")


def test_a_base_whose_weights_do_not_fit_its_configuration_is_refused(folder, tiny_base, tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    tensors = load_file(other / "model.safetensors")
    del tensors["encoder.layer.0.output.dense.weight"]
    save_file(tensors, other / "model.safetensors")
    edit_config(folder, base_sha256=base.fingerprint(other))
    with pytest.raises(
        CheckpointError, match=r"do not fit config\.json .*Missing key.*layer\.0\.output\.dense\.weight"
    ):
        checkpoints.load(folder, other)


def test_a_base_that_was_saved_with_its_heads_is_read(trained, tiny_base, tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    tensors = {f"bert.{name}": tensor for name, tensor in load_file(other / "model.safetensors").items()}
    save_file({**tensors, "cls.predictions.bias": torch.zeros(3)}, other / "model.safetensors")
    network = checkpoints.fresh(trained.config, other)
    name = "encoder.embeddings.word_embeddings.weight"
    assert network.get_parameter(name).equal(trained.get_parameter(name))
