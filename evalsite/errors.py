"""Why a site does not start, in sentences that a person can act on."""

from __future__ import annotations

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


class SiteError(Exception):
    """Base of the composition's errors; ``code`` is stable, the message is for people."""

    code = "site_error"


class StartRefused(SiteError):
    """The site cannot start as asked; nothing was started."""

    code = "start_refused"


class SettingsRefused(SiteError, ImproperlyConfigured):
    """The settings lack what a site needs; one sentence a line."""

    code = "settings_refused"


class ChildFailed(SiteError):
    """A process of the site did not come up; the message ends with its last lines."""

    code = "child_failed"

    def __init__(self, sentence: str, log: Path, last_lines: str) -> None:
        super().__init__(f"{sentence} Its log: {log}" + (f"\n{last_lines}" if last_lines else ""))


class BackupRefused(SiteError):
    """A backup cannot be made, read or restored as asked; nothing that was there has changed."""

    code = "backup_refused"
