"""Data sets of a few lines, in which a network can learn something."""

from __future__ import annotations

from pathlib import Path

WORDS = (
    "cats dogs sea deep like the persona your is i moon rain salt tree bird fish lamp road wind gold iron "
    "milk bread snow fire hill"
).split()


def answers(count: int) -> str:
    """ConvAI2 dialogues of one exchange in which the answer shares a word with the question."""
    chosen = [WORDS[place % len(WORDS)] + WORDS[(place * 7 + 3) % len(WORDS)] for place in range(count)]
    return "".join(f"1 what about {word}\t{word} is good\n" for word in chosen)


def write_convai2(folder: Path) -> Path:
    """The folder of data sets, with the same 26 dialogues to learn from and to validate on."""
    (folder / "convai2").mkdir(parents=True)
    for split in ("train", "valid"):
        (folder / "convai2" / f"{split}.txt").write_text(answers(26))
    return folder
