"""Each deployment check fires on what it is about, and on nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

#: Only the checks read the overridden databases.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
KEY = "k1l2m3n4" * 9


@pytest.fixture
def hardened(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings as production has them, as far as our checks look."""
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    settings.WORKER_COOKIE_NAME, settings.DEVICE_COOKIE_NAME = "__Host-worker", "__Host-device"
    settings.CSRF_TRUSTED_ORIGINS = ["https://talk.example.org"]
    settings.ALLOWED_HOSTS = ["talk.example.org"]
    settings.SECRET_KEY = KEY
    settings.SECURE_SSL_REDIRECT = True
    settings.EMBEDDED_QUEUE = False
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    return settings


def fired() -> list[str]:
    """The ids of our own checks that have something to say at a deployment."""
    messages = run_checks(include_deployment_checks=True)
    return [str(message.id) for message in messages if str(message.id).startswith("colloquy.")]


def without(directive: str) -> dict[str, dict[str, list[str]]]:
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    del policy["DIRECTIVES"][directive]
    return policy


def with_unsafe_scripts() -> dict[str, dict[str, list[str]]]:
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["script-src"] = ["'self'", "'unsafe-inline'"]
    return policy


def test_hardened_settings_pass(hardened: Any) -> None:
    assert fired() == []


MISTAKES: list[tuple[str, str, Callable[[], object]]] = [
    ("colloquy.W001", "MIDDLEWARE", lambda: [name for name in settings.MIDDLEWARE if "csp" not in name]),
    ("colloquy.W001", "CONTENT_SECURITY_POLICY", with_unsafe_scripts),
    ("colloquy.W001", "CONTENT_SECURITY_POLICY", lambda: without("object-src")),
    ("colloquy.W002", "CONTENT_SECURITY_POLICY", lambda: without("require-trusted-types-for")),
    ("colloquy.W003", "SESSION_COOKIE_NAME", lambda: "session"),
    ("colloquy.W003", "CSRF_COOKIE_NAME", lambda: "csrf"),
    ("colloquy.W003", "WORKER_COOKIE_NAME", lambda: "worker"),
    ("colloquy.W003", "DEVICE_COOKIE_NAME", lambda: "device"),
    ("colloquy.W004", "CSRF_TRUSTED_ORIGINS", lambda: ["https://a.example", "http://b.example"]),
    ("colloquy.W005", "ALLOWED_HOSTS", lambda: ["*"]),
    ("colloquy.W006", "SECRET_KEY", lambda: "another key than the environment's"),
    ("colloquy.W008", "SECURE_PROXY_SSL_HEADER", lambda: ("HTTP_X_FORWARDED_PROTO", "https")),
    ("colloquy.W009", "MIDDLEWARE", lambda: [*settings.MIDDLEWARE, "debug_toolbar.middleware.Any"]),
    ("colloquy.W010", "MEDIA_ROOT", lambda: "/srv/uploads"),
    (
        "colloquy.W011",
        "CHANNEL_LAYERS",
        lambda: {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    ),
    ("colloquy.W012", "EMBEDDED_QUEUE", lambda: True),
    ("colloquy.W013", "DATABASES", lambda: {"default": {"ENGINE": "django.db.backends.sqlite3"}}),
]


@pytest.mark.parametrize(("check", "name", "value"), MISTAKES)
def test_a_mistake_is_found(hardened: Any, check: str, name: str, value: Callable[[], object]) -> None:
    setattr(hardened, name, value())
    assert fired() == [check]


@pytest.mark.parametrize("proxies", ["", "*", "10.0.0.1,*"])
def test_no_proxy_and_every_proxy_are_found(
    hardened: Any, monkeypatch: pytest.MonkeyPatch, proxies: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    assert fired() == ["colloquy.W007"]


def test_the_settings_of_a_checkout_warn_of_nothing_without_deploy() -> None:
    assert run_checks() == []


def test_every_message_says_what_to_do() -> None:
    ours = [m for m in run_checks(include_deployment_checks=True) if str(m.id).startswith("colloquy.")]
    assert ours and all(message.hint for message in ours)
