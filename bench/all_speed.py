"""All tables of speed that docs/performance.md has, one after the other; some five minutes on two idle cores.

.venv/bin/python bench/all_speed.py [--data DIR] [--cache FILE]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parent


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, help="a folder of data sets")
    options.add_argument("--cache", type=Path, help="a file to keep the trained bank of bench/scoring.py in")
    options.add_argument(
        "--one-thread", action="store_true", help="processor time of one thread, not the clock's"
    )
    arguments = options.parse_args()
    data = ["--data", str(arguments.data)] if arguments.data else []
    cache = ["--cache", str(arguments.cache)] if arguments.cache else []
    for name, given in (
        ("scoring.py", [*data, *cache]),
        ("encoding.py", []),
        ("bank.py", data),
        ("training_step.py", data),
    ):
        # Each in a process of its own: what one leaves in memory is no other's.
        told = [*given, *(["--one-thread"] if arguments.one_thread else [])]
        subprocess.run([sys.executable, str(BENCHES / name), *told], check=True)


main()
