"""What the database knows of talks beside their ratings."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.reading.frames import Population, reading_of
from analysis.reading.talk_covariates import reply_times, talk_covariates
from chat.models import Message


@pytest.fixture
def known(rated_study):
    study = rated_study(models=["ED", "WoW"])
    first, second = study.talk("ann", 0, [1, 2, 3, 4]), study.talk("bob", 1, [1, 2, 3, 4])
    study.talk("cy", 1, [1, 2, 3, 4], simulated=True)
    type(first).objects.filter(pk=first.pk).update(last_position=13)
    for position, held in ((2, None), (4, 3000)):
        Message.objects.create(
            conversation=first,
            position=position,
            speaker="model",
            queued_ms=500,
            generated_ms=500,
            held_ms=held,
        )
    Message.objects.create(conversation=first, position=1, speaker="worker")
    reading = reading_of(study.study, Population.PEOPLE)
    of_first = reading.frame.worker == reading.frame.people.index(first.participation.worker_id)
    times = reply_times(study.study, Population.PEOPLE)
    return talk_covariates(reading, times), of_first, study, second


def test_every_rating_knows_its_talk(known) -> None:
    (context, turns, reply), of_first, _, _ = known
    assert (context.levels[0], set(context.code)) == ("convai2", {0})
    assert set(turns.value[of_first]) == {7} and set(turns.value[~of_first]) == {0}
    # (1 + 4) / 2 seconds to a reply, as doublings of a second.
    assert reply.value[of_first] == pytest.approx(np.log2(2.5))
    assert np.isnan(reply.value[~of_first]).all()


def test_it_takes_one_query(known) -> None:
    study = known[2].study
    reading = reading_of(study, Population.PEOPLE)
    with CaptureQueriesContext(connection) as asked:
        talk_covariates(reading, reply_times(study, Population.PEOPLE))
    assert sum(query["sql"].startswith("SELECT") for query in asked) == 1
