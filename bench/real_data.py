"""Train every system on the data that lies in a folder, measure it, and print what docs/results.md shows.

    python bench/real_data.py --data DIR --out DIR

``--data`` holds files of ConvAI2, EmpatheticDialogues and BlendedSkillTalk in their official formats. Splits are made
anew from them by fixed rules (``prepare``), so that a part of the official files is enough. Every step is a command
that a person could give, shown before it runs. A step whose outcome is there is passed over: an interrupted run goes on
when it is started again.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from modelhub.datasets import layout  # noqa: E402
from modelhub.dialogue import Skill  # noqa: E402

#: Of so many dialogues that are there to train on, the first validates.
VALID_OF = 10
#: Of so many of an official split's dialogues the first is used: two cores are to be done in hours.
ED_VALID_OF, CONVAI2_TEST_OF, ED_TEST_OF, BST_TEST_OF = 5, 3, 2, 2
#: The values that differ from those of the paper's scale: a small encoder, two cores, minutes instead of days.
VALUES = (
    "--text-truncate 128 --batch 64 --learning-rate 2e-4 --set fresh_learning_rate=1e-2 --set attention_dropout=0 "
    "--set shared_encoder=true --set warmup_steps=20 --set validations_per_epoch=1 --set clip=1 "
    "--max-examples 8000 --seed 1"
)
#: Questions of a task; whole dialogues in a seeded order.
QUESTIONS = 2000
MANAGER = "manager"
NAMES = {
    "convai2": "ConvAI2",
    "wow": "WoW",
    "ed": "ED",
    "bst": "BST",
    "mt-single-skills": "MT Single-Skills",
    "mt-single-skills-bst": "MT Single-Skills +BST fine-tuning",
}
SKILLS = ("convai2", "wow", "ed")
PARTS = "convai2=convai2,wow=wow,ed=ed"
TABLE_5 = ("convai2", "wow", "ed", "bst", "random-skill", "mt-two-stage", "mt-single-skills")
MULTI_TASK = (
    "mt-single-skills-original",
    "mt-single-skills",
    "mt-single-skills-original-bst",
    "mt-single-skills-bst",
)
TUNED = ("convai2-bst", "wow-bst", "ed-bst", *MULTI_TASK[2:])
LISTS = ("persona_list.txt", "topic_to_persona_list.txt", "safe_personas.txt")


@dataclass(frozen=True, slots=True)
class Training:
    """A model's folder, its recipe, how many minutes it may learn, and the folder that it starts from."""

    name: str
    recipe: str
    minutes: float
    start: str = ""


