"""Each request's id: in its log lines, and on the page of a failure."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

#: The attribute of a request that holds its id.
ID = "id"


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
