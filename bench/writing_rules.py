"""How often the rules about writing flag people in real dialogues: both speakers of each, one talk a worker.

    .venv/bin/python bench/writing_rules.py --data DIR

``--data`` holds ConvAI2, EmpatheticDialogues and BlendedSkillTalk in their official formats. Nearly all of these people
were honest, and their data sets were filtered when they were collected, so the shares are false-positive rates of work
like theirs, each with a Wilson interval. BST's speakers had two utterances before their first one, ConvAI2's none; ED's
speakers write about three messages, too few for most rules.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid5

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
os.environ.setdefault("COLLOQUY_DATA", tempfile.mkdtemp(prefix="colloquy-bench-"))

import django

django.setup()

from modelhub.datasets import layout  # noqa: E402
from modelhub.datasets.episodes import Episode  # noqa: E402
from modelhub.datasets.errors import DatasetMissing  # noqa: E402
from modelhub.dialogue import Skill, Speaker  # noqa: E402
from ratings.quality.catalogue import BY_NAME  # noqa: E402
from ratings.quality.evidence import Said, TalkWork, WorkerWork  # noqa: E402
from ratings.quality.rules import WRITING  # noqa: E402

SPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
SPLITS = (
    (Skill.BST, "valid"),
    (Skill.BST, "test"),
    (Skill.CONVAI2, "valid"),
    (Skill.ED, "valid"),
    (Skill.ED, "test"),
)
ASKED = ("short_messages", "shouting", "repeating", "greeting_openings", "generated_text")


def workers(episode: Episode) -> Iterator[WorkerWork]:
    for speaker in Speaker:
        said = tuple(
            Said(position, turn.text)
            for position, turn in enumerate(episode.turns, start=1)
            if turn.speaker is speaker
        )
        talk = TalkWork(
            talk=uuid5(SPACE, f"{episode.key} {speaker}"),
            model=0,
            said=said,
            scores={},
            seconds=1.0,
            # The first to speak has nothing before them, unless there were seeds.
            opened=bool(episode.seeds) or bool(said and said[0].position > 1),
        )
        yield WorkerWork(talk.talk, (talk,))


def wilson(flagged: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    z2 = 1.959964**2
    middle = (flagged + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (flagged * (n - flagged) / n + z2 / 4)) / (n + z2)
    return middle - half, middle + half


def row(skill: Skill, split: str, folder: Path) -> str:
    everybody = [work for episode in layout.read(skill, split, folder) for work in workers(episode)]
    flagged = Counter(
        name for work in everybody for name in ASKED if WRITING[name](work, BY_NAME[name].threshold)
    )
    cells = []
    for name in ASKED:
        low, high = wilson(flagged[name], len(everybody))
        cells.append(f"{100 * flagged[name] / len(everybody):.2f} ({100 * low:.2f}–{100 * high:.2f})")
    return f"| {skill.value} {split} | {len(everybody):,} | {' | '.join(cells)} |"


options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--data", type=Path, required=True)
folder = options.parse_args().data
print(f"| % flagged (95 %) | workers | {' | '.join(BY_NAME[name].label for name in ASKED)} |")
print("|---|--:|" + "--:|" * len(ASKED))
for skill, split in SPLITS:
    try:
        print(row(skill, split, folder), flush=True)
    except DatasetMissing as missing:
        print(f"| {skill.value} {split} | {missing} |")