TRAININGS = (
    Training("convai2", "convai2", 6),
    Training("ed", "ed", 5),
    Training("wow", "wow", 1.5),
    Training("bst", "bst", 6),
    Training("mt-single-skills", "mt-single-skills", 7),
    Training(MANAGER, MANAGER, 3),
    Training("mt-single-skills-bst", "mt-single-skills-bst", 4, "mt-single-skills"),
    Training("convai2-bst", "bst", 4, "convai2"),
    Training("wow-bst", "bst", 4, "wow"),
    Training("ed-bst", "bst", 4, "ed"),
    Training("mt-single-skills-original", "mt-single-skills-original", 7),
    Training(
        "mt-single-skills-original-bst", "mt-single-skills-original-bst", 4, "mt-single-skills-original"
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of official files")
    parser.add_argument("--out", type=Path, required=True, help="folder to work in")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    data = options.out / "data"
    prepare(options.data, data)
    models = options.out / "models"
    for training in TRAININGS:
        train(training, data, models, options.threads)
    # Results are stored in a site's database: one of its own.
    os.environ["COLLOQUY_DATA"] = str(options.out / "site")
    register(models)
    for command in measurements(data):
        run(command)


def prepare(given: Path, data: Path) -> None:
    """Make train, valid and test splits of what is given.

    ConvAI2: the training file's dialogues, every tenth for validation; of the official validation split every third
    to test. ED: the official splits, of validation every fifth conversation and of test every second. BST: the
    official validation split's conversations to train on, every tenth for validation; of the official test split
    every second. WoW: the starter corpus.
    """
    if (data / LISTS[-1]).is_file():
        return
    dialogues = [*convai2_dialogues(layout.find(Skill.CONVAI2, "train", given))]
    write(data / "convai2/train.txt", "".join(parted(dialogues, learnt=True)))
    write(data / "convai2/valid.txt", "".join(parted(dialogues, learnt=False)))
    held_out = [*convai2_dialogues(layout.find(Skill.CONVAI2, "valid", given))]
    write(data / "convai2/test.txt", "".join(held_out[::CONVAI2_TEST_OF]))
    conversations = json.loads(text(layout.find(Skill.BST, "valid", given)))
    write(data / "bst/train.json", json.dumps(parted(conversations, learnt=True)))
    write(data / "bst/valid.json", json.dumps(parted(conversations, learnt=False)))
    write(
        data / "bst/test.json",
        json.dumps(json.loads(text(layout.find(Skill.BST, "test", given)))[::BST_TEST_OF]),
    )
    for split, one_of in (("train", 1), ("valid", ED_VALID_OF), ("test", ED_TEST_OF)):
        write(data / f"wow/{split}.json", text(layout.find(Skill.WOW, split)))
        write(data / f"ed/{split}.csv", "".join(ed_part(text(layout.find(Skill.ED, split, given)), one_of)))
    for name in LISTS:
        write(data / name, text(layout.auxiliary(name, given)))


def convai2_dialogues(path: Path) -> Iterator[str]:
    """Each dialogue's lines; numbers begin at 1 again."""
    lines: list[str] = []
    for line in text(path).split("\n"):
        if line.startswith("1 ") and lines:
            yield "".join(lines)
            lines = []
        if line:
            lines.append(line + "\n")
    yield "".join(lines)


def parted(dialogues: Sequence[Any], learnt: bool) -> list[Any]:
    """Those that are learnt from, or the others."""
    return [each for place, each in enumerate(dialogues) if bool(place % VALID_OF) == learnt]


def ed_part(rows: str, one_of: int) -> Iterator[str]:
    """The head, and the rows of the first of every so many conversations."""
    head, *rest = rows.splitlines(keepends=True)
    yield head
    numbers: dict[str, int] = {}
    for row in rest:
        if numbers.setdefault(row.partition(",")[0], len(numbers)) % one_of == 0:
            yield row


def train(training: Training, data: Path, models: Path, threads: int) -> None:
    out = models / training.name
    if (out / "training.json").is_file() and (
        training.recipe == MANAGER or (out / "bank.safetensors").is_file()
    ):
        return
    command = (
        f"train {training.recipe} --data {data} --out {out} --precision bfloat16 --threads {threads} "
        f"--max-minutes {training.minutes} {values(training)}"
    )
    run(command + (f" --from {models / training.start}" if training.start else ""))


def values(training: Training) -> str:
    """A dialogue manager has one encoder anyway, and no value for it."""
    return VALUES.replace("--set shared_encoder=true ", "") if training.recipe == MANAGER else VALUES


def run(command: str) -> None:
    """Give one command of manage.py, and show it."""
    print(f"\n$ python manage.py {command}", flush=True)
    began = time.monotonic()
    subprocess.run([sys.executable, PROJECT / "manage.py", *shlex.split(command)], check=True, cwd=PROJECT)
    print(f"  {time.monotonic() - began:.0f} s", flush=True)


def register(models: Path) -> None:
    """Every trained model, and the two systems that are made of them, named as in the paper."""
    run("migrate --verbosity 0")
    for training in TRAININGS:
        if training.name != MANAGER:
            name = NAMES.get(training.name, training.name)
            run(f"register {models / training.name} --slug {training.name} --name {shlex.quote(name)}")
    run(f"register --kind random-skill --parts {PARTS} --slug random-skill --name Random-Skill")
    run(
        f"register {models / MANAGER} --kind two-stage --parts {PARTS} --slug mt-two-stage --name 'MT Two-Stage'"
    )


def measurements(data: Path) -> Iterator[str]:
    """What Tables 5, 6 and 4 show, in this order; what was measured before is found, not measured again."""
    asked = f"--data {data} --max-examples {QUESTIONS} --seed 7 --format markdown"
    systems, all_systems = " ".join(TABLE_5), " ".join([*TABLE_5, "mt-single-skills-original", *TUNED])
    yield f"benchmark {systems} --task convai2 --task wow --task ed {asked} --against untrained"
    for skill in SKILLS:
        yield f"benchmark {systems} --task {skill} {asked} --against {skill}"
    yield f"benchmark {systems} --task convai2 --task wow --task ed {asked} --against mt-single-skills"
    yield f"benchmark mt-single-skills --added-context --task all {asked}"
    for skill in SKILLS:
        yield f"benchmark {skill} --mixed-candidates --task {skill} {asked}"
    yield f"benchmark mt-two-stage mt-single-skills --mixed-candidates --task all {asked}"
    for other in ("untrained", "mt-single-skills-bst"):
        yield f"benchmark {all_systems} --task bst {asked} --against {other}"
    yield f"benchmark {' '.join(MULTI_TASK)} --provenance {asked}"
    yield f"benchmark_tables --of {data} --format markdown"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
