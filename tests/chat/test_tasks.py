"""What a worker's task does when the database is away."""

import pytest
from django.db import OperationalError

from chat import tasks


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STORE_AGAIN_S", (0.0, 0.0))


def store(fails: int, tried: list[int]) -> None:
    tried.append(1)
    if len(tried) <= fails:
        raise OperationalError("the server closed the connection unexpectedly")


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_reply_that_is_made_is_stored_when_the_database_is_back(fails):
    tried: list[int] = []
    tasks._through_a_restart(lambda: store(fails, tried))
    assert len(tried) == fails + 1


def test_a_database_that_stays_away_is_told():
    tried: list[int] = []
    with pytest.raises(OperationalError):
        tasks._through_a_restart(lambda: store(9, tried))
    assert len(tried) == 3
