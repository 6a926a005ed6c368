"""Read exported model_chat folders as ParlAI's compile_results does.

    python tests/conformance/parlai_model_chat.py DIR

DIR holds a folder an axis, each with the files of ParlAI's model_chat: ``YYYY_MM_DD/YYYYMMDD_HHMMSS_<n>_live.json``.
The rules are those of ``model_chat/analysis/compile_results.py`` and of ``crowdsourcing/utils/acceptability.py``,
written anew from their description, with ``--problem-buckets None``; nothing of the exporter is imported. For each axis
and model it prints how many talks count, their mean rating and what their people wrote. The exit status is 1 when a
file is not as model_chat saves it, or where the script would end with an error.
"""

from __future__ import annotations

import argparse
import json
import re
import string
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEYS = (
    *(
        "personas",
        "context_dataset",
        "person1_seed_utterance",
        "person2_seed_utterance",
        "additional_context",
    ),
    *("dialog", "workers", "bad_workers", "acceptability_violations", "hit_ids", "assignment_ids"),
    "task_description",
)
DATASETS = (None, "convai2", "empathetic_dialogues", "wizard_of_wikipedia")
NAME = re.compile(r"(\d{4})(\d\d)(\d\d)_\d{6}_\d+_(?:live|sandbox)\.json")
COUNTED = ("completed", "approved")
GREETINGS = "hi hii hiii hiiii hai hello hey howdy greetings".split()
ARTICLES = {"a", "an", "the"}


class Violation(Exception):
    """A file that model_chat would not have saved, or that the script cannot take."""


@dataclass
class ModelStats:
    """What compile_results collects of one model."""

    ratings: list[int] = field(default_factory=list)
    conversations: int = 0
    bot_turns: int = 0
    human_utterances: int = 0
    human_words: int = 0

    @property
    def mean(self) -> float:
        return sum(self.ratings) / len(self.ratings) if self.ratings else float("nan")


@dataclass
class Compiled:
    """One folder: figures by model, how many talks were left out and why, and the lines of the results file."""

    models: dict[str, ModelStats] = field(default_factory=lambda: defaultdict(ModelStats))
    left_out: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    unacceptable: Counter[str] = field(default_factory=Counter)


def compile_folder(folder: Path, *, min_words: int = 4, most_per_worker: int = 100) -> Compiled:
    """Read a folder of days step by step. Raises Violation."""
    compiled = Compiled()
    by_worker: Counter[str] = Counter()
    for unit in units(folder):
        data = unit["data"]["save_data"]
        if data is None or unit["status"] not in COUNTED:
            compiled.left_out["unfinished"] += 1
            continue
        by_worker[unit["worker_id"]] += 1
        chat = data["custom_data"]
        if most_per_worker != -1 and by_worker[unit["worker_id"]] > most_per_worker:
            compiled.left_out["over the worker's cap"] += 1
        elif mean_words(chat["dialog"]) < min_words:
            compiled.left_out["too few words"] += 1
        else:
            take(chat, compiled)
    return compiled


def units(folder: Path) -> Iterator[dict[str, Any]]:
    """The files as the data browser hands them out."""
    files = sorted(folder.rglob("*"))
    for path in files:
        if path.is_file():
            chat = checked(path)
            yield {
                "worker_id": chat["workers"][0],
                "assignment_id": chat["assignment_ids"][0],
                "status": "completed",
                "data": {"save_data": {"custom_data": chat}},
            }
    if not files:
        raise Violation(f"{folder}: no file in it")


def checked(path: Path) -> dict[str, Any]:
    """A file's chat, if it is one that model_chat could have saved."""
    day, name = path.parent.name, NAME.fullmatch(path.name)
    if not name or day != "_".join(name.groups()[:3]):
        raise Violation(f"{path}: neither its name nor its folder is model_chat's")
    try:
        chat: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Violation(f"{path}: no JSON ({error})") from error
    for fault in faults(chat):
        raise Violation(f"{path}: {fault}")
    return chat


