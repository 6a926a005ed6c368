"""From dialogues to tokens.

A context is one text: the model's persona, the topic, and what was said (Smith et al. 2020, section 3.2), kept to
its last tokens. A candidate is kept to its first tokens. Both get the encoder's start and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer, Tokenizer
from torch import Tensor

from modelhub.dialogue import Dialogue
from modelhub.errors import BaseEncoderMissing
from modelhub.polyencoder.config import ManagerConfig, PolyEncoderConfig

PERSONA = "your persona: "
#: A whole tokenizer; or, in old folders, the words of BERT's.
TOKENIZER, VOCABULARY = "tokenizer.json", "vocab.txt"


def context_lines(dialogue: Dialogue) -> list[str]:
    """What the model knows, a line each: its persona, the topic if there is one, seeds and utterances.

    Contexts of talks have a topic where their seeds come from WoW; debiased training examples all have one.
    """
    context = dialogue.context
    lines = [PERSONA + sentence for sentence in context.model_persona]
    if context.topic:
        lines.append(context.topic)
    return lines + [utterance.text for utterance in dialogue.said]


def said_lines(dialogue: Dialogue, last: int = 0) -> list[str]:
    """What was said alone, for the dialogue manager: no persona, no topic. ``last`` 0 gives all."""
    return [utterance.text for utterance in dialogue.said[-last:]]


class TextEncoder:
    """A base encoder's tokenizer with a configuration's lengths. Safe to use from several threads."""

    def __init__(self, base: Path, config: PolyEncoderConfig | ManagerConfig) -> None:
        self._tokenizer = _tokenizer(base)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._start, self._end, self._pad = (self._special(name) for name in ("[CLS]", "[SEP]", "[PAD]"))
        self._text_truncate = config.text_truncate
        self._label_truncate = getattr(config, "label_truncate", config.text_truncate)

    def context(self, lines: Sequence[str]) -> tuple[Tensor, Tensor]:
        """One context's lines -> tokens and mask, both (1, T)."""
        return self.contexts([lines])

    def contexts(self, batch: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Each context's lines -> padded tokens (int64) and mask (bool), both (B, T); truncated left."""
        room = self._text_truncate - 2
        return self._padded([ids[-room:] for ids in self._ids(["\n".join(lines) for lines in batch])])

    def candidates(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts -> padded tokens (int64) and mask (bool), both (C, T); truncated right."""
        room = self._label_truncate - 2
        return self._padded([ids[:room] for ids in self._ids(texts)])

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a candidate, start and end included; for batches of like lengths."""
        return [min(len(ids) + 2, self._label_truncate) for ids in self._ids(texts)]

    @property
    def vocabulary_size(self) -> int:
        """Numbers that tokens may have."""
        return 1 + max(self._tokenizer.get_vocab().values())

    def save(self, folder: Path) -> None:
        """Write the vocabulary as an encoder's folder has it."""
        (folder / TOKENIZER).write_text(self._tokenizer.to_str(), encoding="utf-8")

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        # As the paper does; and so "[SEP]" in a message is text, not an end.
        lowered = [text.lower() for text in texts]
        return [encoded.ids for encoded in self._tokenizer.encode_batch(lowered, add_special_tokens=False)]

    def _padded(self, rows: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        width = max((len(ids) for ids in rows), default=0) + 2
        tokens = torch.full((len(rows), width), self._pad, dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.bool)
        for row, ids in enumerate(rows):
            tokens[row, : len(ids) + 2] = torch.tensor([self._start, *ids, self._end])
            mask[row, : len(ids) + 2] = True
        return tokens, mask

    def _special(self, name: str) -> int:
        token = self._tokenizer.token_to_id(name)
        if token is None:
            raise BaseEncoderMissing(
                f"The base encoder's tokenizer has no {name}; set BASE_ENCODER to a BERT."
            )
        return int(token)


def _tokenizer(base: Path) -> Tokenizer:
    try:
        if (base / TOKENIZER).is_file():
            return Tokenizer.from_file(str(base / TOKENIZER))
        if (base / VOCABULARY).is_file():
            return Tokenizer.from_str(BertWordPieceTokenizer(str(base / VOCABULARY), lowercase=True).to_str())
    except Exception as error:  # The library raises nothing narrower.
        raise BaseEncoderMissing(
            f"{base}: its vocabulary cannot be read ({error}); save the encoder again."
        ) from error
    raise BaseEncoderMissing(
        f"{base / TOKENIZER} is missing: the base encoder needs its tokenizer. Set BASE_ENCODER."
    )
