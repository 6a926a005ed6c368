"""ParlAI's Conversations: what its reader and ACUTE-Eval rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.exports.data import Exported
from tests.analysis.exports.collected import HARD_TEXTS, Collected


def episodes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_each_model_has_its_complete_talks_in_a_file_and_metadata_beside_it(
    collected: Collected, exported: Callable[..., Exported]
) -> None:
    folder = exported("parlai").folder
    counts = {path.stem: len(episodes(path)) for path in folder.glob("*.jsonl")}
    assert counts == {"convai2-r1": 2, "wow-r1": 2, "mt-two-stage-r1": 0}
    for name in counts:
        metadata = json.loads((folder / f"{name}.metadata").read_text())
        assert set(metadata) == {"date", "opt", "self_chat", "speakers", "version"}
        assert metadata["version"] == "0.1" and metadata["self_chat"] is False


def test_speakers_are_those_of_the_metadata_and_take_turns(exported: Callable[..., Exported]) -> None:
    folder = exported("parlai").folder
    speakers = json.loads((folder / "convai2-r1.metadata").read_text())["speakers"]
    for episode in episodes(folder / "convai2-r1.jsonl"):
        assert (folder / episode["metadata_path"]).is_file()
        for pair in episode["dialog"]:
            assert [act["id"] for act in pair] == speakers
        acts = [act for pair in episode["dialog"] for act in pair]
        assert [act["episode_done"] for act in acts] == [False] * (len(acts) - 1) + [True]


def test_a_talk_begins_with_its_seeds_and_keeps_every_word(
    collected: Collected, exported: Callable[..., Exported]
) -> None:
    episode = episodes(exported("parlai").folder / "convai2-r1.jsonl")[0]
    acts = [act for pair in episode["dialog"] for act in pair]
    assert [act["text"] for act in acts[:2]] == ["What did you do today, my friend?", "I went for a walk."]
    assert [act.get("fake_start", False) for act in acts] == [True, True] + [False] * 12
    assert [act["text"] for act in acts[2::2]] == list(HARD_TEXTS)


def test_what_the_model_knew_stands_before_the_dialogue(exported: Callable[..., Exported]) -> None:
    episode = episodes(exported("parlai").folder / "convai2-r1.jsonl")[0]
    assert [act["text"] for act in episode["context"]] == [
        "your persona: I bake bread on Sundays.",
        "your persona: I have two old dogs.",
        "Bees",
    ]
    assert {act["id"] for act in episode["context"]} == {"context"}
    assert episode["context_dataset"] == "wizard_of_wikipedia"


def test_a_talk_carries_its_ratings(exported: Callable[..., Exported]) -> None:
    given = [episode["ratings"] for episode in episodes(exported("parlai").folder / "wow-r1.jsonl")]
    assert sorted(ratings["overall"] for ratings in given) == [1, 2]
