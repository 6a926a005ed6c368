"""The error pages: what happened, what it means for the person, what to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from evalsite.request_ids import request_id

#: A restart of PostgreSQL takes a few seconds.
COME_BACK_S = 5


def _error(status: int, title: str, *paragraphs: str) -> HttpResponse:
    """A page that needs neither database nor session, since either may be what failed."""
    page = render_to_string("error.html", {"title": title, "paragraphs": paragraphs})
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(400, "This request makes no sense to us", "Go back and try again from the page before.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        403, "This page is not open to you", "If it should be, sign in again or ask for a new link."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _error(
        403,
        "Nothing was sent",
        "The page was too old, or this browser keeps no cookies from us; they tell us that the answer is "
        "yours.",
        "Allow cookies for this site, open the page again and send it once more.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        404, "There is nothing here", "The address may be mistyped, or what was here belongs to others."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django logs the traceback with the request's id; the person sees it as a reference."""
    return _error(
        500,
        "Something went wrong on our side",
        "What you wrote before is kept. Wait a moment and load the page again.",
        f"If it happens again, tell whoever runs the study this reference: {request_id(request)}",
    )


def away(request: HttpRequest) -> HttpResponse:
    """The database does not answer. What was just sent may be stored; every form may be sent twice."""
    answer = _error(
        503,
        "The site cannot be reached for a moment",
        "What you wrote before is kept. Wait a few seconds and load this page again.",
        "If you had just sent something, send it again: it counts once.",
    )
    answer.headers["Retry-After"] = str(COME_BACK_S)
    return answer
