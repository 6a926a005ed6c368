"""What ``manage.py check --deploy`` looks at beside Django's own checks. Development settings are not asked.

Each check is a function from settings to sentences with their hints; ids are stable, so that an operator may silence
one by SILENCED_SYSTEM_CHECKS.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

#: Apps and middleware that show settings, queries or code to whoever asks.
DEBUG_TOOLS = (
    "debug_toolbar",
    "django_extensions",
    "silk",
    "werkzeug_debugger_runserver",
    "django_browser_reload",
)
#: Directives and the only sources that they may have.
STRICT_POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}
Found = Iterator[CheckMessage]


@register(Tags.security, deploy=True)
def content_policy(**_: object) -> Found:
    """Without it a text that a page once fails to escape runs as a script."""
    if "csp.middleware.CSPMiddleware" not in settings.MIDDLEWARE:
        yield _warning(1, "Pages are sent without a content policy.", "Put CSPMiddleware into MIDDLEWARE.")
        return
    policy = getattr(settings, "CONTENT_SECURITY_POLICY", {}).get("DIRECTIVES", {})
    if loose := [name for name, sources in STRICT_POLICY.items() if set(policy.get(name, ())) != sources]:
        yield _warning(
            1,
            f"The content policy is loose in {', '.join(loose)}.",
            "; ".join(f"{name} {' '.join(STRICT_POLICY[name])}" for name in loose),
        )
    if "'script'" not in policy.get("require-trusted-types-for", ()):
        yield _warning(
            2,
            "The content policy does not ask for Trusted Types.",
            "Add require-trusted-types-for 'script' to CONTENT_SECURITY_POLICY.",
        )


@register(Tags.security, deploy=True)
def cookie_names(**_: object) -> Found:
    """A name with __Host- cannot be set by a neighbouring host name, nor over http."""
    kinds = ("SESSION", "CSRF", "WORKER", "DEVICE")
    names = [getattr(settings, f"{kind}_COOKIE_NAME") for kind in kinds]
    if plain := [name for name in names if not name.startswith("__Host-")]:
        yield _warning(
            3,
            f"Cookies {', '.join(plain)} lack the prefix __Host-.",
            "Give SITE_URL with https://; it names the cookies.",
        )


@register(Tags.security, deploy=True)
def trusted_origins(**_: object) -> Found:
    if plain := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://")]:
        yield _warning(
            4,
            f"Forms are accepted from {', '.join(plain)}, which anybody on the way may write.",
            "Name origins with https:// alone in CSRF_TRUSTED_ORIGINS.",
        )


@register(Tags.security, deploy=True)
def allowed_hosts(**_: object) -> Found:
    """The socket's origin is compared with them, so that a wildcard opens it to every page."""
    if "*" in settings.ALLOWED_HOSTS:
        yield _warning(5, "The site answers to every host name.", "Name the site's own in ALLOWED_HOSTS.")


@register(Tags.security, deploy=True)
def secret_key(**_: object) -> Found:
    """A key beside the data is lost with it, and copied with it."""
    if os.environ.get("SECRET_KEY") != settings.SECRET_KEY:
        yield _warning(
            6,
            "The secret key lies in the data folder.",
            "Set SECRET_KEY, from a secret store or a file that root owns; move the folder's key there to keep codes.",
        )


@register(Tags.security, deploy=True)
def named_proxies(**_: object) -> Found:
    """Whose word on scheme and address counts: https is only known from the proxy, and so are people's addresses."""
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    if "*" in proxies.split(","):
        yield _warning(
            7,
            "Every peer's word on the visitor's address and scheme counts.",
            "Name the proxy's addresses or networks in FORWARDED_ALLOW_IPS.",
        )
    elif not proxies and settings.SECURE_SSL_REDIRECT:
        yield _warning(
            7,
            "No proxy is named, so every page redirects to itself for want of https.",
            "Name the proxy's addresses or networks in FORWARDED_ALLOW_IPS.",
        )
    if settings.SECURE_PROXY_SSL_HEADER:
        yield _warning(
            8,
            "SECURE_PROXY_SSL_HEADER believes every peer.",
            "Unset it: FORWARDED_ALLOW_IPS already lets the proxy, and nobody else, say that a request came by https.",
        )


@register(Tags.security, deploy=True)
def debug_tools(**_: object) -> Found:
    parts = [*settings.INSTALLED_APPS, *settings.MIDDLEWARE]
    if found := [tool for tool in DEBUG_TOOLS if any(part.partition(".")[0] == tool for part in parts)]:
        yield _warning(9, f"Debug tools are installed: {', '.join(found)}.", "Take them out of the settings.")


@register(Tags.security, deploy=True)
def uploaded_files(**_: object) -> Found:
    if settings.MEDIA_ROOT:
        yield _warning(
            10,
            "Uploaded files would be served from the site's own origin, where they may run as scripts.",
            "Leave MEDIA_ROOT unset; the site takes no uploads.",
        )


@register(Tags.database, deploy=True)
def several_processes(**_: object) -> Found:
    """What works in one process, or on one machine, and is lost between several."""
    if "InMemory" in settings.CHANNEL_LAYERS["default"]["BACKEND"]:
        yield _warning(
            11,
            "The channel layer lives in one process: workers cannot tell web processes of a reply.",
            "Use the layer of evalsite.settings, over REDIS_URL.",
        )
    if settings.EMBEDDED_QUEUE:
        yield _warning(
            12,
            "The queue is the embedded one, which manage.py up alone starts.",
            "Name a Redis in REDIS_URL.",
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield _warning(
            13,
            "SQLite has one writer at a time, on one machine.",
            "Name a PostgreSQL in DATABASE_URL before several web processes or workers share the site.",
        )


def _warning(number: int, sentence: str, hint: str) -> Warning:
    return Warning(sentence, hint=hint, id=f"colloquy.W{number:03}")
