"""Compare imported poly-encoders with what ParlAI computed: ``python tests/conformance/parlai_polyencoder.py DIR``.

DIR holds a folder a variant: ``model``, ``model.opt``, ``model.dict``, ``model.dict.codecs``, ``cands.txt`` and
``expected.json`` (token level, a padded and an unpadded candidate, a fixed bank, whole talks in text). Each variant
is imported into this project's format first, so that the whole way is compared. The exit status is 1 when a figure
is further off than 1e-5 + 1e-4 |expected|, or tokens, masks or ranks are other ones.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import Tensor

from modelhub.errors import ModelhubError
from modelhub.parlai import importing, storage
from modelhub.parlai.network import MaskedViews, ParlaiPolyEncoder
from modelhub.parlai.tokens import ParlaiTextEncoder

ABSOLUTE, RELATIVE = 1e-5, 1e-4
#: Candidates whose scores differ by less may stand in any order.
TIE = 1e-5


@dataclass
class Tally:
    """Cases of one variant, or of all: how many, what was wrong with them, and the largest difference."""

    cases: int = 0
    wrong: list[str] = field(default_factory=list)
    worst: float = 0.0

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.wrong += other.wrong
        self.worst = max(self.worst, other.worst)

    def same(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found!r:.200} instead of {expected!r:.200}")

    def close(self, what: str, found: Tensor, expected: Tensor) -> None:
        if found.shape != expected.shape:
            self.wrong.append(f"{what}: shape {tuple(found.shape)} instead of {tuple(expected.shape)}")
            return
        difference = (found - expected).abs()
        # Not "above the bound": a difference that is no number is wrong, too.
        if not (difference <= ABSOLUTE + RELATIVE * expected.abs()).all():
            self.wrong.append(f"{what}: off by up to {difference.max():.2e}")
        self.worst = max(self.worst, difference.nan_to_num(torch.inf).max().item())


@dataclass(frozen=True)
class Model:
    """An imported variant and what ParlAI said about it."""

    network: ParlaiPolyEncoder
    text_encoder: ParlaiTextEncoder
    expected: dict[str, Any]

    def views(self, tokens: list[list[int]]) -> Tensor | MaskedViews:
        rows = torch.tensor(tokens)
        return self.network.encode_context(rows, rows != self.null)

    def candidates(self, tokens: list[list[int]]) -> Tensor:
        rows = torch.tensor(tokens)
        return self.network.encode_candidates(rows, rows != self.null)

    @property
    def null(self) -> int:
        return self.text_encoder.pad


def token_level(model: Model) -> Iterator[Tally]:
    for case in model.expected["cases"]:
        tally, name = Tally(1), case["name"]
        contexts, own = torch.tensor(case["ctxt_tokens"]), case["cand_tokens"]
        if case["ctxt_encoder_out"] is not None:
            hidden, _ = model.network.encoder_ctxt(contexts, contexts != model.null)
            tally.close(f"{name}, encoder output", hidden, tensor(case["ctxt_encoder_out"]))
        views = model.views(case["ctxt_tokens"])
        values, mask = values_and_mask(views)
        tally.close(f"{name}, context", values, tensor(case["ctxt_rep"]))
        tally.close(f"{name}, mask", mask.float(), tensor(case["ctxt_rep_mask"]))
        candidates = torch.stack([model.candidates(row) for row in own])
        tally.close(f"{name}, candidates", candidates, tensor(case["cand_rep"]))
        tally.close(f"{name}, scores", model.network.score(views, candidates), tensor(case["scores"]))
        yield tally


def pad_pair(model: Model) -> Iterator[Tally]:
    tally, given = Tally(1), model.expected["pad_pair"]
    padded_key = next(key for key in given if key.startswith("padded_to_"))
    width = int(padded_key.split("_")[2])
    tokens = torch.tensor(given["candidate"]).flatten().tolist()
    alone = model.candidates([tokens])[0]
    padded = model.candidates([tokens + [model.null] * (width - len(tokens))])[0]
    tally.close("candidate alone", alone, tensor(given["alone"]))
    tally.close("candidate padded", padded, tensor(given[padded_key]))
    if not given["differs"]:
        tally.close("candidate padded and alone", padded, alone)
    yield tally


def fixed_bank(model: Model) -> Iterator[Tally]:
    tally, given = Tally(1), model.expected["fixed"]
    bank = model.candidates(given["cand_tokens"])
    tally.close("bank", bank[None], tensor(given["cand_encs"]))
    together = model.network.score(model.views(given["ctxt_tokens"]), bank)
    tally.close("bank, contexts together", together, tensor(given["scores"]))
    for row, expected in zip(given["ctxt_tokens"], given["scores_single"], strict=True):
        alone = model.network.score(model.views([row]), bank)
        tally.close("bank, a context alone", alone, tensor(expected))
    yield tally


def text_level(model: Model) -> Iterator[Tally]:
    given = model.expected["text_level"]
    texts, tally = given["fixed_candidates"], Tally(1)
    tokens, mask = model.text_encoder.candidates(texts)
    tally.same("tokens of candidates", tokens.tolist(), padded(given["fixed_candidate_vecs"], model.null))
    yield tally
    bank = model.network.encode_candidates(tokens, mask)
    for number, turn in enumerate(given["turns"], 1):
        yield one_turn(model, texts, bank, turn, f"turn {number}")


def one_turn(model: Model, texts: list[str], bank: Tensor, turn: dict[str, Any], name: str) -> Tally:
    tally = Tally(1)
    lines = turn["history_text"].split("\n")
    tokens, mask = model.text_encoder.contexts([lines])
    tally.same(f"{name}, tokens", tokens[0].tolist(), turn["text_vec"])
    scores = model.network.score(model.network.encode_context(tokens, mask), bank)[0]
    tally.close(f"{name}, scores", scores.sort(descending=True).values, torch.tensor(turn["sorted_scores"]))
    # ParlAI leaves out what stands in the history, letter by letter.
    of_text = {text: score for text, score in zip(texts, scores.tolist(), strict=True) if text not in lines}
    ranked = turn["text_candidates"]
    tally.same(f"{name}, candidates left", sorted(ranked), sorted(of_text))
    found = [of_text.get(text, -torch.inf) for text in ranked]
    for better, worse, text in zip(found, found[1:], ranked[1:], strict=False):
        if worse > better + TIE:
            tally.wrong.append(f"{name}: {text!r} ranks too low by {worse - better:.2e}")
    best = max(of_text.values(), default=-torch.inf)
    if of_text.get(turn["reply"], -torch.inf) < best - TIE:
        tally.wrong.append(f"{name}: {max(of_text, key=of_text.__getitem__)!r} instead of {turn['reply']!r}")
    return tally


LEVELS: tuple[Callable[[Model], Iterator[Tally]], ...] = (token_level, pad_pair, fixed_bank, text_level)


def compare(folder: Path) -> Tally:
    """Import a variant and compare it; what cannot be imported is a case that failed."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    tally = Tally()
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        try:
            imported = importing.convert(folder, Path(temporary) / "model", None, lambda *_: None)
            model = Model(*storage.load(imported), expected)
        except ModelhubError as error:
            return Tally(1, [f"cannot be imported: {error}"], torch.inf)
        for level in LEVELS:
            for case in level(model):
                tally.add(case)
    return tally


