"""A shipped model benchmarked on the starter corpus gives what the older measurement of hits@1 gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from modelhub.benchmarks import ranking, systems
from modelhub.benchmarks.hits import hits_at_1, scorer, share
from modelhub.benchmarks.metrics import grouped, metrics
from modelhub.benchmarks.tasks import Options, ask
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.polyencoder import checkpoints
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.starter.install import WEIGHTS


@pytest.mark.django_db
def test_hits_at_1_is_that_of_padded_batches() -> None:
    base, folder = Path(settings.BASE_ENCODER), WEIGHTS / "mt-single-skills"
    asked = ask(Skill.BST, STARTER, Options(max_examples=60))
    system = systems.resolve(str(folder))
    found = metrics(grouped(asked.dialogues, ranking.ranks(system.ranker(), asked.questions)))
    network = checkpoints.load(folder, base)
    hits = hits_at_1(scorer(network, TextEncoder(base, network.config)), asked.questions)
    # One question may fall otherwise where padding rounds otherwise.
    assert found.hits_at_1 == pytest.approx(share(hits), abs=1 / 60)
    assert found.hits_at_1 > 2 / 20
    assert found.hits_at_1 <= found.hits_at_5 <= found.hits_at_10 <= 1
