"""What every request gets: an id in the logs, headers on its page, and words while the database is away."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

logger = logging.getLogger(__name__)

#: The attribute of a request that holds its id.
ID = "id"
#: Nothing here needs a camera, a place or a payment sheet.
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class RequestId:
    """Gives each request an id that its log lines carry and that the page of a failure shows.

    Of our own making: what a browser sends stands in no log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = secrets.token_hex(6)
        setattr(request, ID, given)
        with bound_contextvars(request_id=given):
            return self.get_response(request)


def request_id(request: HttpRequest) -> str:
    """The id that RequestId gave."""
    return str(getattr(request, ID))


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
        from evalsite.views import away  # which imports this module

        logger.warning("the database is away: a page is not answered", extra={"error": type(error).__name__})
        return away(request)
