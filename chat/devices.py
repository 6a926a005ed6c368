"""The device's cookie: a random mark of a browser, which opens nothing and outlives the evaluator's own cookie.

It tells that two workers sat at one device; who they are it tells nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from chat import traces
from chat.addresses import client_address, network_of
from chat.models import Participation

SALT = "device"
TOKEN_BYTES = 16


def cookie_value(token: str) -> str:
    """What the device's cookie holds."""
    return signing.dumps(token, salt=SALT)


def token_of(cookies: Mapping[str, str]) -> str:
    """The mark in a genuine cookie of at most DEVICE_COOKIE_AGE_S; empty without one."""
    try:
        token = signing.loads(
            cookies.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=settings.DEVICE_COOKIE_AGE_S
        )
    except signing.BadSignature:
        return ""
    return str(token)


def leave_traces(request: HttpRequest, participation: Participation, answer: HttpResponse) -> None:
    """Remember where somebody who takes part came from, and mark their browser where it has no mark.

    Who has not agreed, or is simulated, leaves nothing and gets no cookie.
    """
    known = token_of(request.COOKIES)
    token = known or secrets.token_urlsafe(TOKEN_BYTES)
    facts = traces.Facts(device=token, network=network_of(client_address(request.META)))
    if traces.remember(participation, facts) and not known:
        answer.set_cookie(
            settings.DEVICE_COOKIE_NAME,
            cookie_value(token),
            max_age=settings.DEVICE_COOKIE_AGE_S,
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
