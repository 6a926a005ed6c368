"""How long bin/up takes, the packages being installed: first page, models warm; then a second start.

    .venv/bin/python bench/first_start.py [--port 8890]

It uses a data folder of its own, which it removes.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from machine import show

PROJECT = Path(__file__).resolve().parent.parent
LIMIT_S = 600.0


def start(data: str, port: int) -> tuple[float, float, float]:
    """Seconds until the first page, until everything is ready, and until Ctrl-C has stopped it all."""
    began = time.monotonic()
    command = [str(PROJECT / "bin" / "up"), "--data", data, "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True).start()
    page_s = 0.0
    while not any("/signin/" in line for line in lines):
        if process.poll() is not None or time.monotonic() - began > LIMIT_S:
            raise SystemExit("".join(lines) + "the site did not start")
        if not page_s and answers(f"http://localhost:{port}/e/table7/"):
            page_s = time.monotonic() - began
        time.sleep(0.05)
    ready_s = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    process.wait(60)
    return page_s or ready_s, ready_s, time.monotonic() - began - ready_s


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:  # noqa: S310
            return page.status == 200
    except (urllib.error.URLError, OSError):
        return False


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--port", type=int, default=8890)
with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as folder:
    port = parser.parse_args().port
    runs = {"first start": start(folder, port), "second start": start(folder, port)}
show(
    "bin/up with installed packages",
    [
        (name, f"first page {page_s:.1f} s, all models warm {ready_s:.1f} s, stopped in {stop_s:.1f} s")
        for name, (page_s, ready_s, stop_s) in runs.items()
    ],
)
