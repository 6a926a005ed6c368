"""What fits is loaded, what does not is refused with what is needed and what is free."""

from __future__ import annotations

import pytest
import torch

from modelhub import registry
from modelhub.errors import DoesNotFit
from modelhub.models import Revision
from modelhub.serving import memory
from modelhub.serving.engine import Engine
from modelhub.serving.placement import Placement

ON_CPU = Placement("cpu", torch.float32)


@pytest.fixture
def revision(use_tiny_base, make_model, db) -> Revision:
    return registry.register("m", "M", "retrieval", make_model(), {"skill": "ed"})


def test_a_model_that_fits_is_loaded(revision) -> None:
    engine = Engine()
    engine.load([revision.pk])
    assert engine.loaded == [revision.pk]
    engine.close()


def test_one_that_does_not_is_refused_in_words(revision, settings) -> None:
    settings.SERVING_MEMORY_MB = 1
    with pytest.raises(DoesNotFit, match=r"m@1 needs about \d+ MB and cpu has 0 MB free: give it a worker"):
        Engine().load([revision.pk])


def test_a_refused_model_is_not_read_again_for_each_turn(revision, settings, monkeypatch) -> None:
    settings.SERVING_MEMORY_MB = 1
    engine, looks = Engine(), []
    monkeypatch.setattr(registry, "verify", looks.append)
    for _ in range(3):
        with pytest.raises(DoesNotFit):
            engine.load([revision.pk])
    assert len(looks) == 1


def test_running_out_of_memory_while_loading_is_a_refusal_too(revision, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("modelhub.serving.loading.agent_of", full)
    with pytest.raises(DoesNotFit, match="m@1 ran out of memory on cpu while it was loaded"):
        Engine().load([revision.pk])


def test_larger_files_need_more(revision, tmp_path) -> None:
    small = memory.needed_mb(revision, ON_CPU)
    for name, size in (("weights.safetensors", 200_000_000), ("bank.safetensors", 300_000_000)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    (tmp_path / "config.json").write_bytes((registry.folder_of(revision) / "config.json").read_bytes())
    large = Revision(kind="retrieval", path=str(tmp_path))
    assert memory.needed_mb(large, ON_CPU) - small == pytest.approx(200 * 2.5 + 300 * 0.6, abs=5)


def test_scripts_and_what_is_made_of_parts_need_nothing_of_their_own() -> None:
    assert memory.needed_mb(Revision(kind="scripted"), ON_CPU) == 0


def test_a_container_may_leave_less_than_the_machine(monkeypatch, tmp_path) -> None:
    (tmp_path / "memory.max").write_text("2000000\n")
    (tmp_path / "memory.current").write_text("500000\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.free_mb("cpu") == 2
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_mb("cpu") > 2
