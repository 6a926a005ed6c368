"""Groups of workers, their queues, and which one a model's turns go to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from modelhub import registry
from modelhub.errors import ModelhubError
from modelhub.models import Revision, ServedModel, ServingWorker
from modelhub.serving import routing

pytestmark = pytest.mark.django_db


@pytest.fixture
def revision() -> Revision:
    return registry.register("one", "One", "scripted", None, {"replies": ["a"]})


def worker(
    group: str, holds: Revision, state: str = "ready", silent_s: float = 0, own: str = "ready"
) -> None:
    seen_at = timezone.now() - timedelta(seconds=silent_s)
    row = ServingWorker.objects.create(name="here:1", group=group, device="cpu", state=own, seen_at=seen_at)
    ServedModel.objects.create(worker=row, revision=holds, state=state, changed_at=seen_at)


def test_a_group_is_the_same_whatever_the_order_of_its_models() -> None:
    assert routing.group_of(["wow", "bst", "wow"]) == "bst+wow" == routing.group_of(["bst", "wow"])
    assert routing.queue_of_group("bst+wow") == "serve.bst+wow"
    assert routing.queue_of_group("") == "serve"


def test_a_group_whose_name_no_queue_can_have_is_refused() -> None:
    with pytest.raises(ModelhubError, match="203 characters, and 200 are possible"):
        routing.group_of(["a" * 101, "b" * 101])


def test_turns_of_a_model_go_to_the_group_that_holds_it(revision) -> None:
    worker("one+two", revision)
    assert routing.queue_of(revision.pk) == "serve.one+two"
    assert routing.held_by_groups() == {revision.pk}


def test_groups_that_hold_the_same_model_share_its_turns(revision) -> None:
    worker("one", revision)
    worker("one+two", revision)
    assert {routing.queue_of(revision.pk) for _ in range(100)} == {"serve.one", "serve.one+two"}


@pytest.mark.parametrize(
    "what",
    [{"silent_s": 20}, {"own": "starting"}, {"own": "stopping"}, {"state": "loading"}, {"state": "refused"}],
)
def test_whoever_is_gone_or_not_ready_gets_nothing(revision, what) -> None:
    worker("one", revision, **what)
    assert routing.queue_of(revision.pk) == "serve"


def test_a_worker_for_everything_takes_what_no_group_holds(revision) -> None:
    worker("", revision)
    assert routing.queue_of(revision.pk) == "serve"
    assert routing.held_by_groups() == set()


def test_routes_are_read_once_a_second(revision, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        for _ in range(20):
            routing.queue_of(revision.pk)
