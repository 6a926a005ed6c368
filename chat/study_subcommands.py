"""What apps above add to ``manage.py study``: subcommands of their own, and words about an arm for ``study show``."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chat.models import Arm, Study


@dataclass(frozen=True, slots=True)
class Subcommand:
    """``manage.py study NAME SLUG ...``. ``run`` gets the study and the parsed options and gives what to print.

    It may raise CommandError.
    """

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Study, Mapping[str, Any]], str]


#: Apps above append theirs when they are ready.
subcommands: list[Subcommand] = []
#: Each gives lines that ``study show`` prints under an arm.
arm_lines: list[Callable[[Arm], list[str]]] = []
