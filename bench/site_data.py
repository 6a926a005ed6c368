"""Opens a running site's data for a benchmark: its key, and the worker's process."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def parser(description: str) -> ArgumentParser:
    """Options that every benchmark of a running site has."""
    made = ArgumentParser(description=description)
    made.add_argument("--url", default="http://localhost:8000", help="where the site runs")
    made.add_argument("--data", help="the site's data folder (default: ./data)")
    made.add_argument("--study", default="table7")
    return made


def open_data() -> None:
    """Set Django up on the data folder that the command line names."""
    sys.path.insert(0, str(PROJECT))
    from evalsite.site_data import claim_data_folder

    claim_data_folder(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    import django

    django.setup()


def worker_pid() -> int:
    """The process that holds the models."""
    from evalsite.site_data import data_folder

    return int(json.loads((data_folder() / "worker-ready.json").read_text())["pid"])
