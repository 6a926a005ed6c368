"""The best candidates are float64's best, in its order, whatever the bank and the contexts are like."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings
from torch import Tensor

from modelhub.agents.retrieval import RetrievalAgent
from modelhub.datasets import layout
from modelhub.datasets.episodes import examples_of
from modelhub.dialogue import Skill
from modelhub.errors import AgentFailed, CheckpointError
from modelhub.polyencoder import bank, cascade, checkpoints, exact, quantised, scoring
from modelhub.polyencoder.mapped import Mapped
from modelhub.polyencoder.scoring import Scorer, scorer_of
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.starter.install import WEIGHTS

from .conftest import talk

#: (candidates, codes, width): around a block's end, one of each, more codes than width, an odd width.
SHAPES = [(1, 1, 1), (7, 3, 5), (400, 64, 33), (1025, 8, 64), (3000, 16, 48)]
QUICK = ["plain", "plain, context by context", "cascade", "cascade without int8"]


@pytest.fixture(params=QUICK)
def quick(request, monkeypatch) -> str:
    """Each quick pass in turn, on banks so small that they would all be scored in float32."""
    monkeypatch.setattr(scoring, "SMALL", 10**9 if request.param.startswith("plain") else 0)
    monkeypatch.setattr(cascade, "FEW", 16)
    if request.param == "plain, context by context":
        monkeypatch.setattr(scoring, "HELD", 1)
    if request.param == "cascade without int8":
        monkeypatch.setattr(quantised, "exact_levels", lambda *_: 0)
    return request.param


def slow_scores(rows: Tensor, views: Tensor) -> np.ndarray:
    """(B, N) as the paper's equations have it: attend, form the attended vector, multiply. Equal rows score equally."""
    unique, where = np.unique(rows.double().numpy(), axis=0, return_inverse=True)
    scored = []
    for each in views.double().numpy():
        logits = unique @ each.T
        weights = np.exp(logits - logits.max(1, keepdims=True))
        attended = weights / weights.sum(1, keepdims=True) @ each
        scored.append((attended * unique).sum(1)[where.ravel()])
    return np.stack(scored)


def assert_exact(rows: Tensor, views: Tensor, k: int, excluded: Sequence[Sequence[int]] = ()) -> None:
    values, places = Scorer(rows).top(views, k, excluded)
    for context, scores in enumerate(slow_scores(rows, views)):
        barred = set(excluded[context]) if excluded else set()
        order = [place for place in np.argsort(-scores, kind="stable") if place not in barred][:k]
        assert places[context].tolist() == order + [-1] * (k - len(order))
        found = values[context, : len(order)].numpy()
        assert np.allclose(found, scores[order], rtol=1e-12, atol=1e-12 * np.abs(scores).max())
        assert (values[context, len(order) :] == -torch.inf).all()


def random_case(seed: int, shape: tuple[int, int, int], alike: float = 0.0) -> tuple[Tensor, Tensor]:
    """Rows (N, D) in half precision, and three contexts' views (3, M, D) that share a part of their length."""
    count, codes, width = shape
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, width, generator=generator)
    own = torch.randn(3, codes, width, generator=generator)
    shared = torch.randn(3, 1, width, generator=generator)
    return rows.half(), shared * alike + own * (1 - alike)


# --- The ranking --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alike", [0.0, 0.9, 1.0])
def test_the_best_are_those_of_float64(quick: str, shape, alike: float) -> None:
    for seed in range(3):
        assert_exact(*random_case(seed, shape, alike), k=10)


@pytest.mark.parametrize("k", [1, 2, 399, 400, 1000])
def test_any_number_of_the_best_comes(quick: str, k: int) -> None:
    assert_exact(*random_case(1, (400, 8, 32), 0.5), k=k)


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 30.0])
def test_softmax_may_be_flat_or_sharp(quick: str, scale: float) -> None:
    rows, views = random_case(1, (400, 8, 32))
    assert_exact(rows, views * scale, k=10)


@pytest.mark.parametrize("slug", ["bst", "ed"])
def test_trained_models_rank_as_float64_does(quick: str, slug: str) -> None:
    base = Path(settings.BASE_ENCODER)
    network = checkpoints.load(WEIGHTS / slug, base)
    text_encoder = TextEncoder(base, network.config)
    dialogues = [example.dialogue for example in examples_of(layout.read(Skill(slug), "valid"))[:12]]
    with torch.inference_mode():
        views = network.encode_context(*text_encoder.contexts([context_lines(each) for each in dialogues]))
    assert_exact(bank.load(WEIGHTS / slug).embeddings, views, k=10)


# --- Hard banks ---------------------------------------------------------------------------------------------------