def faults(chat: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a chat, the first thing first."""
    if missing := set(KEYS) - set(chat):
        yield f"lacks {', '.join(sorted(missing))}"
        return
    for name in ("workers", "assignment_ids", "hit_ids"):
        if not (isinstance(chat[name], list) and chat[name] and all(isinstance(x, str) for x in chat[name])):
            yield f"{name} is no list with a text"
    if chat["bad_workers"] != [] or not isinstance(chat["acceptability_violations"], list):
        yield "bad_workers or acceptability_violations is not as saved"
    if chat["context_dataset"] not in DATASETS:
        yield f"context_dataset is {chat['context_dataset']!r}"
    if not isinstance(chat["task_description"].get("model_nickname"), str):
        yield "model_nickname is missing"
    yield from _persona_faults(chat["personas"])
    yield from _dialog_faults(chat["dialog"])


def _persona_faults(personas: Any) -> Iterator[str]:
    """Null, or the person's sentences and the bot's, of which the results file prints the first two."""
    if personas is None:
        return
    if not isinstance(personas, list) or len(personas) != 2 or len(personas[1]) < 2:
        yield "personas are not two lists with at least two sentences of the bot's"


def _dialog_faults(dialog: list[dict[str, Any]]) -> Iterator[str]:
    for place, turn in enumerate(dialog):
        if turn["agent_idx"] != place % 2:
            yield f"turn {place} is of agent {turn['agent_idx']}"
        if not isinstance(turn["text"], str) or not isinstance(turn["id"], str):
            yield f"turn {place} has no text or no id"
        if turn["agent_idx"] == 0 and {"problem_data", "final_rating"} & set(turn):
            yield f"turn {place} is the person's and is annotated or rated"
    of_bot = [turn for turn in dialog if turn["agent_idx"] == 1]
    if not of_bot or [turn for turn in of_bot if "final_rating" in turn] != of_bot[-1:]:
        yield "the last turn of the bot is not the one that is rated"
    elif not re.fullmatch(r"[1-5]", str(of_bot[-1]["final_rating"])):
        yield f"final_rating is {of_bot[-1]['final_rating']!r}, no whole number from 1 to 5"


def mean_words(dialog: list[dict[str, Any]]) -> float:
    """Over the person's turns, the seed's too; two blanks in a row make a word more."""
    words = [len(turn["text"].split(" ")) for turn in dialog if turn["agent_idx"] == 0]
    return sum(words) / len(words)


def take(chat: dict[str, Any], compiled: Compiled) -> None:
    """Count a talk, and the lines that it has in the results file: one for its context, one a turn."""
    stats = compiled.models[chat["task_description"]["model_nickname"]]
    stats.conversations += 1
    for turn in chat["dialog"]:
        if turn["agent_idx"] == 0:
            stats.human_utterances += 1
            stats.human_words += len(turn["text"].split(" "))
        else:
            stats.bot_turns += 1
            if turn.get("final_rating") is not None:
                stats.ratings.append(int(turn["final_rating"]))
    compiled.lines += 1 + len(chat["dialog"])
    said = [turn["text"] for turn in chat["dialog"] if turn["agent_idx"] == 0]
    for code in unacceptable(said):
        compiled.unacceptable[code] += 1


def unacceptable(said: Sequence[str]) -> list[str]:
    """Codes of the acceptability checker for the first worker's messages, without the list of offensive words."""
    if not said:
        return []
    codes = []
    if sum(len(text.split()) for text in said) / len(said) < 3:
        codes.append("under_min_length")
    if not said[0].split():
        raise Violation("an empty first message, on which the checker ends with an error")
    if said[0].split()[0].lower() in GREETINGS:
        codes.append("starts_with_greeting")
    shouted = [text == text.upper() for text in said]
    if sum(shouted) >= 2 or shouted == [True]:
        codes.append("too_much_all_caps")
    if plain(said[0]) in [plain(text) for text in said[1:]]:
        codes.append("exact_match")
    return codes


def plain(text: str) -> str:
    """In lower case, without punctuation and articles."""
    spaced = text.lower().translate(str.maketrans(dict.fromkeys(string.punctuation, " ")))
    return " ".join(word for word in spaced.split() if word not in ARTICLES)


def show(axis: str, compiled: Compiled) -> None:
    for model, stats in sorted(compiled.models.items()):
        words = stats.human_words / stats.human_utterances if stats.human_utterances else float("nan")
        print(
            f"{axis}\t{model}\tn={len(stats.ratings)}\tmean={stats.mean!r}\t"
            f"utterances={stats.human_utterances}\twords={words:.2f}\tbot turns={stats.bot_turns}"
        )
    for why, number in sorted(compiled.left_out.items()):
        print(f"{axis}\tleft out, {why}: {number}")
    for code, number in sorted(compiled.unacceptable.items()):
        print(f"{axis}\t{code}: {number} (counted, not left out)")


def main() -> int:
    options = argparse.ArgumentParser(description="Read exported model_chat folders as ParlAI does.")
    options.add_argument("folder", type=Path)
    options.add_argument("--min-word-count", type=int, default=4)
    options.add_argument("--max-convos-per-worker", type=int, default=100)
    given = options.parse_args()
    axes = sorted(path for path in given.folder.iterdir() if path.is_dir())
    if not axes:
        print(f"{given.folder}: no folder of an axis in it", file=sys.stderr)
        return 1
    for axis in axes:
        try:
            show(
                axis.name,
                compile_folder(
                    axis, min_words=given.min_word_count, most_per_worker=given.max_convos_per_worker
                ),
            )
        except Violation as violation:
            print(violation, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
