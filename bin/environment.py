"""Make .venv and install the pinned requirements; run by bin/setup with the standard library alone.

Each step says what it does and how long it took. A stamp inside .venv holds a hash of the requirement files,
so that a second run returns at once. Two runs at once wait for each other.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = PROJECT / ".venv.lock"
LOG = VENV / "setup.log"
#: A first install measured 1.9 GB on disk with the CPU build of torch, and fetches wheels beside it.
FIRST_INSTALL_BYTES = 3 * 1000**3
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
LINES_SHOWN = 12
SHOW_EVERY_S = 2.0
REMIND_EVERY_S = 10.0


class SetupFailed(Exception):
    """The environment cannot be made; the message says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/setup", description="Make or refresh .venv.")
    parser.add_argument("--dev", action="store_true", help="also install what tests need")
    dev: bool = parser.parse_args().dev
    try:
        if not is_current(dev):
            with only_one():
                if not is_current(dev):  # another run may have finished while this one waited
                    install(dev)
    except SetupFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"\n{explained('Making .venv failed', str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on.", file=sys.stderr)
        return 130
    return 0


def install(dev: bool) -> None:
    """Every step from nothing to a stamped environment."""
    make_environment()
    torch_index = os.environ.get("COLLOQUY_TORCH_INDEX", "")
    index = ["--index-url", CPU_INDEX if torch_index == "cpu" else torch_index] if torch_index else []
    pip("Installing torch, the largest package", "-r", "requirements-torch.txt", *index)
    pip("Installing what serves the site", "-r", "requirements.txt")
    pip("Installing the base language model", "--no-deps", "-r", "requirements-nodeps.txt")
    stamp(False).write_text(fingerprint(False))
    if dev:
        pip("Installing what tests need", "-r", "requirements-dev.txt")
        stamp(True).write_text(fingerprint(True))


def requirement_files(dev: bool) -> list[str]:
    files = [
        "requirements-constraints.txt",
        "requirements-torch.txt",
        "requirements.txt",
        "requirements-nodeps.txt",
    ]
    return [*files, "requirements-dev.txt"] if dev else files


def fingerprint(dev: bool) -> str:
    """A hash of everything that decides what is installed."""
    digest = hashlib.sha256()
    for name in requirement_files(dev):
        digest.update((PROJECT / name).read_bytes() + b"\0")
    digest.update(os.environ.get("COLLOQUY_TORCH_INDEX", "").encode())
    return digest.hexdigest()


def stamp(dev: bool) -> Path:
    return VENV / (".installed-dev" if dev else ".installed")


def is_current(dev: bool) -> bool:
    try:
        return stamp(dev).read_text() == fingerprint(dev) and PYTHON.exists()
    except FileNotFoundError:
        return False


@contextmanager
def only_one() -> Iterator[None]:
    """Wait for another run on this checkout to finish."""
    with open(LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another setup is running in this checkout; waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    """The virtual environment; made again when its Python has gone."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True).returncode == 0:
        return
    check_disk()
    started = time.monotonic()
    print(f"Making .venv with Python {sys.version.split()[0]} ...", flush=True)
    # Not the .venv's own Python, which --clear removes.
    python = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([python, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode:
        raise explained("The virtual environment could not be made", made.stdout + made.stderr)
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def check_disk() -> None:
    free = shutil.disk_usage(PROJECT).free
    if free < FIRST_INSTALL_BYTES:
        raise SetupFailed(
            f"The disk of {PROJECT} has {free / 1000**3:.1f} GB free and a first install needs about "
            f"{FIRST_INSTALL_BYTES / 1000**3:.0f} GB: free some space and run this again."
        )


def pip(title: str, *arguments: str) -> None:
    """Run ``pip install``, showing what it is at; raise with a sentence when it fails."""
    started = time.monotonic()
    print(f"{title} ...", flush=True)
    # pip unpacks in the temporary folder; inside .venv the check of the free space covers it.
    scratch = VENV / "tmp"
    scratch.mkdir(exist_ok=True)
    command = [PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", "PIP_PROGRESS_BAR": "off"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last = follow(process, started)
    shutil.rmtree(scratch, ignore_errors=True)
    if process.returncode:
        raise explained(f"{title} failed", last)
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def follow(process: subprocess.Popen[str], started: float) -> str:
    """Log pip's lines and show every so often what it is at; return the last of them."""
    kept: deque[str] = deque(maxlen=400)
    shown_at, doing = started, "Looking at what is there"
    with open(LOG, "a") as log:
        for line in lines_and_pauses(process):
            log.write(line)
            kept.append(line)
            doing = activity(line) or doing
            now = time.monotonic()
            if now - shown_at >= (SHOW_EVERY_S if line else REMIND_EVERY_S):
                print(f"  {now - started:4.0f} s  {doing[:90]}", flush=True)
                shown_at = now
    process.wait()
    return "".join(kept)


def lines_and_pauses(process: subprocess.Popen[str]) -> Iterator[str]:
    """Each line of the process, and an empty one for each second in which it says nothing."""
    lines: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


def activity(line: str) -> str:
    """What a line of pip says that it is doing, without where from; empty for other lines."""
    verb, _, what = line.strip().partition(" ")
    if verb == "Installing":
        return "Installing what was fetched"
    if verb not in ("Collecting", "Downloading", "Processing", "Building"):
        return ""
    return f"{verb} {what.partition(' (from')[0].rpartition('/')[2]}"


def explained(what: str, output: str) -> SetupFailed:
    """The failure with the end of pip's words and one sentence on what to do."""
    tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-LINES_SHOWN:])
    if "No space left" in output or "Errno 28" in output:
        advice = (
            "The disk is full: free about 3 GB and run this again. On Linux, COLLOQUY_TORCH_INDEX=cpu takes "
            "torch's small build, without CUDA."
        )
    elif "No matching distribution" in output or "connection" in output.lower() or "resolve" in output:
        advice = (
            "A package could not be fetched: check the network and proxy, or name another index by "
            "PIP_INDEX_URL, and run this again; what was fetched is kept."
        )
    else:
        advice = f"The lines above say why; the whole output is in {LOG}. Run this again once it is mended."
    return SetupFailed(f"{tail}\n{what}. {advice}")


if __name__ == "__main__":
    sys.exit(main())
