"""The door to the safety classifier: what is asked in any order, batch or thread is answered alike, and silently."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings as site_settings
from django.core.management import CommandError, call_command
from transformers import BertModel, BertTokenizerFast

from modelhub.errors import CheckpointError, SafetyClassifierError
from modelhub.safety import classifier as door
from modelhub.safety import head, pieces, sentences, training
from modelhub.safety.classifier import Classifier, classifier
from modelhub.safety.combined import CombinedClassifier
from modelhub.safety.sentences import SentenceEncoder

from .small_corpora import write_convai2

PROJECT = Path(__file__).resolve().parents[2]
TEXTS = [
    "You are an idiot and nobody likes you.",
    "My grandmother bakes bread on Sundays.",
    "",
    "what a beautiful damn day for a walk by the sea, isn't it? " * 3,
    "I will find you.",
]


@pytest.fixture(autouse=True)
def nothing_loaded() -> Iterator[None]:
    door._load.cache_clear()
    yield
    door._load.cache_clear()


@pytest.fixture
def shipped() -> Classifier:
    return classifier()


def test_plain_abuse_is_found_and_plain_talk_is_not(shipped: Classifier) -> None:
    abuse, talk = shipped.unsafe_probabilities(TEXTS[:2])
    assert abuse >= shipped.default_threshold > talk


def test_probabilities_do_not_depend_on_batch_or_order(shipped: Classifier, monkeypatch) -> None:
    together = shipped.unsafe_probabilities(TEXTS)
    assert shipped.unsafe_probabilities(TEXTS[::-1])[::-1] == pytest.approx(together, abs=1e-5)
    monkeypatch.setattr(sentences, "BATCH_TOKENS", 8)
    assert shipped.unsafe_probabilities(TEXTS) == pytest.approx(together, abs=1e-5)


def test_no_text_gives_no_probability(shipped: Classifier) -> None:
    assert shipped.unsafe_probabilities([]).shape == (0,)


def test_one_insult_in_a_long_text_counts_for_all_of_it(shipped: Classifier) -> None:
    harmless = "We walked along the river and looked at the old boats. " * 20
    found = shipped.unsafe_probabilities([harmless, f"{harmless} {TEXTS[0] * 12}"])
    assert found[0] < shipped.default_threshold <= found[1]


def test_a_long_text_has_the_highest_probability_of_its_pieces() -> None:
    def length(texts: Sequence[str]) -> np.ndarray:
        return np.array([float(len(text.split())) for text in texts])

    assert pieces.highest(["a b", "w " * 250, "", "c"], length).tolist() == [2, 100, 0, 1]
    assert [len(piece.split()) for piece in pieces.pieces("w " * 250)] == [100, 100, 50]


def test_threads_load_one_classifier_and_get_the_same_answers(shipped: Classifier, monkeypatch) -> None:
    expected = shipped.unsafe_probabilities(TEXTS)
    door._load.cache_clear()
    made = []
    real = CombinedClassifier.__init__
    monkeypatch.setattr(
        CombinedClassifier, "__init__", lambda *given, **named: made.append(real(*given, **named))
    )
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: classifier().unsafe_probabilities(TEXTS), range(16)))
    assert len(made) == 1
    assert all(answer == pytest.approx(expected, abs=1e-6) for answer in answers)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    classifier().unsafe_probabilities(TEXTS)
    assert capfd.readouterr() == ("", "")


def test_importing_the_door_loads_no_model_library() -> None:
    program = (
        "import sys, modelhub.safety.classifier; "
        "sys.exit(', '.join({'torch', 'transformers', 'safetensors'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr


# --- Embeddings -----------------------------------------------------------------------------------------------


def test_embeddings_are_the_normed_mean_of_the_last_layer(tiny_base: Path) -> None:
    tokenizer = BertTokenizerFast(tokenizer_file=str(tiny_base / "tokenizer.json"))
    rows = []
    for text in ("I like cats", "the sea is deep!"):
        given = tokenizer(text.lower(), return_tensors="pt")
        with torch.inference_mode():
            hidden = BertModel.from_pretrained(tiny_base)(**given).last_hidden_state[0]
        rows.append((hidden.mean(0) / hidden.mean(0).norm()).numpy())
    ours = SentenceEncoder(tiny_base).embed(["I like cats", "the sea is deep!"])
    assert ours == pytest.approx(np.stack(rows), abs=1e-5)


# --- Which classifier -----------------------------------------------------------------------------------------


def changed_head(folder: Path, **changes: object) -> Path:
    made_with = training.made_with(Path(site_settings.BASE_ENCODER))
    shipped = head.Head.load(head.SHIPPED, made_with)
    fields = {name: getattr(shipped, name) for name in ("weight", "bias", "mixing", "thresholds")}
    head.Head(**{**fields, **changes}, made_with=made_with).save(folder)  # type: ignore[arg-type]
    return folder


def test_a_folder_with_a_head_of_ones_own_takes_the_shipped_ones_place(
    shipped: Classifier, settings, tmp_path: Path
) -> None:
    settings.SAFETY_CLASSIFIER = str(changed_head(tmp_path, bias=3.0))
    own = classifier()
    assert own.version != shipped.version and re.fullmatch("combined-[0-9a-f]{12}", own.version)
    assert (own.unsafe_probabilities(TEXTS) > shipped.unsafe_probabilities(TEXTS)).all()


def test_another_threshold_is_another_version(shipped: Classifier, settings, tmp_path: Path) -> None:
    settings.SAFETY_CLASSIFIER = str(changed_head(tmp_path, thresholds=(0.5, 0.5, 0.95)))
    own = classifier()
    assert own.default_threshold == 0.95 and own.version != shipped.version


def test_the_version_stays_while_nothing_changes(shipped: Classifier) -> None:
    door._load.cache_clear()
    assert classifier() is not shipped and classifier().version == shipped.version


@pytest.mark.usefixtures("use_tiny_base")
def test_another_base_encoder_is_told_to_get_a_head_of_its_own() -> None:
    with pytest.raises(CheckpointError, match="trained on another base encoder"):
        classifier()


def test_a_folder_that_is_not_there_is_named(settings, tmp_path: Path) -> None:
    settings.SAFETY_CLASSIFIER = str(tmp_path / "nowhere")
    with pytest.raises(SafetyClassifierError, match="nowhere, which is no folder"):
        classifier()


# --- What ships, and what is said of it -----------------------------------------------------------------------


def measured(*arguments: str) -> str:
    out = io.StringIO()
    call_command("measure_safety", *arguments, stdout=out)
    return out.getvalue()


def figures(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d+", line)]


def test_the_documented_figures_are_what_is_measured() -> None:
    version, _, overall = measured().partition("\n")
    section = (PROJECT / "docs" / "quality.md").read_text().partition("## Safety classifier")[2]
    [documented] = [line for line in section.splitlines() if line.startswith("| both |")]
    [found] = [line for line in overall.splitlines() if line.startswith("| both |")]
    assert version.partition(";")[0] in section
    # Shares to hundredths: an utterance at the threshold may fall to its other side on another processor.
    assert figures(documented)[:13] == pytest.approx(figures(found)[:13], abs=0.02)


def test_ordinary_talk_is_measured_on_any_folder_of_data_sets(tmp_path: Path) -> None:
    folder = write_convai2(tmp_path) / "convai2"
    (folder / "valid.txt").rename(folder / "test.txt")
    assert "; 26 of ordinary talk" in measured("--data", str(tmp_path))


def test_a_folder_without_data_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no test split of a data set"):
        measured("--data", str(tmp_path))


def test_measuring_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.jsonl: cannot be read"):
        measured("--corpus", str(tmp_path / "none.jsonl"))
