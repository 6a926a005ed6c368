"""Signing in and out, and the pages of what went wrong."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, RequestFactory
from django.urls import reverse

from evalsite import error_pages, sign_in
from evalsite.request_ids import RequestId, request_id

pytestmark = pytest.mark.django_db


def test_a_sign_in_link_opens_the_studies_once(client: Client) -> None:
    path = reverse("sign_in", args=[sign_in.issue()])
    assert client.post(path)["Location"] == reverse("studies")
    assert client.get(reverse("studies")).status_code == 200
    again = Client().post(path)
    assert again.status_code == 403
    assert "This link no longer works" in again.content.decode()


def test_looking_at_a_sign_in_link_does_not_use_it_up(client: Client) -> None:
    path = reverse("sign_in", args=[sign_in.issue()])
    for _ in range(3):
        assert Client().get(path).status_code == 200
    assert client.post(path).status_code == 302


def test_signing_in_starts_a_new_session(client: Client) -> None:
    client.force_login(User.objects.create(username="guest"))
    before = client.session.session_key
    client.post(reverse("sign_in", args=[sign_in.issue()]))
    assert client.session.session_key != before


def test_signing_out_closes_the_researcher_s_pages(researcher: Client) -> None:
    researcher.post(reverse("sign_out"))
    assert researcher.get(reverse("studies")).status_code == 302


def test_who_is_signed_out_is_told_how_to_get_in(client: Client) -> None:
    page = client.get(reverse("studies"), follow=True).content.decode()
    assert "manage.py signin" in page


def test_an_unknown_address_gets_a_page_of_ours(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_the_page_of_a_failure_has_the_request_s_id_and_no_details(rf: RequestFactory) -> None:
    request = rf.get("/some/page/")
    answer = RequestId(error_pages.server_error)(request)
    assert answer.status_code == 500
    assert request_id(request) in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_while_the_database_is_away_a_page_asks_for_patience(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise error("the server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)
    answer = client.get("/e/some-study/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "cannot be reached for a moment" in answer.content.decode()


@pytest.mark.parametrize(
    ("view", "status"),
    [(error_pages.bad_request, 400), (error_pages.forbidden, 403), (error_pages.csrf_failure, 403)],
)
def test_refusals_have_a_page_of_their_own(view, status: int, rf: RequestFactory) -> None:
    answer = view(rf.get("/"))
    assert answer.status_code == status
    assert "<h1>" in answer.content.decode()
