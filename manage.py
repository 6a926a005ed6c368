#!/usr/bin/env python
"""Colloquy's commands. ``--data DIR`` names the site's data folder before settings are read."""

import os
import sys

from evalsite.site_data import claim_data_folder, data_folder, secret_key


def main() -> None:
    claim_data_folder(sys.argv)
    try:
        data_folder()
        secret_key()
    except OSError as error:
        print(
            f"The data folder cannot be used ({error.strerror}: {error.filename}): "
            "free some space if its disk is full, or name another folder with --data.",
            file=sys.stderr,
        )
        sys.exit(2)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    from django.core.management import execute_from_command_line

    from evalsite.errors import SettingsRefused

    try:
        execute_from_command_line(sys.argv)
    except SettingsRefused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
