"""The door and the error pages."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


home = signed_out = sign_in = sign_out = bad_request = forbidden = not_found = server_error = healthz
