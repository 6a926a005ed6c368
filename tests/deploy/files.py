"""What stands in deploy/, parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from tests.site_process import PROJECT

DEPLOY = PROJECT / "deploy"
SYSTEMD = DEPLOY / "systemd"
#: Variables of compose and of the proxy, which Colloquy itself does not read.
OF_OTHERS = {"SITE_HOST", "TLS", "WEB_UPSTREAMS", "POSTGRES_PASSWORD", "COMPOSE_PROFILES"} | {
    "HTTP_PORT",
    "HTTPS_PORT",
    "CADDY_ADMIN",
}
#: What our own images and units set for Python, libraries and Django.
OF_LIBRARIES = {
    "DJANGO_SETTINGS_MODULE",
    "HF_HUB_OFFLINE",
    "HOME",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
}


def documented() -> set[str]:
    return set(
        re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )


def procfile() -> dict[str, list[str]]:
    """Process -> its command, as a list."""
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    named = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name: shlex.split(command) for name, _, command in named}


def compose() -> dict[str, Any]:
    """With its merges made."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def example_variables(text: str, *, commented: bool = False) -> dict[str, str]:
    """NAME=value lines of an environment file; the commented ones too where asked."""
    pattern = re.compile(
        r"^#?([A-Z][A-Z0-9_]*)=(.*)$" if commented else r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE
    )
    return dict(pattern.findall(text))


def unit(path: Path) -> dict[str, list[str]]:
    """Key -> its values, of a unit's [Service]; keys may stand several times."""
    section, found = "", {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found
