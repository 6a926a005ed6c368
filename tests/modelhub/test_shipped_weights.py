"""What ships is small, whole, better than the untrained base, and reaches what results.json says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from modelhub.benchmarks.bootstrap import paired_difference
from modelhub.benchmarks.hits import hits_at_1, scorer, share
from modelhub.benchmarks.results import MEASURING_SEED, RESULTS, questions_of, untrained_network
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.starter.install import WEIGHTS
from modelhub.training.recipes import RECIPES
from modelhub.training.runs import RECORD
from modelhub.training.tasks import bank_texts

#: What the tensors of all shipped models and banks may take together, and any file alone.
ALL_BYTES, FILE_BYTES = 25_000_000, 8_000_000


@cache
def results() -> dict[str, Any]:
    return json.loads((WEIGHTS / RESULTS).read_text())


def test_everything_that_ships_is_small() -> None:
    sizes = [path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()]
    tensors = [path.stat().st_size for path in WEIGHTS.rglob("*.safetensors")]
    assert sum(tensors) <= ALL_BYTES and max(sizes) <= FILE_BYTES


@pytest.mark.parametrize("slug", RECIPES)
def test_every_poly_encoder_is_better_than_the_untrained_base(slug: str) -> None:
    assert results()["models"][slug]["difference"]["lower"] > 0


@pytest.mark.parametrize("slug", RECIPES)
def test_shipped_models_are_what_their_recipes_make(slug: str) -> None:
    recipe = RECIPES[slug]
    described = json.loads((WEIGHTS / slug / "config.json").read_text())
    record = json.loads((WEIGHTS / slug / RECORD).read_text())
    assert described["options"] == recipe.hyperparameters.config.as_dict()
    assert tuple(described["trained"]) == recipe.hyperparameters.trained
    assert record["seed"] == results()["training_seed"]


@pytest.mark.parametrize("slug", RECIPES)
def test_shipped_banks_hold_the_recipes_utterances(slug: str) -> None:
    shipped = bank.load(WEIGHTS / slug)
    texts, sources = bank_texts(RECIPES[slug], STARTER)
    assert (list(shipped.texts), list(shipped.sources)) == (texts, sources)


def test_a_shipped_model_reaches_what_the_results_say() -> None:
    base = Path(settings.BASE_ENCODER)
    stated = results()["models"]["ed"]
    asked = questions_of(Skill.ED, STARTER)
    hits = {}
    for name, network in (
        ("trained", checkpoints.load(WEIGHTS / "ed", base)),
        ("untrained", untrained_network(RECIPES["ed"].hyperparameters.config, base)),
    ):
        hits[name] = hits_at_1(scorer(network, TextEncoder(base, network.config)), asked)
    # One question of a hundred may fall otherwise where another CPU rounds otherwise.
    assert share(hits["trained"]) == pytest.approx(stated["hits_at_1"], abs=0.011)
    assert share(hits["untrained"]) == pytest.approx(stated["untrained_hits_at_1"], abs=0.011)
    difference = paired_difference([(hits["trained"], hits["untrained"])], MEASURING_SEED)
    assert difference.lower == pytest.approx(stated["difference"]["lower"], abs=0.015)


def test_results_name_the_command_that_makes_the_weights_again() -> None:
    assert results()["command"] == f"python manage.py train all --seed {results()['training_seed']}"
