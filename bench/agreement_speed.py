# ruff: noqa: E402 (settings are read when the first of our modules is imported)
"""How long a report on annotators' agreement takes, from a CSV file of drawn judgements to a page.

.venv/bin/python bench/agreement_speed.py [--units 30000] [--annotators 500] [--judgements 5] [--questions 2]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
FOLDER = tempfile.TemporaryDirectory(prefix="colloquy-bench-")
# Settings want a data folder; nothing is read from it, and no database is made.
os.environ |= {"COLLOQUY_DATA": FOLDER.name, "DJANGO_SETTINGS_MODULE": "evalsite.settings"}

import django

django.setup()

from machine import memory_mb, show

from analysis.annotations import AgreementOptions, analyse_annotations
from analysis.exports import report_html
from analysis.reading.annotations_file import read_annotations
from analysis.writeup.annotations import agreement_document

LABELS = ("knowledge", "empathy", "personal", "none")


def write_judgements(path: Path, asked: argparse.Namespace) -> None:
    """Each unit is judged by some annotators, drawn at random, who give its own label three times of four."""
    draw = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("annotator_id,unit_id,label,question\n")
        for unit in range(asked.units):
            for annotator in draw.choice(asked.annotators, asked.judgements, replace=False):
                for question in range(asked.questions):
                    place = unit % 4 if draw.random() < 0.75 else draw.integers(4)
                    file.write(f"a{annotator},u{unit},{LABELS[place]},q{question}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=30_000)
    parser.add_argument("--annotators", type=int, default=500)
    parser.add_argument("--judgements", type=int, default=5, help="of each unit")
    parser.add_argument("--questions", type=int, default=2)
    asked = parser.parse_args()
    path = Path(FOLDER.name) / "judgements.csv"
    write_judgements(path, asked)
    begin = time.perf_counter()
    annotations = read_annotations(path)
    read = time.perf_counter()
    page = report_html.render(
        agreement_document(analyse_annotations(annotations, path.name, AgreementOptions()))
    )
    end = time.perf_counter()
    show(
        f"{annotations.rows:,} judgements of {asked.units:,} units by {asked.annotators:,} annotators",
        [
            ("file read", f"{read - begin:.1f} s"),
            ("compared and written", f"{end - read:.1f} s"),
            ("page", f"{len(page) / 1000:,.0f} kB"),
            ("memory at most", f"{memory_mb(os.getpid())[1]:,.0f} MB"),
        ],
    )


if __name__ == "__main__":
    main()
