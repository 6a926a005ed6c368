"""A run that was stopped, killed or out of disk goes on from its last checkpoint, and ends with the same bits."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from modelhub.polyencoder import bank, checkpoints
from modelhub.training.commands import signals_to_stop
from modelhub.training.errors import OtherRun, SnapshotError
from modelhub.training.metrics import METRICS
from modelhub.training.runs import Run
from modelhub.training.snapshots import FOLDER, STATE

from .tiny_runs import record, stopped, train

PROJECT = Path(__file__).resolve().parents[2]
#: Two epochs of seven steps each, with dropout, and validations after steps 4, 7, 11 and 14.
LONG = {"max_epochs": "2", "batch": "4", "learning_rate": "1e-3"}
MADE = (checkpoints.WEIGHTS, checkpoints.CONFIG, bank.TEXTS, bank.EMBEDDINGS)


def made(folder: Path) -> list[bytes]:
    """A model's files, and every figure of its run but speeds."""
    lines = [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]
    figures = [{name: value for name, value in line.items() if name != "examples_per_s"} for line in lines]
    own = {name: value for name, value in record(folder).items() if name != "seconds"}
    return [*((folder / name).read_bytes() for name in MADE), json.dumps([figures, own]).encode()]


@pytest.fixture
def whole(changed: Callable[..., Run]) -> Path:
    """What a run makes that nothing stops."""
    return train("convai2", changed(**LONG))


@pytest.mark.parametrize("steps", [0, 3, 4, 6, 7, 13])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    steps: int, changed: Callable[..., Run], whole: Path
) -> None:
    """Before the first step, in mid-epoch, after a validation, at an epoch's end."""
    given = changed(**LONG)
    stopped(given, steps)
    assert made(train("convai2", given)) == made(whole)


# --- Killed -----------------------------------------------------------------------------------------------


def command(given: Run) -> list[str]:
    options = [part for name, value in given.changes.items() for part in ("--set", f"{name}={value}")]
    paths = ["--data", str(given.data), "--base", str(given.base), "--out", str(given.out)]
    every_step = ["--checkpoint-minutes", "0", "--threads", "1", "--seed", str(given.seed)]
    return [
        sys.executable,
        "manage.py",
        "train",
        "convai2",
        "--scale",
        "paper",
        *paths,
        *every_step,
        *options,
    ]


def step_of(out: Path) -> int:
    """The step of the last checkpoint; -1 where there is none yet."""
    try:
        with safe_open(out / FOLDER / STATE, "pt") as file:
            return json.loads(file.metadata()["run"])["position"]["step"]
    except FileNotFoundError:
        return -1


def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(
    changed: Callable[..., Run], whole: Path, eventually: Callable[..., None]
) -> None:
    given = changed(**LONG)
    for step in (2, 9):
        process = subprocess.Popen(command(given), cwd=PROJECT, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda step=step: step_of(given.out) >= step, f"step {step}", limit_s=120)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL and not (given.out / checkpoints.WEIGHTS).exists()
    # What a kill leaves of a file that was being written.
    (given.out / FOLDER / (STATE + ".partial")).write_bytes(b"half")
    with (given.out / METRICS).open("a") as file:
        file.write('{"step": 99, "loss": 1}\n{"step": 12, "lo')
    assert made(train("convai2", given)) == made(whole)
    assert not (given.out / FOLDER).exists()


# --- The disk fills ---------------------------------------------------------------------------------------


def test_a_disk_that_fills_leaves_the_last_good_checkpoint(changed: Callable[..., Run], whole: Path) -> None:
    given = changed(**LONG)
    stopped(given, 0)
    first = (given.out / FOLDER / STATE).read_bytes()
    # The optimizer's tensors, twice the network's, are not there before the first step.
    room = 2 * len(first)
    done = subprocess.run(
        command(given),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        timeout=240,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"{STATE}: the checkpoint could not be written" in done.stderr
    assert f"The last good one, {given.out / FOLDER / STATE}, stays: make room on the disk" in done.stderr
    assert (given.out / FOLDER / STATE).read_bytes() == first
    assert not list((given.out / FOLDER).glob("*.partial"))
    assert made(train("convai2", given)) == made(whole)


def test_a_model_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    checkpoints.write_tensors(path, {"a": torch.zeros(2)})
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(
            checkpoints.CheckpointError, match=r"could not be written .*make room on the disk"
        ):
            checkpoints.write_tensors(path, {"a": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


# --- Which checkpoint -------------------------------------------------------------------------------------


def test_a_checkpoint_of_other_options_is_refused_by_name(changed: Callable[..., Run]) -> None:
    given = changed(**LONG)
    stopped(given, 3)
    other = replace(given, seed=4, changes={**given.changes, "decay": "0.5"})
    with pytest.raises(
        OtherRun, match=r"\(decay 0.4, now 0.5, seed 3, now 4.*\); give the options .* --restart"
    ):
        train("convai2", other)
    assert record(train("convai2", replace(other, restart=True)))["seed"] == 4


def test_a_checkpoint_of_other_data_is_refused(changed: Callable[..., Run]) -> None:
    given = changed(**LONG)
    stopped(given, 3)
    train_file = given.data / "convai2" / "train.txt"
    train_file.write_text(train_file.read_text().replace("is good", "is bad"))
    with pytest.raises(OtherRun, match=r"data_sha256 .{12}…, now .{12}…"):
        train("convai2", given)


def test_more_epochs_may_be_given_later(changed: Callable[..., Run], whole: Path) -> None:
    given = changed(**LONG)
    stopped(given, 3)
    longer = replace(given, changes={**given.changes, "max_epochs": "3"})
    assert len(record(train("convai2", longer))["validations"]) == 7


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickled", b'{"run": 1}'])
def test_a_checkpoint_that_cannot_be_read_is_named(changed: Callable[..., Run], content: bytes) -> None:
    given = changed(**LONG)
    (given.out / FOLDER).mkdir(parents=True)
    (given.out / FOLDER / STATE).write_bytes(content)
    with pytest.raises(SnapshotError, match=f"{STATE}: no checkpoint that can be read .*--restart"):
        train("convai2", given)


def test_only_the_best_network_is_kept(changed: Callable[..., Run]) -> None:
    given = changed(**LONG)
    stopped(given, 12)
    kept = sorted(path.name for path in (given.out / FOLDER).iterdir())
    assert len(kept) == 2 and kept[0].startswith("best-") and kept[1] == STATE


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard although the tests may run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_run_after_its_step(heard: None) -> None:
    with signals_to_stop() as wanted:
        assert wanted()
        os.kill(os.getpid(), signal.SIGINT)
        assert not wanted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
