"""Complete, rated talks as ParlAI's model_chat saves its chats: a folder an axis, a folder a day, a JSON file a talk.

ParlAI's compile_results reads one whole number as ``final_rating``, so that a talk that was rated on four axes stands
in four folders, each with the rating of its axis at the model's last message. The data has no problem buckets: give the
script ``--problem-buckets None``. It leaves out talks in which the worker's utterances, the seed among them, have fewer
than four words on average, and a worker's talks beyond the hundredth.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.exports.data.formats.parlai import DATASETS, complete_talks
from analysis.exports.data.job import Job
from analysis.exports.data.schema import Record
from ratings.axes import Axis

#: How many digits of a talk's name are taken for the number in its file's name: two talks of one second that share it
#: are less likely than one in a million for a hundred thousand talks of that second.
NAME_DIGITS = 14


def write(job: Job) -> None:
    """All axes in one pass over the talks."""
    axes = [axis.value for axis in Axis]
    job.parts(axes, lambda paths: _write_talks(job, dict(zip(axes, paths, strict=True))))


def chat(talk: Record, score: int) -> dict[str, Any]:
    """A conversation as model_chat saves it, with one rating."""
    return {
        "personas": _personas(talk),
        "context_dataset": None if talk["source"] == "bst" else DATASETS[talk["source"]],
        "person1_seed_utterance": talk["worker_seed"] or None,
        "person2_seed_utterance": talk["model_seed"] or None,
        "additional_context": talk["topic"] or talk["situation"],
        "dialog": _dialog(talk, score),
        "workers": [talk["worker"]],
        "bad_workers": [],
        "acceptability_violations": [None],
        "hit_ids": [talk["conversation"]],
        "assignment_ids": [talk["conversation"]],
        "task_description": {
            "annotations_config": None,
            "model_nickname": talk["model_name"],
            "model_file": talk["model"],
            "model_opt": {},
        },
    }


def file_name(talk: Record) -> str:
    """``2026_11_26/20261126_090000_<number>_live.json``."""
    at = datetime.fromisoformat(talk["ended_at"] or talk["started_at"])
    number = int("".join(d for d in talk["conversation"] if d in "0123456789abcdef")[-NAME_DIGITS:], 16)
    return f"{at:%Y_%m_%d}/{at:%Y%m%d_%H%M%S}_{number}_live.json"


def _personas(talk: Record) -> list[list[str]] | None:
    """The script reads two sentences of the model's; without them there is no persona."""
    return [talk["worker_persona"], talk["model_persona"]] if len(talk["model_persona"]) >= 2 else None


def _dialog(talk: Record, score: int) -> list[dict[str, Any]]:
    said: list[tuple[str, dict[str, Any]]] = [(message["text"], {}) for message in talk["messages"]]
    if talk["worker_seed"] and talk["model_seed"]:
        start = {"episode_done": False, "fake_start": True}
        said = [(talk["worker_seed"], start), (talk["model_seed"], start), *said]
    turns = [
        {"agent_idx": place % 2, "text": text, "id": f"Speaker {place % 2 + 1}", **more}
        for place, (text, more) in enumerate(said)
    ]
    of_model = [turn for turn in turns if turn["agent_idx"] == 1]
    if of_model:
        of_model[-1]["final_rating"] = str(score)
    return turns


def _write_talks(job: Job, folders: Mapping[str, Path]) -> Sequence[int]:
    counts = dict.fromkeys(folders, 0)
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for talk in complete_talks(job):
        for rating in talk["ratings"]:
            path = folders[rating["axis"]] / file_name(talk)
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                json.dump(chat(talk, rating["score"]), file, ensure_ascii=False)
            counts[rating["axis"]] += 1
    return list(counts.values())
