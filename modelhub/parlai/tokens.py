"""ParlAI's dictionary and byte pair encoding: from text to token ids.

Sennrich et al. 2016 (arXiv:1508.07909), as subword-nmt applies it: words are cut into characters, and the pair of
neighbours that was learned first is joined, until none is left that was learned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from modelhub.errors import CheckpointError
from modelhub.parlai.config import ParlaiConfig

WORD = re.compile(r"\w+|[^\w\s]")
NEW_LINE = "__newln__"
END_OF_WORD = "</w>"
#: Stands behind every piece that does not end its word.
CONTINUED = "@@"
PAD_TOKENS_TO = 8
#: ParlAI writes special tokens in lower case today; dictionaries of old have them in upper case.
OLD_SPECIAL = ("__NULL__", "__START__", "__END__", "__UNK__")
ESCAPES = (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"))
CACHED_WORDS = 1 << 16


class Merges:
    """A codecs file: the pairs that were learned, the first learned first."""

    def __init__(self, path: Path) -> None:
        lines = read_lines(path)
        versioned = lines[0].startswith("#version:") if lines else False
        # Before 0.2 the end of a word was a piece of its own.
        self._ends_apart = not versioned or lines[0].split()[-1] == "0.1"
        self._ranks: dict[tuple[str, str], int] = {}
        for number, line in enumerate(lines[versioned:], versioned + 1):
            pair = line.strip("\r\n ").split(" ")
            if len(pair) != 2:
                raise CheckpointError(
                    f"{path}, line {number}: {line!r} is no pair of pieces; fetch the model again."
                )
            self._ranks.setdefault((pair[0], pair[1]), number)
        self.pieces = lru_cache(CACHED_WORDS)(self._pieces)

    def _pieces(self, word: str) -> tuple[str, ...]:
        """A word's pieces, with CONTINUED behind all but the last."""
        if len(word) == 1:
            return (word,)
        pieces = [*word, END_OF_WORD] if self._ends_apart else [*word[:-1], word[-1] + END_OF_WORD]
        while len(pieces) > 1 and (pair := self._first_learned(pieces)):
            pieces = _joined(pieces, pair)
        if pieces[-1] == END_OF_WORD:
            pieces.pop()
        pieces[-1] = pieces[-1].removesuffix(END_OF_WORD)
        return (*(piece + CONTINUED for piece in pieces[:-1]), pieces[-1])

    def _first_learned(self, pieces: Sequence[str]) -> tuple[str, str] | None:
        learned = [pair for pair in pairwise(pieces) if pair in self._ranks]
        return min(learned, key=self._ranks.__getitem__) if learned else None


def _joined(pieces: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """The pieces with this pair joined wherever it stands, from left to right."""
    found: list[str] = []
    place = 0
    while place < len(pieces):
        if tuple(pieces[place : place + 2]) == pair:
            found.append("".join(pair))
            place += 2
        else:
            found.append(pieces[place])
            place += 1
    return found


class Dictionary:
    """Tokens and their ids. ``size`` counts what ParlAI adds to fill up a multiple of eight, too."""

    def __init__(
        self,
        path: Path,
        merges: Path,
        *,
        special: Sequence[str],
        unknown: str,
        lower: bool = True,
        padded: bool = False,
    ) -> None:
        # Special tokens first, in ParlAI's order: files list them first as well, but may have lost them.
        self._ids: dict[str, int] = {}
        for token in [*special, *_dictionary_tokens(path)]:
            self._ids.setdefault(token, len(self._ids))
        self.size = -(-len(self._ids) // PAD_TOKENS_TO) * PAD_TOKENS_TO if padded else len(self._ids)
        self._merges = Merges(merges)
        self._unknown = self._ids[unknown]
        self._lower = lower

    @classmethod
    def of(cls, config: ParlaiConfig, path: Path, merges: Path, *, padded: bool = False) -> Dictionary:
        special = (config.padding, config.start, config.end, config.unknown)
        return cls(path, merges, special=special, unknown=config.unknown, lower=config.lower, padded=padded)

    def __getitem__(self, token: str) -> int:
        return self._ids.get(token, self._unknown)

    def encode(self, text: str) -> list[int]:
        """Ids without start and end."""
        words = WORD.findall((text.lower() if self._lower else text).replace("\n", f" {NEW_LINE} "))
        return [self[piece] for word in words for piece in self._merges.pieces(word)]


def _dictionary_tokens(path: Path) -> list[str]:
    tokens = []
    for line in read_lines(path):
        token = line.split("\t")[0]
        for written, meant in ESCAPES:
            token = token.replace(written, meant)
        tokens.append(token.lower() if token in OLD_SPECIAL else token)
    return tokens


class ParlaiTextEncoder:
    """A dictionary with a configuration's lengths; the counterpart of polyencoder.tokens.TextEncoder.

    ``candidate_width`` pads candidates to at least so many tokens: where padding matters, ParlAI's embeddings come
    only from a bank that is padded to its longest. Safe to use from several threads.
    """

    def __init__(self, config: ParlaiConfig, dictionary: Dictionary, candidate_width: int = 0) -> None:
        self._config, self._dictionary = config, dictionary
        self.pad, self._start, self._end = (
            dictionary[token] for token in (config.padding, config.start, config.end)
        )
        self._text_truncate = config.text_truncate
        self._label_truncate = config.label_truncate
        self._candidate_width = candidate_width

    def padded_to(self, width: int) -> ParlaiTextEncoder:
        """The same that pads candidates to at least ``width`` tokens."""
        return ParlaiTextEncoder(self._config, self._dictionary, width)

    def contexts(self, batch: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Each context's lines -> padded tokens (int64) and mask (bool), both (B, T).

        Truncated left, then start and end are added: T may be text_truncate + 2.
        """
        encoded = [self._dictionary.encode("\n".join(lines)) for lines in batch]
        return self._padded([[self._start, *ids[-self._text_truncate :], self._end] for ids in encoded])

    def candidates(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts -> padded tokens (int64) and mask (bool), both (C, T).

        Start and end are added, then truncated right: the end may be lost.
        """
        return self._padded([self._candidate(text) for text in texts], self._candidate_width)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a candidate, padded as ``candidates`` pads it; for batches of like lengths."""
        return [max(len(self._candidate(text)), self._candidate_width) for text in texts]

    def _candidate(self, text: str) -> list[int]:
        return [self._start, *self._dictionary.encode(text), self._end][: self._label_truncate]

    def _padded(self, rows: Sequence[list[int]], least: int = 0) -> tuple[Tensor, Tensor]:
        width = max([least, *(len(ids) for ids in rows)])
        tokens = torch.full((len(rows), width), self.pad, dtype=torch.long)
        for row, ids in enumerate(rows):
            tokens[row, : len(ids)] = torch.tensor(ids)
        # As ParlAI: whatever has the padding's id is padding.
        return tokens, tokens != self.pad


def read_lines(path: Path) -> list[str]:
    """A text file's lines without their ends. Raises CheckpointError, naming the file."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: a ParlAI model needs its dictionary and codecs.")
    try:
        # Only these end a line: a token may hold one of Unicode's other line ends.
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path}: no UTF-8 ({error}); fetch the model again.") from error
    return text.rstrip("\n").split("\n") if text.strip("\n") else []
