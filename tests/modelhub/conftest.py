"""Tiny random encoders: everything but the quality of answers is tested without trained weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel

from modelhub.dialogue import Context, Dialogue, Speaker, Utterance
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig, PolyEncoderConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training.runs import Run

from .small_corpora import write_convai2
from .tiny_runs import TINY

# Networks this small lose far more to threads that wait for one another than they win.
torch.set_num_threads(1)

CONFIG = PolyEncoderConfig(codes=4, text_truncate=48, label_truncate=16)
TRAINED = ["encoder.encoder.layer.1."]
TEXTS = (
    "i like cats",
    "i like dogs",
    "the sea is deep",
    "that must hurt",
    "oh no! what happened?",
    "good for you",
)
SOURCES = ("convai2", "convai2", "wow", "ed", "ed", "ed")


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers and width 32 with random weights, in a folder as BASE_ENCODER has it."""
    folder = tmp_path_factory.mktemp("base")
    vocabulary = _write_tokenizer(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        # Large enough that random networks tell texts apart.
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path) -> int:
    characters = [chr(code) for code in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *characters, *("##" + c for c in characters)]
    words = ["i", "like", "cats", "dogs", "the", "sea", "is", "deep", "your", "persona"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces, *words]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    # Packaged tokenizers come with both switched on, at lengths that are not ours.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(vocabulary)


@pytest.fixture(scope="session")
def text_encoder(tiny_base: Path) -> TextEncoder:
    return TextEncoder(tiny_base, CONFIG)


@pytest.fixture
def trained(tiny_base: Path) -> PolyEncoder:
    """A poly-encoder whose last layer and codes were changed as training would."""
    return make_trained(tiny_base, seed=2)


def make_trained(base: Path, seed: int) -> PolyEncoder:
    torch.manual_seed(seed)
    network = checkpoints.fresh(CONFIG, base)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith((*TRAINED, "codes")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.eval()


@pytest.fixture
def make_model(tiny_base: Path, text_encoder: TextEncoder, tmp_path: Path) -> Callable[..., Path]:
    """``make_model("name", seed=1, texts=[...])``: a saved retrieval model with its bank."""

    def make(
        name: str = "model", seed: int = 2, texts: Sequence[str] = TEXTS, sources: Sequence[str] | None = None
    ) -> Path:
        folder = tmp_path / name
        checkpoints.save(folder, make_trained(tiny_base, seed), TRAINED, tiny_base)
        network = checkpoints.load(folder, tiny_base)
        given = sources or (SOURCES if texts is TEXTS else ["convai2"] * len(texts))
        bank.embed(network, text_encoder, texts, given).save(folder)
        return folder

    return make


@pytest.fixture
def make_manager(tiny_base: Path, tmp_path: Path) -> Callable[..., Path]:
    """``make_manager(favourite="ed")``: a saved manager that always chooses one class."""

    def make(favourite: str, classes: Sequence[str] = ("convai2", "wow", "ed")) -> Path:
        config = ManagerConfig(classes=tuple(classes), hidden=8, text_truncate=48)
        network = checkpoints.fresh_manager(config, tiny_base)
        with torch.no_grad():
            network.head[2].bias[classes.index(favourite)] = 50.0
        folder = tmp_path / f"manager-{favourite}"
        checkpoints.save(folder, network, [], tiny_base)
        return folder

    return make


@pytest.fixture(scope="session")
def reference_data(reference: Path) -> Path:
    """Real dialogues in the official files."""
    folder = reference / "data"
    if not folder.is_dir():
        pytest.skip(f"no reference data in {folder}; set COLLOQUY_REFERENCE")
    return folder


@pytest.fixture
def use_tiny_base(settings, tiny_base: Path) -> None:
    settings.BASE_ENCODER = tiny_base


@pytest.fixture
def run(tiny_base: Path, tmp_path: Path) -> Run:
    """At the paper's scale: one epoch over 26 small dialogues."""
    return Run(write_convai2(tmp_path / "data"), tiny_base, tmp_path / "out", seed=3, changes=TINY)


@pytest.fixture
def changed(run: Run) -> Callable[..., Run]:
    """``changed(learning_rate="1")``: the run with other values, each into a folder of its own: 0, 1, ..."""
    made: list[Run] = []

    def make(**changes: str) -> Run:
        made.append(replace(run, out=run.out / str(len(made)), changes={**run.changes, **changes}))
        return made[-1]

    return make


def talk(*texts: str, key: str = "talk", context: Context | None = None) -> Dialogue:
    """A dialogue in which the worker and the model take turns, the worker first."""
    speakers = (Speaker.WORKER, Speaker.MODEL)
    said = tuple(Utterance(speakers[place % 2], text) for place, text in enumerate(texts))
    return Dialogue(context or Context(), said, key)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """For each module anew: the train command sets torch's threads, and other numbers round otherwise."""
    torch.set_num_threads(1)
