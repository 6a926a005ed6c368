"""The eight systems of Table 7, as they ship; and the packaged base encoder itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from modelhub.agents.base import normalise
from modelhub.dialogue import Context, Skill, Speaker, Utterance
from modelhub.models import Revision
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.serving.engine import Engine
from modelhub.starter.install import WEIGHTS, install

from .conftest import talk

TABLE_7 = [
    ("convai2", "ConvAI2"),
    ("wow", "WoW"),
    ("ed", "ED"),
    ("bst", "BST"),
    ("random-skill", "Random-Skill"),
    ("mt-two-stage", "MT Two-Stage"),
    ("mt-single-skills", "MT Single-Skills"),
    ("mt-single-skills-bst", "MT Single-Skills +BST fine-tuning"),
]
CONTEXT = Context(
    model_persona=("I bake bread on Sundays.", "I have two old dogs."),
    source=Skill.CONVAI2,
    seeds=(
        Utterance(Speaker.WORKER, "What did you do today?"),
        Utterance(Speaker.MODEL, "I went for a walk."),
    ),
)


@pytest.fixture
def tiny_weights(make_model, make_manager, tmp_path: Path) -> Path:
    """Weights of all eight systems, as the project ships them, but tiny and random."""
    for seed, slug in enumerate(("convai2", "wow", "ed", "bst", "mt-single-skills", "mt-single-skills-bst")):
        make_model(slug, seed)
    make_manager("ed").rename(tmp_path / "mt-two-stage")
    return tmp_path


@pytest.mark.django_db
def test_the_eight_systems_are_registered_in_table_7s_order(tiny_weights: Path) -> None:
    assert [(r.model.slug, r.model.name) for r in install(tiny_weights)] == TABLE_7


@pytest.mark.django_db
def test_installing_again_changes_nothing(tiny_weights: Path) -> None:
    assert install(tiny_weights) == install(tiny_weights)
    assert Revision.objects.count() == 8


@pytest.mark.django_db
def test_all_eight_answer(tiny_weights: Path, use_tiny_base: None) -> None:
    engine = Engine()
    for revision in install(tiny_weights):
        assert engine.reply(revision.pk, talk("hello", context=CONTEXT)).reply.text
    engine.close()


def test_the_packaged_encoder_finds_the_answer_that_fits(tmp_path: Path) -> None:
    """The untrained poly-encoder is mean-pooled MiniLM, which knows what belongs together."""
    config = PolyEncoderConfig()
    network = checkpoints.fresh(config).eval()
    text_encoder = TextEncoder(settings.BASE_ENCODER, config)
    texts = [
        "My puppy chewed my shoes.",
        "The stock market fell.",
        "Pasta needs salted water.",
        "Jazz is great music.",
    ]
    embedded = bank.embed(network, text_encoder, texts, ["ed"] * 4)
    contexts = [["I have a young dog."], ["How do you cook noodles?"], ["Who plays the saxophone?"]]
    scores = network.score(network.encode_context(*text_encoder.contexts(contexts)), embedded.embeddings)
    assert scores.argmax(1).tolist() == [0, 2, 3]


# --- The weights that ship ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> None:
    if not (WEIGHTS / "mt-single-skills-bst" / "weights.safetensors").is_file():
        pytest.skip(f"no trained weights in {WEIGHTS}; `manage.py train` makes them")


@pytest.fixture
def engine(db: None) -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


def test_the_shipped_systems_hold_a_talk_without_repeating_anything(shipped: None, engine: Engine) -> None:
    worker = [
        "Hi! I just came home from work.",
        "My cat is ill and I am worried.",
        "Do you know a good book?",
    ]
    for revision in install():
        said: list[str] = []
        for text in worker:
            said.append(text)
            answer = engine.reply(revision.pk, talk(*said, key=revision.model.slug, context=CONTEXT))
            assert answer.reply.evidence["source"]
            said.append(answer.reply.text)
        assert len({normalise(text) for text in said}) == 6, revision


def test_the_shipped_models_share_the_packaged_encoder(shipped: None, engine: Engine) -> None:
    retrieval = [r for r in install() if r.kind == Revision.Kind.RETRIEVAL]
    words = {
        engine.agent(r.pk).network.encoder.embeddings.word_embeddings.weight.data_ptr() for r in retrieval
    }
    assert len(retrieval) == 6 and len(words) == 1
