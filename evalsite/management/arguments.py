"""Arguments that several commands take."""

from __future__ import annotations

import argparse


def port(text: str) -> int:
    """A port's number, for ``add_argument(type=port)``."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port; ports go from 1 to 65535")
    return number