def variants(folder: Path) -> list[str]:
    """The variants that the index lists, else all folders with expectations."""
    if (folder / "index.json").is_file():
        return [str(name) for name in json.loads((folder / "index.json").read_text(encoding="utf-8"))]
    return sorted(path.parent.name for path in folder.glob("*/expected.json"))


def values_and_mask(views: Tensor | MaskedViews) -> tuple[Tensor, Tensor]:
    if isinstance(views, MaskedViews):
        return views.values, views.mask
    return views, torch.ones(views.shape[:2])


def tensor(given: dict[str, Any]) -> Tensor:
    return torch.tensor(given["data"], dtype=torch.float32).reshape(given["shape"])


def padded(rows: list[list[int]], null: int) -> list[list[int]]:
    width = max(len(row) for row in rows)
    return [row + [null] * (width - len(row)) for row in rows]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not (names := variants(Path(arguments[0]))):
        print(f"usage: {Path(__file__).name} DIR, a folder of variants with expected.json", file=sys.stderr)
        return 2
    total = Tally()
    for name in names:
        tally = compare(Path(arguments[0]) / name)
        print(f"{name}: {tally.cases} cases, {len(tally.wrong)} failures, worst {tally.worst:.2e}")
        for wrong in tally.wrong:
            print(f"  {wrong}")
        total.add(tally)
    print(f"cases {total.cases}, failures {len(total.wrong)}, worst difference {total.worst:.2e}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