def test_equal_rows_come_in_the_order_of_their_places(quick: str) -> None:
    rows, views = random_case(1, (50, 8, 33))
    assert_exact(
        rows.repeat(9, 1)[torch.randperm(450, generator=torch.Generator().manual_seed(1))], views, k=40
    )
    assert_exact(rows[:1].repeat(300, 1), views, k=10)


def test_equal_rows_tie_wherever_they_fall_in_a_product(quick: str) -> None:
    """A matrix product's last rows go through another routine than its others, and round otherwise."""
    for seed in range(5):
        rows, views = random_case(seed, (1, 64, 769))
        assert Scorer(rows.repeat(31, 1)).top(views, 31)[1].tolist() == [list(range(31))] * 3


def test_zeros_of_either_sign_are_equal(quick: str) -> None:
    for seed in range(20):
        rows, views = random_case(seed, (1, 64, 769))
        rows = rows.repeat(29, 1)
        rows[:, 0] = 0.0
        rows[::2, 0] = -0.0
        assert Scorer(rows).top(views, 29)[1].tolist() == [list(range(29))] * 3


def test_gaps_below_the_precision_of_the_pass_are_seen(quick: str) -> None:
    rows, views = random_case(1, (1, 8, 32))
    noise = torch.randn(600, 32, generator=torch.Generator().manual_seed(2))
    assert_exact(rows.float() + noise * 1e-6, views, k=20)


def test_rows_may_differ_by_orders_of_magnitude(quick: str) -> None:
    rows, views = random_case(1, (500, 8, 32), 0.9)
    lengths = torch.logspace(-6, 3, 500)[torch.randperm(500, generator=torch.Generator().manual_seed(1))]
    assert_exact((rows.float() * lengths[:, None]).half(), views, k=10)
    assert_exact(rows.float() * lengths[:, None] ** 4, views, k=10)


@pytest.mark.parametrize("length", [1e-30, 1e-25, 1e-17, 1e15, 1e25])
@pytest.mark.parametrize("view_length", [1e-15, 1.0, 1e10])
def test_numbers_may_be_at_the_ends_of_float32(quick: str, length: float, view_length: float) -> None:
    rows, views = random_case(1, (400, 8, 32), 0.9)
    assert_exact(rows.float() * length, views * view_length, k=10)


def test_a_view_may_be_longer_than_the_others_by_orders_of_magnitude(quick: str) -> None:
    rows, views = random_case(1, (500, 8, 32))
    views[:, 3] *= 1e4
    assert_exact(rows, views, k=10)


def test_candidates_may_all_be_far_from_the_context(quick: str) -> None:
    rows, views = random_case(1, (500, 8, 32), 0.9)
    assert_exact(rows - 40 * views.mean((0, 1)).half(), views, k=10)


def test_views_of_nothing_score_all_alike(quick: str) -> None:
    rows, views = random_case(1, (300, 4, 16))
    values, places = Scorer(rows).top(views * 0, 3)
    assert places.tolist() == [[0, 1, 2]] * 3 and (values == 0).all()


def test_outliers_in_one_dimension_are_no_trouble(quick: str) -> None:
    rows, views = random_case(1, (500, 8, 32), 0.5)
    rows[:, 0] += 100
    views[:, :, 0] += 30
    assert_exact(rows, views, k=10)


def test_where_the_softmax_is_flat_many_are_narrowed_down_in_float32(quick: str, monkeypatch) -> None:
    monkeypatch.setattr(exact, "BLOCK", 64)
    for seed, scale in enumerate([0.01, 0.03, 0.1]):
        rows, views = random_case(seed, (900, 32, 48))
        assert_exact(rows, views * scale, k=10)
        assert_exact(rows[:30].repeat(30, 1), views * scale, k=100)


# --- What must not come -------------------------------------------------------------------------------------------


def test_excluded_places_never_come(quick: str) -> None:
    rows, views = random_case(1, (400, 8, 32), 0.9)
    best = Scorer(rows).top(views, 20)[1].tolist()
    assert_exact(rows, views, 10, [best[0], best[1][::2], []])


def test_where_too_few_are_left_the_rest_is_empty(quick: str) -> None:
    rows, views = random_case(1, (40, 8, 32), 0.9)
    assert_exact(rows, views, 5, [range(40), range(37), [39]])


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_bank_that_is_not_finite_is_refused(quick: str, bad: float) -> None:
    rows = torch.zeros(30, 8)
    rows[17, 3] = bad
    with pytest.raises(CheckpointError, match=r"row 17 of a bank is not finite.*embed the bank again"):
        Scorer(rows)


