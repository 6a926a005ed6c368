"""One-time sign-in links for researchers. Only a token's SHA-256 is stored: a leaked table opens nothing."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from evalsite import preflight
from evalsite.models import SignInLink

#: The account that a fresh site signs in with; it has no password.
FIRST_RESEARCHER = "researcher"


def issue(user: User | None = None, *, hours: float = 24) -> str:
    """A new token, valid once within ``hours``; for the first researcher unless another user is named."""
    SignInLink.objects.filter(expires_at__lt=timezone.now()).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        user=user or first_researcher(),
        token_sha256=_digest(token),
        expires_at=timezone.now() + timedelta(hours=hours),
    )
    return token


def redeem(token: str) -> User | None:
    """The user whom this token signs in, once; None when it is unknown, used, expired or of nobody active.

    The token is found by its hash, so that timing tells nothing about stored ones; of two requests at once
    the conditional update lets one through.
    """
    link = SignInLink.objects.select_related("user").filter(token_sha256=_digest(token)).first()
    now = timezone.now()
    if link is None or not link.user.is_active:
        return None
    claimed = SignInLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    return link.user if claimed else None


def site_url() -> str:
    """Where the site is reached: SITE_URL when that is set, else where it was last started."""
    if "SITE_URL" in os.environ:
        return str(settings.SITE_URL)
    return str(preflight.recorded(settings.DATA_DIR).get("url") or settings.SITE_URL)


def link(token: str) -> str:
    """The address to open."""
    return site_url() + reverse("sign_in", args=[token])


def first_researcher() -> User:
    user, made = User.objects.get_or_create(username=FIRST_RESEARCHER, defaults={"is_staff": True})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
