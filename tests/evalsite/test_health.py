"""What load balancers ask."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import Client


@pytest.mark.django_db
def test_a_site_whose_database_and_queue_answer_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_a_queue_that_is_gone_is_named(client: Client, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"no answer from: queue\n")


@pytest.mark.django_db
def test_a_database_that_is_gone_is_named(client: Client) -> None:
    connection = connections["default"]

    def refuse(*_: object) -> None:
        from django.db import OperationalError

        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"no answer from: database\n")


def test_readiness_is_only_read(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
