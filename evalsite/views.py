"""The door."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.staff import is_researcher
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
