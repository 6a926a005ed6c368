"""Text classifiers in the format of ``transformers``: what they answer, which label counts, and what is refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
)

from modelhub.errors import SafetyClassifierError
from modelhub.safety import classifier as door
from modelhub.safety import transformers_folder
from modelhub.safety.classifier import classifier
from modelhub.safety.transformers_folder import TransformersClassifier, unsafe_places

TEXTS = ["i like cats", "the sea is deep and i like dogs", "", "the persona is deep " * 4]


@pytest.fixture
def make(tiny_base: Path, tmp_path: Path) -> Callable[..., Path]:
    """``make("safe", "toxic", problem_type=...)``: a folder with a random classifier of these labels."""

    def made(*labels: str, **options: object) -> Path:
        folder = tmp_path / "classifier"
        torch.manual_seed(7)
        config = BertConfig.from_pretrained(tiny_base, id2label=dict(enumerate(labels)), **options)
        config.label2id = {name: number for number, name in enumerate(labels)}
        BertForSequenceClassification(config).save_pretrained(folder)
        BertTokenizerFast(tokenizer_file=str(tiny_base / "tokenizer.json")).save_pretrained(folder)
        return folder

    return made


def plain_logits(folder: Path) -> np.ndarray:
    """(texts, labels), one text at a time, as the library itself does it."""
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        rows = [network(**tokenizer(text, return_tensors="pt")).logits[0] for text in TEXTS]
    return torch.stack(rows).double().numpy()


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_labels_that_exclude_each_other_add_up(make) -> None:
    folder = make("neutral", "Hate_Speech", "offensive")
    expected = softmax(plain_logits(folder))[:, 1:].sum(1)
    assert TransformersClassifier(folder).unsafe_probabilities(TEXTS) == pytest.approx(expected, abs=1e-5)


def test_labels_that_do_not_count_with_the_highest(make) -> None:
    folder = make("toxic", "insult", "tall", problem_type="multi_label_classification")
    expected = (1 / (1 + np.exp(-plain_logits(folder))))[:, :2].max(1)
    assert TransformersClassifier(folder).unsafe_probabilities(TEXTS) == pytest.approx(expected, abs=1e-5)


def test_labels_that_all_mean_abuse_do_not_exclude_each_other(make) -> None:
    folder = make("toxic", "insult")
    expected = (1 / (1 + np.exp(-plain_logits(folder)))).max(1)
    assert TransformersClassifier(folder).unsafe_probabilities(TEXTS) == pytest.approx(expected, abs=1e-5)


def test_small_batches_answer_the_same(make, monkeypatch) -> None:
    found = TransformersClassifier(make("safe", "unsafe"))
    together = found.unsafe_probabilities(TEXTS)
    monkeypatch.setattr(transformers_folder, "BATCH_TOKENS", 8)
    assert found.unsafe_probabilities(TEXTS) == pytest.approx(together, abs=1e-6)


def test_texts_longer_than_the_network_reads_are_answered(make) -> None:
    found = TransformersClassifier(make("safe", "unsafe")).unsafe_probabilities(
        ["deep sea " * 200, "x" * 500]
    )
    assert ((found > 0) & (found < 1)).all()


def test_the_setting_names_labels_that_do_not_tell(make, settings) -> None:
    settings.SAFETY_CLASSIFIER = str(make("LABEL_0", "LABEL_1"))
    with pytest.raises(SafetyClassifierError, match="LABEL_0, LABEL_1 mean abuse cannot be told"):
        classifier()
    settings.SAFETY_UNSAFE_LABELS = ["label-0"]
    expected = softmax(plain_logits(Path(settings.SAFETY_CLASSIFIER)))[:, 0]
    assert classifier().unsafe_probabilities(TEXTS) == pytest.approx(expected, abs=1e-5)
    door._load.cache_clear()


@pytest.mark.parametrize("name", ["toxic", "Toxicity", "HATE", "hate-speech", "unsafe", "identity_attack"])
def test_a_telling_name_is_understood(name: str) -> None:
    assert unsafe_places({0: "ok", 1: name}, (), Path("f")) == [1]


@pytest.mark.parametrize("name", ["non-toxic", "not_offensive", "safe", "acceptable", "nontoxic"])
def test_a_name_that_means_the_contrary_is_not_taken_for_abuse(name: str) -> None:
    assert unsafe_places({0: name, 1: "toxic"}, (), Path("f")) == [1]


def test_a_label_that_is_not_there_is_refused_with_those_that_are(make) -> None:
    with pytest.raises(
        SafetyClassifierError, match="has no label spam; set SAFETY_UNSAFE_LABELS to some of safe, bad"
    ):
        TransformersClassifier(make("safe", "bad"), ["bad", "spam"])


def test_other_weights_and_other_labels_are_another_version(make) -> None:
    folder = make("offensive", "toxic", "fine")
    first = TransformersClassifier(folder).version
    assert TransformersClassifier(folder).version == first
    assert TransformersClassifier(folder, ["toxic"]).version != first
    network = BertForSequenceClassification.from_pretrained(folder)
    network.classifier.bias.data += 1
    network.save_pretrained(folder)
    assert TransformersClassifier(folder).version != first


def test_threads_share_one_without_disturbing_each_other(make) -> None:
    found = TransformersClassifier(make("safe", "toxic"))
    expected = found.unsafe_probabilities(TEXTS)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: found.unsafe_probabilities(TEXTS), range(40)))
    assert all(answer == pytest.approx(expected, abs=1e-6) for answer in answers)


def test_loading_and_answering_print_and_log_nothing(make, capfd: pytest.CaptureFixture[str]) -> None:
    folder = make("safe", "toxic")
    tensors = load_file(folder / "model.safetensors")
    # The library warns of what it does not use.
    save_file({**tensors, "other.weight": torch.ones(2)}, folder / "model.safetensors", {"format": "pt"})
    capfd.readouterr()
    logged = QueueHandler(SimpleQueue())
    logging.getLogger("transformers").addHandler(logged)
    TransformersClassifier(folder).unsafe_probabilities(TEXTS)
    logging.getLogger("transformers").removeHandler(logged)
    assert capfd.readouterr() == ("", "") and logged.queue.empty()


# --- What is refused ------------------------------------------------------------------------------------------


def test_pickled_weights_are_never_read(make) -> None:
    folder = make("safe", "toxic")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SafetyClassifierError, match="pickled weights are never read"):
        TransformersClassifier(folder)


def test_code_that_comes_with_a_folder_is_never_run(make, tmp_path: Path) -> None:
    folder = make("safe", "toxic")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: ...\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSequenceClassification": "own.Own"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(SafetyClassifierError, match="code of its own"):
        TransformersClassifier(folder)
    assert not (tmp_path / "ran").exists()


def test_code_that_comes_with_a_tokenizer_is_never_run(make, tmp_path: Path) -> None:
    folder = make("safe", "toxic")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: ...\n")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(SafetyClassifierError, match=r"tokenizer_config\.json asks for code"):
        TransformersClassifier(folder)
    assert not (tmp_path / "ran").exists()


def test_an_encoder_without_a_classifiers_weights_is_refused(make, tiny_base: Path) -> None:
    folder = make("safe", "toxic")
    BertModel.from_pretrained(tiny_base).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "safe", "1": "toxic"}}))
    with pytest.raises(SafetyClassifierError, match=r"lacks weights of a text classifier \(classifier"):
        TransformersClassifier(folder)


def test_a_folder_that_is_no_classifier_is_named(tmp_path: Path) -> None:
    with pytest.raises(SafetyClassifierError, match=r"needs a folder with config\.json"):
        TransformersClassifier(tmp_path)


def test_a_folder_without_its_tokenizer_is_refused(make) -> None:
    folder = make("safe", "toxic")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(SafetyClassifierError, match=r"has no tokenizer: one of tokenizer\.json"):
        TransformersClassifier(folder)
