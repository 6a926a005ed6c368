"""What every page gets: its headers, and words while the database is away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from evalsite.error_pages import away

logger = logging.getLogger(__name__)

#: Nothing here needs a camera, a place or a payment sheet.
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class PageHeaders:
    """Keeps pages out of caches and other sites' documents. Static files are answered before it.

    A talk or a transcript that lay in a shared browser's cache would be read by the next person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class DatabaseAway:
    """Answers 503 and asks for patience while the database is away; a restart is no failure of the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls it with what a view raised."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.warning("the database is away: a page is not answered", extra={"error": type(error).__name__})
        return away(request)
