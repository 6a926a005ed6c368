"""The serving status in words: the same cells for the page, for its live twin and for the command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chat.serving_status import (
    FORGOTTEN_AFTER,
    RECENT,
    Durations,
    ModelStatus,
    ServedStatus,
    ServingStatus,
    WorkerStatus,
)
from modelhub.models import ServedModel, ServingWorker

MINUTES = int(RECENT.total_seconds() // 60)
#: How good a state is, for its colour; states that are not named are under way.
TONES = {
    ServingWorker.State.READY: "good",
    ServedModel.State.REFUSED: "bad",
    "silent": "bad",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """``tone`` (good, warn, bad) colours a tag; ``note`` stands small below."""

    text: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` is ``text``, ``name`` for what stays on one line, ``tag``, ``num``, or ``age`` for what changes as time
    goes by.
    """

    label: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``caption`` says what one row is; ``empty`` what to do when there is none."""

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str

    @property
    def lines(self) -> list[tuple[str, list[tuple[Column, Cell]]]]:
        """Each row's key, and its cells beside their columns."""
        return [(row.key, list(zip(self.columns, row.cells, strict=True))) for row in self.rows]

    @property
    def blank(self) -> list[tuple[Column, Cell]]:
        """A row to copy."""
        return [(column, Cell("")) for column in self.columns]


@dataclass(frozen=True, slots=True)
class Figure:
    key: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Board:
    at: datetime
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]


def board(status: ServingStatus) -> Board:
    return Board(status.at, _figures(status), (_models(status), _workers(status), _served(status)))


def _figures(status: ServingStatus) -> tuple[Figure, ...]:
    ready = sum(worker.is_ready for worker in status.workers)
    return (
        Figure("workers", "workers ready", f"{ready} of {len(status.workers)}"),
        Figure("talks", "live talks", str(status.total("live_talks"))),
        Figure("owed", "replies owed", str(status.total("owed"))),
        Figure("oldest", "longest wait", _age(status.oldest_owed_s)),
        Figure("replies", f"replies, {MINUTES} min", str(status.total("replies"))),
        Figure("failed", f"failed, {MINUTES} min", str(status.total("failed"))),
    )


# --- Models ---------------------------------------------------------------------------------------------------------

MODEL_COLUMNS = (
    Column("Model"),
    Column("State", "tag"),
    Column("Live talks", "num"),
    Column("Owed", "num"),
    Column("Longest wait", "age"),
    Column("Replies", "num"),
    Column("In the queue p50 · p95", "num"),
    Column("In the model p50 · p95", "num"),
    Column("Failed", "num"),
    Column("Asked again", "num"),
)


def _models(status: ServingStatus) -> Table:
    return Table(
        key="models",
        title="Models",
        caption=f"What each model owes now, and its replies, times and errors of the last {MINUTES} minutes",
        columns=MODEL_COLUMNS,
        rows=tuple(_model_row(model, status.served) for model in status.models),
        empty="No model is wanted: open a study, or make one of registered models with manage.py study create.",
    )


def _model_row(model: ModelStatus, served: Iterable[ServedStatus]) -> Row:
    cells = (
        Cell(model.model, note=model.reference),
        _model_state(model, [row for row in served if row.revision_id == model.revision_id]),
        Cell(str(model.live_talks)),
        Cell(str(model.owed)),
        Cell(_age(model.oldest_owed_s)),
        Cell(str(model.replies)),
        Cell(_durations(model.queued)),
        Cell(_durations(model.generated)),
        Cell(str(model.failed)),
        Cell(str(model.asked_again)),
    )
    return Row(str(model.revision_id), cells)


def _model_state(model: ModelStatus, served: list[ServedStatus]) -> Cell:
    """The best that any worker can do with it; a model that is taken out after failures is that first of all."""
    if model.is_broken:
        probe = f" It is tried again at {model.probe_at:%H:%M:%S} UTC." if model.probe_at else ""
        return Cell("taken out", "bad", _sentence(model.broken_because) + probe)
    if model.ready_on:
        return Cell("ready", "good", f"on {_counted(model.ready_on, 'worker')}")
    heard = [row for row in served if not row.worker_is_silent]
    under_way = [row for row in heard if row.state != ServedModel.State.REFUSED]
    if under_way:
        return Cell(under_way[0].state, "warn")
    if heard:
        return Cell("refused", "bad", heard[0].detail)
    return Cell("not served", "bad" if model.owed else "warn", "No worker holds it.")


# --- Workers --------------------------------------------------------------------------------------------------------

WORKER_COLUMNS = (
    Column("Worker", "name"),
    Column("State", "tag"),
    Column("Models"),
    Column("Device", "name"),
    Column("Memory held", "num"),
    Column("Memory free", "num"),
    Column("Heard of", "age"),
)


def _workers(status: ServingStatus) -> Table:
    minutes = int(FORGOTTEN_AFTER.total_seconds() // 60)
    return Table(
        key="workers",
        title="Workers",
        caption="The processes that serve models",
        columns=WORKER_COLUMNS,
        rows=tuple(_worker_row(worker, status.at) for worker in status.workers),
        empty=f"No worker was heard of in the last {minutes} minutes, so no reply is made; messages wait, and "
        "nothing is lost. bin/up starts a worker with the site; on a machine of its own, manage.py serve does.",
    )


def _worker_row(worker: WorkerStatus, now: datetime) -> Row:
    cells = (
        Cell(worker.name),
        Cell(worker.state, _tone(worker.state)),
        Cell(worker.group.replace("+", ", ") or "all that no other group holds"),
        Cell(worker.device),
        Cell(_megabytes(worker.memory_mb)),
        Cell(_megabytes(worker.memory_free_mb)),
        Cell(_ago(now, worker.seen_at)),
    )
    return Row(str(worker.id), cells)


SERVED_COLUMNS = (
    Column("Model"),
    Column("Worker", "name"),
    Column("State", "tag"),
    Column("Memory", "num"),
    Column("Since", "age"),
)


def _served(status: ServingStatus) -> Table:
    return Table(
        key="served",
        title="Models on workers",
        caption="What became of each model in each worker",
        columns=SERVED_COLUMNS,
        rows=tuple(_served_row(row, status.at) for row in status.served),
        empty="No worker holds a model.",
    )


def _served_row(row: ServedStatus, now: datetime) -> Row:
    state = "silent" if row.worker_is_silent else row.state
    cells = (
        Cell(row.model, note=row.reference),
        Cell(row.worker),
        Cell(state, _tone(state), row.detail),
        Cell(_megabytes(row.memory_mb)),
        Cell(_ago(now, row.changed_at)),
    )
    return Row(f"{row.worker_id}-{row.revision_id}", cells)


# --- Words ----------------------------------------------------------------------------------------------------------


def _tone(state: str) -> str:
    return TONES.get(state, "warn")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _megabytes(memory_mb: int) -> str:
    return f"{memory_mb:,} MB" if memory_mb else "–"


def _durations(durations: Durations | None) -> str:
    if durations is None:
        return "–"
    return f"{_milliseconds(durations.p50_ms)} · {_milliseconds(durations.p95_ms)}"


def _milliseconds(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _ago(now: datetime, then: datetime) -> str:
    return _age(max(0.0, (now - then).total_seconds()))


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"
