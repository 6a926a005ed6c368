"""A second question to the database while the first is answered."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from analysis.reading.beside import beside
from chat.models import Study


def asked_by() -> str:
    Study.objects.exists()
    return threading.current_thread().name


@pytest.mark.django_db(transaction=True)
def test_postgresql_is_asked_by_a_thread_of_its_own() -> None:
    with beside(asked_by) as answer:
        name = answer()
    assert name.startswith("beside") == (connection.vendor == "postgresql")


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_what_was_written_is_seen(make_study) -> None:
    with transaction.atomic():
        make_study()
        with beside(lambda: (Study.objects.count(), asked_by())) as answer:
            assert answer() == (1, threading.current_thread().name)


@pytest.mark.django_db(transaction=True)
def test_what_fails_is_raised_where_the_answer_is_wanted() -> None:
    def fail() -> None:
        raise ValueError("whatever is wrong")

    with pytest.raises(ValueError, match="whatever is wrong"), beside(fail) as answer:
        answer()
