"""What the production settings need of the environment; read before Django's settings, without them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

#: Django's own check warns of shorter keys (security.W009).
SHORTEST_KEY = 50
FALSE = ("", "false", "off", "0", "no", "n", "f")


def unmet(environment: Mapping[str, str]) -> list[str]:
    """One sentence for each variable that is missing or unfit; empty when all is well."""
    sentences = (
        _key(environment.get("SECRET_KEY", "")),
        _address(environment.get("SITE_URL", "")),
        _scheme(
            "DATABASE_URL", environment, ("postgres", "postgresql"), "postgres://user:password@host/colloquy"
        ),
        _scheme("REDIS_URL", environment, ("redis", "rediss"), "redis://host:6379/0"),
        _debug(environment.get("DEBUG", "")),
    )
    return [sentence for sentence in sentences if sentence]


def _key(key: str) -> str:
    if not key:
        return (
            "SECRET_KEY is not set: make one with python3 -c 'import secrets; print(secrets.token_urlsafe(64))' and "
            "keep it outside of the data folder."
        )
    if len(key) < SHORTEST_KEY:
        return f"SECRET_KEY has {len(key)} characters and needs at least {SHORTEST_KEY}: make a longer one."
    return ""


def _address(site_url: str) -> str:
    try:
        address = urlsplit(site_url)
        if address.scheme == "https" and address.hostname:
            return ""
    except ValueError:  # such as https://[
        pass
    came = f"is {site_url!r}" if site_url else "is not set"
    return f"SITE_URL {came}: give the address that people open, for example https://talk.example.org."


def _scheme(name: str, environment: Mapping[str, str], known: tuple[str, ...], example: str) -> str:
    """The value itself is not shown: it may hold a password."""
    value = environment.get(name, "")
    scheme = value.partition("://")[0]
    if scheme in known and len(value) > len(scheme) + 3:
        return ""
    came = f"names {scheme!r}" if "://" in value else "is no address" if value else "is not set"
    return f"{name} {came}: give one such as {example}."


def _debug(value: str) -> str:
    if value.strip().lower() in FALSE:
        return ""
    return f"DEBUG is {value!r}: debug pages show settings and code; unset it, or use evalsite.settings."