def test_views_that_are_not_finite_are_refused(quick: str) -> None:
    rows, views = random_case(1, (30, 4, 8))
    views[1, 2, 3] = torch.nan
    with pytest.raises(AgentFailed, match="views are not finite"):
        Scorer(rows).top(views, 1)


@pytest.mark.parametrize("shape", [(4, 8), (1, 4, 9), (1, 0, 8)])
def test_views_of_another_shape_are_refused(quick: str, shape) -> None:
    with pytest.raises(ValueError, match=r"\(contexts, codes, 8\) is needed"):
        Scorer(torch.ones(30, 8)).top(torch.ones(shape), 1)


def test_the_best_none_are_refused() -> None:
    with pytest.raises(ValueError, match="ask for 1 or more"):
        Scorer(torch.ones(30, 8)).top(torch.ones(1, 4, 8), 0)


def test_all_scores_are_those_of_the_equations(quick: str) -> None:
    rows, views = random_case(1, (400, 8, 32))
    assert np.allclose(Scorer(rows).scores(views).numpy(), slow_scores(rows, views), rtol=1e-12)


# --- The bounds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [quantised.LEVELS, quantised.NARROW_LEVELS, 0])
@pytest.mark.parametrize("seed", range(20))
def test_no_score_exceeds_its_bound(monkeypatch, levels: int, seed: int) -> None:
    monkeypatch.setattr(quantised, "exact_levels", lambda *_: levels)
    generator = torch.Generator().manual_seed(seed)
    shape = [int(torch.randint(1, high, (1,), generator=generator)) for high in (300, 70, 90)]
    rows, views = random_case(seed, (shape[0], shape[1], shape[2]), float(torch.rand(1, generator=generator)))
    rows = rows * float(10 ** (8 * torch.rand(1, generator=generator) - 4))
    copy = quantised.copy_of(rows, torch.device("cpu"), lambda: None)
    lengths = views.double().norm(dim=2).amax(1)
    unit = views.double() / lengths[:, None, None]
    largest = torch.einsum("nd,bmd->bnm", rows.double(), unit).amax(2)
    for directions in (copy.coarse(unit), copy.fine(unit)):
        products = cascade.largest_products(copy, directions.codes)
        for context in range(3):
            about, above = copy.bound(products[context], directions, context)
            assert (above.double() >= largest[context]).all()
            # The bound would be worth nothing if it were far: the estimate lies within it on both sides.
            assert (
                2 * about.double() - above.double() <= largest[context] + 1e-3 * largest[context].abs()
            ).all()


