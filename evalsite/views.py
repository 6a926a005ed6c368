"""The door and the error pages."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.staff import is_researcher
from evalsite.middleware import request_id
from evalsite.sign_in import redeem


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Researchers go to their studies; everybody else is told how to get in."""
    if is_researcher(request.user):
        return redirect("studies")
    return render(request, "home.html")


@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    """How a researcher gets in: with a link that the server's terminal prints."""
    return render(request, "signed_out.html")


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link. The button alone uses it up, since programs that preview links follow them too."""
    if request.method != "POST":
        return render(request, "sign_in.html")
    user = redeem(token)
    if user is None:
        return render(request, "signed_out.html", {"spent": True}, status=403)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("studies")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("signed_out")


# --- Errors: what happened, what it means for the person, what to do ---------------------------------------


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


#: A restart of PostgreSQL takes a few seconds.
COME_BACK_S = 5


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
