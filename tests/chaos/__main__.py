"""``python -m tests.chaos``: strike a running site at random and compare what people saw with what it stored.

Green is exit code 0. ``--all`` plays every combination of services and prints their counts as a table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos import report
from tests.chaos.run import Options, play

SERVICES = ("postgresql+redis", "postgresql+rabbitmq", "embedded")
#: What ``--all`` plays.
COMBINATIONS = (
    ("--services", "postgresql+redis", "--redis-file", "yes"),
    ("--services", "postgresql+redis", "--redis-file", "no"),
    ("--services", "postgresql+rabbitmq", "--redis-file", "no"),
    ("--services", "embedded"),
)
FOUND, OUT_OF_TIME, INTERRUPTED = 1, 3, 130


def main() -> int:
    # Whoever ends a run ends all that it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = parsed()
    return all_combinations(arguments) if arguments.all else one(arguments)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every combination, one after the other")
    parser.add_argument("--services", choices=SERVICES, default="embedded")
    parser.add_argument(
        "--redis-file", choices=("yes", "no"), default="yes", help="whether Redis keeps a file"
    )
    parser.add_argument("--kills", type=int, default=200, help="kill points, of each combination (200)")
    parser.add_argument("--talks", type=int, default=50, help="talks at once (50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--think-s", type=float, default=6.0, help="mean pause before each message (6)")
    parser.add_argument("--limit-s", type=float, default=3600.0, help="of each combination (3600)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a green run too")
    parser.add_argument("--json", type=Path, help="write the counts here too")
    return parser.parse_args()


def one(arguments: argparse.Namespace) -> int:
    options = Options(
        services=arguments.services,
        kills=arguments.kills,
        talks=arguments.talks,
        seed=arguments.seed,
        redis_file=arguments.redis_file == "yes",
        think_s=arguments.think_s,
        limit_s=arguments.limit_s,
        keep=arguments.keep,
    )
    try:
        outcome = asyncio.run(play(options, lambda line: print(line, flush=True)))
    except TimeoutError as error:
        print(f"Out of time: {error or f'{arguments.limit_s:.0f} s'}", file=sys.stderr)
        return OUT_OF_TIME
    except KeyboardInterrupt:
        return INTERRUPTED
    if arguments.json:
        arguments.json.write_text(json.dumps(outcome.as_json()))
    print("\n".join(report.lines_of(outcome)))
    return 0 if outcome.is_green else FOUND


def all_combinations(arguments: argparse.Namespace) -> int:
    """Each in a process of its own, since Django is set up once a process."""
    outcomes, worst = [], 0
    common = [
        *("--kills", str(arguments.kills), "--talks", str(arguments.talks), "--seed", str(arguments.seed)),
        *("--think-s", str(arguments.think_s), "--limit-s", str(arguments.limit_s)),
    ]
    with tempfile.TemporaryDirectory(prefix="colloquy-chaos-counts-") as folder:
        for number, combination in enumerate(COMBINATIONS):
            counts = Path(folder) / f"{number}.json"
            command = [sys.executable, "-m", "tests.chaos", *combination, *common, "--json", str(counts)]
            worst = max(worst, subprocess.run(command, check=False).returncode)
            if counts.exists():
                outcomes.append(json.loads(counts.read_text()))
    print(report.table(outcomes))
    return worst


if __name__ == "__main__":
    sys.exit(main())
