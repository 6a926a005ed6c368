#!/usr/bin/env python
"""Colloquy's commands. ``--data DIR`` names the site's data folder before settings are read."""

import os
import sys

from evalsite.site_data import claim_data_folder


def main() -> None:
    claim_data_folder(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
