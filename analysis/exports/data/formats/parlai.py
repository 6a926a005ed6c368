"""Complete talks as ParlAI's Conversations: for each model a file of JSON lines and its ``.metadata``.

A line is an episode: ``dialog``, a list of pairs of acts, the worker's first; ``context``, the acts before it; and
where its metadata lies. ParlAI's own reader and ACUTE-Eval take such files. The seed utterances are the first pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from analysis.exports.data.job import Job
from analysis.exports.data.records.arms import arms_by_id
from analysis.exports.data.records.conversations import CONVERSATIONS
from analysis.exports.data.schema import Record
from analysis.exports.data.source import Source
from analysis.version import code_version
from chat.models import Conversation

#: ParlAI's name of the data sets that seeds come from.
DATASETS = {
    "convai2": "convai2",
    "ed": "empathetic_dialogues",
    "wow": "wizard_of_wikipedia",
    "bst": "blended_skill_talk",
}
WORKER, CONTEXT = "human_evaluator", "context"
#: The version of the metadata that ParlAI writes.
METADATA_VERSION = "0.1"


def write(job: Job) -> None:
    """All models in one pass over the talks."""
    arms = [arm.reference for arm in arms_by_id(job.source.study).values()]
    files = [f"{file_name(reference)}.jsonl" for reference in arms]
    job.parts(files, lambda paths: _write_talks(job, dict(zip(arms, paths, strict=True))))
    for reference in arms:
        job.text_part(f"{file_name(reference)}.metadata", _metadata(job.source, reference))


def file_name(reference: str) -> str:
    """``bst@1`` as ``bst-r1``."""
    slug, _, number = reference.partition("@")
    return f"{slug}-r{number}"


def complete_talks(job: Job) -> Iterator[Record]:
    """The conversations that were held to their end."""
    for talk in job.records(CONVERSATIONS):
        if talk["state"] == Conversation.State.COMPLETE:
            yield talk


def episode(talk: Record) -> dict[str, Any]:
    """A conversation as a line of the file."""
    said = [_act(message["speaker"], message["text"], talk) for message in talk["messages"]]
    if talk["worker_seed"] and talk["model_seed"]:
        seeds = [_act("worker", talk["worker_seed"], talk), _act("model", talk["model_seed"], talk)]
        said = [{**act, "fake_start": True} for act in seeds] + said
    if said:
        said[-1]["episode_done"] = True
    return {
        "dialog": [said[place : place + 2] for place in range(0, len(said), 2)],
        "context": [{"id": CONTEXT, "text": text, "episode_done": False} for text in context_lines(talk)],
        "metadata_path": f"{file_name(talk['model'])}.metadata",
        "conversation": talk["conversation"],
        "worker": talk["worker"],
        "model": talk["model"],
        "context_dataset": DATASETS[talk["source"]],
        "ratings": {rating["axis"]: rating["score"] for rating in talk["ratings"]},
    }


def context_lines(talk: Record) -> list[str]:
    """What the model knew before the first message, as ParlAI shows it."""
    return [
        *(f"your persona: {sentence}" for sentence in talk["model_persona"]),
        *([talk["topic"]] if talk["topic"] else []),
    ]


def _act(speaker: str, text: str, talk: Record) -> dict[str, Any]:
    return {"id": WORKER if speaker == "worker" else talk["model"], "text": text, "episode_done": False}


def _write_talks(job: Job, paths: dict[str, Path]) -> Sequence[int]:
    counts = dict.fromkeys(paths, 0)
    with ExitStack() as stack:
        files = {
            model: stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
            for model, path in paths.items()
        }
        for talk in complete_talks(job):
            files[talk["model"]].write(json.dumps(episode(talk), ensure_ascii=False) + "\n")
            counts[talk["model"]] += 1
    return list(counts.values())


def _metadata(source: Source, reference: str) -> str:
    metadata = {
        "date": str(source.study.created_at),
        "opt": {"study": source.study.slug, "population": source.population.value, "code": code_version()},
        "self_chat": False,
        "speakers": [WORKER, reference],
        "version": METADATA_VERSION,
    }
    return json.dumps(metadata, ensure_ascii=False) + "\n"
