"""ParlAI's model_chat files, read as compile_results reads them (tests/conformance/parlai_model_chat.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.exports.data import Exported, export
from analysis.report import report_of
from chat.models import Conversation
from ratings.axes import Axis
from tests.analysis.exports.collected import BEGAN, Collected
from tests.conformance import parlai_model_chat
from tests.conformance.parlai_model_chat import Violation, checked, compile_folder

LONG = ("I went to the market in the morning.", "It was full of people and fruit.")


def sample(folder: Path, number: int, rating: str, turns: int = 12) -> Path:
    """A file as model_chat saves it, without persona and seeds; the bot speaks second."""
    dialog: list[dict] = [
        {"agent_idx": place % 2, "text": "these are four words", "id": f"Speaker {place % 2 + 1}"}
        for place in range(turns)
    ]
    dialog[-1]["final_rating"] = rating
    nothing = (
        "personas",
        "context_dataset",
        "person1_seed_utterance",
        "person2_seed_utterance",
        "additional_context",
    )
    chat = {
        **dict.fromkeys(nothing),
        "dialog": dialog,
        "workers": [f"worker {number}"],
        "bad_workers": [],
        "acceptability_violations": [None],
        "hit_ids": ["h"],
        "assignment_ids": ["a"],
        "task_description": {"model_nickname": "model", "model_file": "", "model_opt": {}},
    }
    path = folder / "2020_12_29" / f"20201229_173200_{number}_live.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(chat))
    return path


# --- The rules themselves ---------------------------------------------------------------------------------


def test_the_rules_count_as_parlais_own_sample_does(tmp_path: Path) -> None:
    """Three chats of twelve turns, rated 1, 5 and 1, are ParlAI's basic sample."""
    for number, rating in enumerate(["1", "5", "1"], start=1):
        sample(tmp_path, number, rating)
    compiled = compile_folder(tmp_path)
    stats = compiled.models["model"]
    assert stats.mean == 2.3333333333333335
    assert (stats.conversations, stats.human_utterances, stats.bot_turns, compiled.lines) == (3, 18, 18, 39)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"final_rating": "4|3|5|4"}, "no whole number from 1 to 5"),
        ({"agent_idx": 0}, "turn 11 is of agent 0"),
        ({"text": None}, "turn 11 has no text"),
    ],
)
def test_the_rules_refuse_a_last_turn_that_parlai_cannot_take(
    tmp_path: Path, change: dict, said: str
) -> None:
    path = sample(tmp_path, 1, "1")
    chat = json.loads(path.read_text())
    chat["dialog"][-1] |= change
    path.write_text(json.dumps(chat))
    with pytest.raises(Violation, match=said):
        checked(path)


@pytest.mark.parametrize("name", parlai_model_chat.KEYS)
def test_the_rules_refuse_a_file_without_one_of_its_keys(tmp_path: Path, name: str) -> None:
    path = sample(tmp_path, 1, "1")
    chat = json.loads(path.read_text())
    del chat[name]
    path.write_text(json.dumps(chat))
    with pytest.raises(Violation, match=f"lacks {name}"):
        checked(path)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (["one two three"], []),
        (["one two"], ["under_min_length"]),
        (["Hello you there"], ["starts_with_greeting"]),
        (["Hello, you there"], []),
        (["STOP IT NOW", "12 34 56"], ["too_much_all_caps"]),
        (["STOP IT NOW", "do stop it"], []),
        (["I saw the sea.", "you did not", "i saw a sea"], ["exact_match"]),
        ([], []),
    ],
)
def test_the_rules_of_acceptability(said: list[str], codes: list[str]) -> None:
    assert parlai_model_chat.unacceptable(said) == codes


# --- What we export ---------------------------------------------------------------------------------------


def test_parlai_finds_table_7s_counts_and_means(
    collected: Collected, exported: Callable[..., Exported]
) -> None:
    folder = exported("model_chat").folder
    table = report_of(collected.study)
    for axis in Axis:
        compiled = compile_folder(folder / axis)
        found = {name: (len(stats.ratings), stats.mean) for name, stats in compiled.models.items()}
        expected = {row.model: (row.cell(axis).n, row.cell(axis).mean) for row in table.rows if row.talks}
        assert found == expected and not compiled.left_out
        assert not compiled.unacceptable


def test_parlai_finds_them_in_a_study_of_many_talks(collected: Collected, tmp_path: Path) -> None:
    for number in range(30):
        scores = tuple(1 + (number * step) % 5 for step in (1, 2, 3, 4))
        collected.talk(f"many {number % 7}", number % 3, scores=scores, texts=LONG, context=number % 2)
    folder = export(collected.study, tmp_path / "out", form="model_chat").folder
    row = report_of(collected.study).rows[2]
    for axis in Axis:
        stats = compile_folder(folder / axis).models["MT Two-Stage"]
        assert (len(stats.ratings), stats.mean) == (
            row.cell(axis).n,
            pytest.approx(row.cell(axis).mean, abs=1e-12),
        )
    assert row.talks == 10


def test_talks_of_few_words_are_left_out_by_parlai_and_not_by_us(
    collected: Collected, tmp_path: Path
) -> None:
    collected.talk("fay", 0, scores=(1, 1, 1, 1), texts=("yes", "no", "ok"))
    folder = export(collected.study, tmp_path / "out", form="model_chat").folder / "overall"
    assert compile_folder(folder).left_out == {"too few words": 1}
    assert not compile_folder(folder, min_words=0).left_out


def test_a_model_without_a_persona_has_none(collected: Collected, tmp_path: Path) -> None:
    collected.study.contexts.update(model_persona=[], worker_seed="", model_seed="")
    folder = export(collected.study, tmp_path / "out", form="model_chat").folder / "overall"
    chat = json.loads(next(folder.rglob("*.json")).read_text())
    assert chat["personas"] is None and chat["person1_seed_utterance"] is None
    assert compile_folder(folder).models["ConvAI2"].conversations == 2


def test_talks_that_end_in_the_same_second_have_files_of_their_own(
    collected: Collected, tmp_path: Path
) -> None:
    for number in range(20):
        collected.talk(f"many {number % 5}", 0, scores=(3, 3, 3, 3), texts=LONG)
    Conversation.objects.filter(state="complete").update(ended_at=BEGAN)
    folder = export(collected.study, tmp_path / "out", form="model_chat").folder
    assert len(list((folder / "overall" / "2026_03_04").iterdir())) == 24


def test_the_script_ends_well_and_prints_counts_and_means(exported: Callable[..., Exported]) -> None:
    script = [sys.executable, parlai_model_chat.__file__, str(exported("model_chat").folder)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "overall\tConvAI2\tn=2\tmean=4.5\t" in done.stdout


def test_the_script_ends_badly_on_a_file_that_is_none(exported: Callable[..., Exported]) -> None:
    folder = exported("model_chat").folder
    path = next((folder / "overall").rglob("*.json"))
    path.write_text(path.read_text().replace('"agent_idx": 1', '"agent_idx": 0', 1))
    script = [sys.executable, parlai_model_chat.__file__, str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "is of agent 0" in done.stderr
