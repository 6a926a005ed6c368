"""What training at the paper's scale refuses, and in which words."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command

from modelhub.datasets.layout import STARTER
from modelhub.errors import BaseEncoderMissing
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training.errors import EmptyData, VocabularyMismatch
from modelhub.training.paper_runs import fine_tune_manager
from modelhub.training.recipes import NOT_DEBIASED, RECIPES
from modelhub.training.runs import Run

from .conftest import CONFIG
from .tiny_runs import MANAGER, silent, train


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "ed --data {starter} --out {tmp} --from-scratch",
            "--from-scratch trains all layers; add --scale paper",
        ),
        ("all --scale paper --out {tmp}", "train one recipe at a time"),
        ("ed --out {tmp} --max-examples 0", "--max-examples is 0; it must be above 0"),
        ("ed --out {tmp} --max-minutes -1", "--max-minutes is -1.0; it must be above 0"),
        (
            "ed --out {tmp} --scale paper --set depth=3",
            "no value depth at this scale; there are text_truncate, ",
        ),
        ("ed --out {tmp} --scale paper --set depth", "--set depth: NAME=VALUE is needed"),
        ("ed --out {tmp} --scale paper --batch many", "batch is 'many'; a whole number is needed"),
        ("ed --out {tmp} --scale paper --learning-rate nan", "learning_rate is nan; it must be above 0"),
        ("ed --out {tmp} --scale paper --set dropout=1", "dropout is 1; it must be from 0 to below 1"),
        ("ed --out {tmp} --scale paper --set shared_encoder=perhaps", "true or false is needed"),
        ("manager --out {tmp} --scale paper --from {tmp}", "--from is for poly-encoders"),
        ("bst --out {tmp} --scale paper --from {tmp}", "config.json is missing"),
        ("ed --out {tmp} --scale paper --text-truncate 2000", "2000 tokens configured, but .* reads 64"),
    ],
)
def test_the_command_refuses_in_words(
    arguments: str, words: str, tmp_path: Path, use_tiny_base: None
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("train", *arguments.format(tmp=tmp_path, starter=STARTER).split())


HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
EXCHANGE = "a,1,sad,cats,1,i lost my cats,,\na,2,sad,cats,2,the poor cats,,\n"


def write_ed(data: Path, train: str, valid: str) -> None:
    (data / "ed").mkdir()
    (data / "ed" / "train.csv").write_text(HEADER + train)
    (data / "ed" / "valid.csv").write_text(HEADER + valid)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_split_in_which_nobody_answers_is_named(run: Run, split: str) -> None:
    unanswered = EXCHANGE.splitlines()[0]
    write_ed(run.data, **{"train": EXCHANGE, "valid": EXCHANGE, split: unanswered})
    with pytest.raises(EmptyData, match=f"{split}.csv: 1 dialogues, and no utterance in them to learn"):
        train("ed", run)


def test_a_manager_needs_texts_of_every_class(run: Run) -> None:
    write_ed(run.data, EXCHANGE, EXCHANGE)
    (run.data / "wow").mkdir()
    said = [
        {"speaker": "0_Wizard", "text": "The poor cats"},
        {"speaker": "1_Apprentice", "text": "I lost my cats"},
    ]
    entry = {"chosen_topic": "Cats", "chosen_topic_passage": [], "persona": "I like cats.", "dialog": said}
    for split in ("train", "valid"):
        (run.data / "wow" / f"{split}.json").write_text(json.dumps([entry]))
    with pytest.raises(EmptyData, match=r"no utterance that only (wow|ed) has"):
        fine_tune_manager(replace(run, changes=MANAGER), silent)


@pytest.fixture
def own_base(tiny_base: Path, tmp_path: Path) -> Path:
    """A copy that may be broken."""
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def test_a_base_that_is_no_bert_is_refused(run: Run, own_base: Path) -> None:
    (own_base / "config.json").write_text(json.dumps({"model_type": "roberta", "hidden_size": 32}))
    with pytest.raises(BaseEncoderMissing, match=r"config.json: no BERT \(its model_type is roberta"):
        train("convai2", replace(run, base=own_base))


def test_a_pickled_base_is_never_read(run: Run, own_base: Path) -> None:
    (own_base / "model.safetensors").rename(own_base / "pytorch_model.bin")
    with pytest.raises(BaseEncoderMissing, match=r"pytorch_model.bin is pickled and never read"):
        train("convai2", replace(run, base=own_base))


def test_a_base_needs_no_weights_to_be_trained_from_scratch(run: Run, own_base: Path) -> None:
    (own_base / "model.safetensors").unlink()
    train("convai2", replace(run, base=own_base, from_scratch=True))


def test_a_vocabulary_of_another_encoder_is_refused(run: Run, own_base: Path) -> None:
    described = json.loads((own_base / "config.json").read_text())
    (own_base / "config.json").write_text(json.dumps({**described, "vocab_size": 50}))
    with pytest.raises(VocabularyMismatch, match=r"its vocabulary has \d+ tokens, but its encoder knows 50"):
        train("convai2", replace(run, base=own_base, from_scratch=True))


def test_an_old_base_has_its_vocabulary_as_a_list_of_words(own_base: Path, tiny_base: Path) -> None:
    tokenizer = json.loads((own_base / "tokenizer.json").read_text())
    words = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    (own_base / "vocab.txt").write_text("\n".join(words))
    (own_base / "tokenizer.json").unlink()
    given = ["I like CATS, and the sea!", "zzz é 42"]
    old, new = (TextEncoder(folder, CONFIG).candidates(given)[0] for folder in (own_base, tiny_base))
    assert torch.equal(old, new)


def test_the_command_lists_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("train", "--help")
    shown = capsys.readouterr().out
    assert all(f"\n  {slug} " in shown for slug in [*RECIPES, *NOT_DEBIASED, "manager", "all", "results"])
