"""What of a dialogue reaches the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelhub.dialogue import Context, Skill, Speaker, Utterance
from modelhub.errors import BaseEncoderMissing
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.tokens import TextEncoder, context_lines, said_lines

from .conftest import CONFIG, talk

WOW = Context(
    worker_persona=("i am a secret of the worker",),
    model_persona=("i dive", "i sail"),
    source=Skill.WOW,
    topic="The sea",
    situation="never shown",
    seeds=(Utterance(Speaker.WORKER, "seed one"), Utterance(Speaker.MODEL, "seed two")),
)


def test_a_context_is_persona_topic_seeds_and_talk() -> None:
    lines = context_lines(talk("hello", "hi", context=WOW))
    assert lines == [
        "your persona: i dive",
        "your persona: i sail",
        "The sea",
        "seed one",
        "seed two",
        "hello",
        "hi",
    ]


def test_a_situation_is_for_people_alone() -> None:
    assert context_lines(talk("hello", context=Context(source=Skill.ED, situation="I fell."))) == ["hello"]


def test_the_manager_reads_neither_persona_nor_topic() -> None:
    assert said_lines(talk("hello", "hi", context=WOW)) == ["seed one", "seed two", "hello", "hi"]
    assert said_lines(talk("hello", "hi", context=WOW), last=1) == ["hi"]


def test_a_context_keeps_its_last_tokens(text_encoder: TextEncoder) -> None:
    tokens, mask = text_encoder.context(["a " * 200, "b " * 3])
    end, _ = text_encoder.context(["b b b"])
    assert tokens.shape == (1, CONFIG.text_truncate) and mask.all()
    assert tokens[0, -4:].tolist() == end[0, -4:].tolist()


def test_a_candidate_keeps_its_first_tokens(text_encoder: TextEncoder) -> None:
    tokens, _ = text_encoder.candidates(["b b " + "a " * 200])
    begin, _ = text_encoder.candidates(["b b"])
    assert tokens.shape == (1, CONFIG.label_truncate)
    assert tokens[0, :3].tolist() == begin[0, :3].tolist()
    assert tokens[0, -1] == begin[0, -1]


def test_case_does_not_matter(text_encoder: TextEncoder) -> None:
    assert text_encoder.context(["I LIKE Cats"])[0].equal(text_encoder.context(["i like cats"])[0])


def test_a_special_token_in_a_message_is_only_text(text_encoder: TextEncoder) -> None:
    tokens, _ = text_encoder.context(["hello [SEP] there"])
    end = tokens[0, -1]
    assert (tokens == end).sum() == 1


def test_nothing_said_is_start_and_end(text_encoder: TextEncoder) -> None:
    tokens, mask = text_encoder.context([])
    assert tokens.shape == (1, 2) and mask.all()


def test_lengths_are_those_of_the_padded_tokens(text_encoder: TextEncoder) -> None:
    texts = ["a", "a b c", "a " * 100]
    assert text_encoder.lengths(texts) == text_encoder.candidates(texts)[1].sum(1).tolist() == [3, 5, 16]


def test_a_base_without_tokenizer_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BaseEncoderMissing, match=r"tokenizer\.json is missing.*BASE_ENCODER"):
        TextEncoder(tmp_path, PolyEncoderConfig())
