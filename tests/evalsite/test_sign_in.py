"""One-time links: once, in time, by hash."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from evalsite import sign_in
from evalsite.models import SignInLink


@pytest.mark.django_db
def test_a_link_signs_the_first_researcher_in_once() -> None:
    token = sign_in.issue()
    user = sign_in.redeem(token)
    assert user is not None and user.username == "researcher"
    assert user.is_staff and not user.is_superuser and not user.has_usable_password()
    assert sign_in.redeem(token) is None


@pytest.mark.django_db
def test_only_the_hash_of_a_token_is_stored() -> None:
    token = sign_in.issue()
    stored = SignInLink.objects.values().get()
    assert stored["token_sha256"] == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(stored)


@pytest.mark.django_db
def test_an_expired_link_signs_nobody_in() -> None:
    token = sign_in.issue()
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sign_in.redeem(token) is None


@pytest.mark.django_db
def test_an_unknown_token_signs_nobody_in() -> None:
    sign_in.issue()
    assert sign_in.redeem("") is None
    assert sign_in.redeem("x" * 43) is None


@pytest.mark.django_db
def test_an_inactive_user_is_not_signed_in() -> None:
    token = sign_in.issue()
    User.objects.update(is_active=False)
    assert sign_in.redeem(token) is None


@pytest.mark.django_db
def test_a_named_user_gets_a_link_of_their_own() -> None:
    colleague = User.objects.create_user("colleague", is_staff=True)
    assert sign_in.redeem(sign_in.issue(colleague)) == colleague


@pytest.mark.django_db
def test_a_new_link_leaves_earlier_ones_valid_and_removes_expired_ones() -> None:
    old, earlier = sign_in.issue(hours=-1), sign_in.issue()
    assert SignInLink.objects.count() == 1
    sign_in.issue()
    assert sign_in.redeem(old) is None
    assert sign_in.redeem(earlier) is not None


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_is_signed_in() -> None:
    token = sign_in.issue()

    def try_it(_: int) -> bool:
        try:
            return sign_in.redeem(token) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(16))) == 1
