"""The models of a study, and those that they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import Source
from analysis.reading.frames import model_labels
from chat.models import Arm
from modelhub.models import Revision
from modelhub.registry import parts_of
from ratings.models import GoldExpectation

GOLD = (
    Field("axis", Type.TEXT, "Which question."),
    Field("low", Type.WHOLE, "The lowest answer that is expected."),
    Field("high", Type.WHOLE, "The highest."),
    Field("stated_at", Type.TIME, "When that was stated."),
)
FIELDS = (
    Field("model", Type.TEXT, "The revision, as slug@number."),
    Field("name", Type.TEXT, "The model's name."),
    Field("kind", Type.TEXT, "`retrieval`, `random_skill`, `two_stage` or `scripted`."),
    Field("config", Type.JSON, "Its settings."),
    Field("weights_sha256", Type.TEXT, "Hash of the files that it answers with; null without files.", True),
    Field("parts", Type.TEXTS, "The revisions that it is made of, in their order."),
    Field("arm", Type.WHOLE, "Its row in Table 7, from 1; null for what is only a part.", optional=True),
    Field("label", Type.TEXT, "Its name in Table 7.", optional=True),
    Field("target", Type.WHOLE, "How many complete talks the study wants of it.", optional=True),
    Field("gold", Type.ROWS, "How any attentive person would rate talks with it.", fields=GOLD),
    Field("registered_at", Type.TIME, "When the revision was registered."),
    Field("retired_at", Type.TIME, "When the model was taken out of use.", optional=True),
)


def read(source: Source) -> Iterator[Record]:
    """The arms in the order of Table 7, then their parts, each once."""
    arms = list(
        source.study.arms.select_related("revision__model")
        .prefetch_related("gold_expectations")
        .order_by("position")
    )
    for arm, label in zip(arms, model_labels(arms), strict=True):
        yield _record(arm.revision, arm, label)
    yield from (_record(part) for part in parts([arm.revision for arm in arms]))


def parts(revisions: Iterable[Revision]) -> Iterator[Revision]:
    """What these are made of, and what that is made of, without themselves, each once."""
    waiting = list(revisions)
    seen = {revision.pk for revision in waiting}
    while waiting:
        for part in parts_of(waiting.pop(0)):
            if part.pk not in seen:
                seen.add(part.pk)
                waiting.append(part)
                yield part


def _record(revision: Revision, arm: Arm | None = None, label: str | None = None) -> Record:
    return {
        "model": revision.reference,
        "name": revision.model.name,
        "kind": revision.kind,
        "config": revision.config,
        "weights_sha256": revision.weights_sha256 or None,
        "parts": [str(part) for part in revision.config.get("parts", [])],
        "arm": arm and arm.position,
        "label": label,
        "target": arm and arm.target,
        "gold": [_expected(each) for each in arm.gold_expectations.all()] if arm else [],
        "registered_at": moment(revision.created_at),
        "retired_at": moment(revision.model.retired_at),
    }


def _expected(gold: GoldExpectation) -> Record:
    return {"axis": gold.axis, "low": gold.low, "high": gold.high, "stated_at": moment(gold.stated_at)}


MODELS = Kind(
    name="models",
    about="The study's models in the order of Table 7, then the models that they are made of.",
    fields=FIELDS,
    read=read,
    key="model",
)
