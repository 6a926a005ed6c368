"""The researchers' door: every researcher's page, on every floor, is behind it."""

from __future__ import annotations

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AnonymousUser, User


def is_researcher(user: User | AnonymousUser) -> bool:
    """Signed in, active, and staff. An evaluator's cookie makes nobody a user."""
    return user.is_authenticated and user.is_active and user.is_staff


#: A view behind it sends everybody else to the page that says how to sign in.
staff_only = user_passes_test(is_researcher, login_url="signed_out")