@pytest.mark.parametrize("width", [1, 32, 768])
def test_kept_lengths_and_errors_are_not_too_small(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    rows = (torch.randn(500, width, generator=generator) * torch.logspace(-7, 4, 500)[:, None]).float()
    copy = quantised.copy_of(rows, torch.device("cpu"), lambda: None)
    back = copy.codes.double() * copy.scale.double()[:, None]
    assert (copy.norm.double() >= rows.double().norm(dim=1)).all()
    assert (copy.error.double() >= (rows.double() - back).norm(dim=1)).all()


def test_int8_products_are_exact_with_the_levels_that_are_used() -> None:
    levels = quantised.exact_levels(768)
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(-levels, levels + 1, (500, 768), generator=generator)
    views = torch.randint(-127, 128, (64, 768), generator=generator)
    if levels:
        assert torch._int_mm(views.to(torch.int8), rows.to(torch.int8).T).equal((views @ rows.T).int())


@pytest.mark.parametrize("sizes", [(1, 1), (24, 7), (17, 800), (64, 33)])
def test_a_gpus_product_is_padded_and_cut_again(sizes) -> None:
    generator = torch.Generator().manual_seed(1)
    left, right = (torch.randint(-63, 64, (size, 40), generator=generator).to(torch.int8) for size in sizes)
    assert quantised.int_product(left, right).equal(left.int() @ right.int().T)


def test_trained_banks_are_pruned(monkeypatch) -> None:
    """Of views that are alike the coarse pass leaves few, and it is not made where it would leave most."""
    monkeypatch.setattr(cascade, "FEW", 16)
    left: list[tuple[int, int]] = []
    real = cascade.survivors

    def counted(question, about, *rest) -> Tensor:
        found = real(question, about, *rest)
        left.append((len(found), len(about)))
        return found

    monkeypatch.setattr(cascade, "survivors", counted)
    rows, views = random_case(1, (20_000, 64, 64), 0.97)
    Scorer(rows).top(views[:1], 10)
    assert len(left) == 2 and left[0][1] == 20_000 and left[1][1] == left[0][0] < 10_000 and left[1][0] < 400
    left.clear()
    rows, views = random_case(1, (20_000, 64, 64))
    Scorer(rows).top(views[:1], 10)
    assert len(left) == 1 and left[0][0] < 2_000


# --- Banks on disk ------------------------------------------------------------------------------------------------


@pytest.fixture
def mapped(monkeypatch) -> None:
    monkeypatch.setattr(bank, "MAPPED_BYTES", 0)


def test_a_mapped_bank_equals_one_in_memory(
    make_model, tiny_base, text_encoder, monkeypatch, quick: str
) -> None:
    folder = make_model(texts=[f"number {n} of them" for n in range(300)])
    network = checkpoints.load(folder, tiny_base)
    in_memory = bank.load(folder)
    monkeypatch.setattr(bank, "MAPPED_BYTES", 0)
    mapped = bank.load(folder)
    assert mapped.embeddings.equal(in_memory.embeddings) and mapped.embeddings.dtype == torch.float16
    dialogues = [talk("hello"), talk("number 7 of them", "oh", "well")]
    first, second = (RetrievalAgent(network, text_encoder, each, "ed") for each in (in_memory, mapped))
    assert first.reply(dialogues) == second.reply(dialogues)
    assert first.suggest(dialogues[1], 20) == second.suggest(dialogues[1], 20)


def test_memory_of_a_mapped_bank_is_given_back(make_model, mapped, monkeypatch) -> None:
    monkeypatch.setattr(scoring, "SMALL", 0)
    calls: list[Mapped] = []
    real = Mapped.release
    monkeypatch.setattr(Mapped, "release", lambda self: calls.append(self) or real(self))
    loaded = bank.load(make_model())
    scorer = Scorer(loaded.embeddings, mapped=loaded.mapped)
    assert calls == [loaded.mapped]
    # Afterwards rows are read by themselves, not through the mapping.
    monkeypatch.setattr(loaded.mapped, "tensor", None)
    assert scorer.top(torch.ones(1, 4, 32), 2)[1].min() >= 0


def test_rows_of_a_mapped_bank_are_read_in_any_order(make_model, mapped) -> None:
    loaded = bank.load(make_model())
    places = torch.tensor([5, 0, 3, 3])
    assert loaded.mapped is not None and loaded.mapped.take(places).equal(loaded.embeddings[places])


def test_a_bank_that_is_cut_short_while_it_is_used_is_named(make_model, mapped) -> None:
    folder = make_model()
    loaded = bank.load(folder)
    with (folder / bank.EMBEDDINGS).open("r+b") as file:
        file.truncate(200)
    with pytest.raises(CheckpointError, match=r"bank\.safetensors was cut short while it was in use"):
        loaded.mapped.take(torch.tensor([5]))


def test_a_mapped_bank_is_checked_like_one_in_memory(make_model, mapped) -> None:
    folder = make_model()
    whole = (folder / bank.EMBEDDINGS).read_bytes()
    (folder / bank.EMBEDDINGS).write_bytes(whole[:-4])
    with pytest.raises(CheckpointError, match=r"bank\.safetensors: no safetensors file"):
        bank.load(folder)
    (folder / bank.EMBEDDINGS).write_bytes(whole.replace(b"embeddings", b"embeddxngs"))
    with pytest.raises(CheckpointError, match=r"bank\.safetensors: no tensor `embeddings`"):
        bank.load(folder)
    (folder / bank.EMBEDDINGS).write_bytes(whole)
    (folder / bank.TEXTS).write_text((folder / bank.TEXTS).read_text().replace("cats", "owls"))
    with pytest.raises(CheckpointError, match="embed the bank again"):
        bank.load(folder)


def test_a_mapped_bank_survives_that_its_file_is_made_again(make_model, mapped) -> None:
    folder = make_model("model", seed=2)
    loaded = bank.load(folder)
    before = loaded.embeddings.clone()
    make_model("model", seed=3)
    loaded.mapped.release()
    assert loaded.embeddings.equal(before) and not bank.load(folder).embeddings.equal(before)


def test_models_with_the_same_bank_share_its_scorer(make_model) -> None:
    folder, other = make_model("one"), make_model("two", seed=3)
    scorer = scorer_of(bank.load(folder))
    assert scorer_of(bank.load(folder)) is scorer
    assert scorer_of(bank.load(other)) is not scorer


def test_a_bank_that_no_model_uses_is_forgotten(make_model) -> None:
    loaded = bank.load(make_model())
    scorer_of(loaded)
    gc.collect()
    assert (loaded.sha256, "cpu") not in scoring._scorers


def test_banks_that_no_file_holds_are_not_mistaken_for_one_another() -> None:
    made: Callable[[float], bank.Bank] = lambda value: bank.Bank(("a",), ("ed",), torch.full((1, 4), value))  # noqa: E731
    assert scorer_of(made(1.0)) is not scorer_of(made(2.0))
