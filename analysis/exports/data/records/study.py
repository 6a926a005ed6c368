"""The study itself, in one record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import Source

FIELDS = (
    Field("study", Type.TEXT, "Its name in addresses."),
    Field("title", Type.TEXT, "What evaluators read above it."),
    Field("population", Type.TEXT, "Whose talks the export holds: `people` or `simulated`."),
    Field("template", Type.TEXT, "The template that it was made from.", optional=True),
    Field("state", Type.TEXT, "`draft`, `open`, `paused` or `closed`."),
    Field("consent_text", Type.TEXT, "What people agree to."),
    Field(
        "consent_sha256", Type.TEXT, "Its hash; a worker's consent names the hash of the text that they read."
    ),
    Field("contact", Type.TEXT, "Whom evaluators may ask; in identified exports alone.", optional=True),
    Field("min_turns", Type.WHOLE, "Messages of the worker before rating."),
    Field("max_turns", Type.WHOLE, "Messages of the worker at most."),
    Field("max_words", Type.WHOLE, "Words of a worker's message at most."),
    Field("conversations_per_worker", Type.WHOLE, "Talks of a worker at most."),
    Field("idle_limit_s", Type.NUMBER, "After how many seconds a talk that was left alone is closed."),
    Field("reply_floor_s", Type.NUMBER, "No reply is shown sooner after its message, in seconds."),
    Field("keeps_paradata", Type.FLAG, "Whether it is kept how messages were typed."),
    Field(
        "attention_every", Type.WHOLE, "Every how many talks of a worker an attention item comes; 0 for none."
    ),
    Field("seed", Type.WHOLE, "Contexts and ties of assignment are drawn with it."),
    Field("created_at", Type.TIME, "When the study was made."),
)


def read(source: Source) -> Iterator[Record]:
    study = source.study
    yield {
        "study": study.slug,
        "title": study.title,
        "population": source.population.value,
        "template": study.template or None,
        "state": study.state,
        "consent_text": study.consent_text,
        "consent_sha256": hashlib.sha256(study.consent_text.encode()).hexdigest(),
        "contact": source.names.note(study.contact),
        "min_turns": study.min_turns,
        "max_turns": study.max_turns,
        "max_words": study.max_words,
        "conversations_per_worker": study.conversations_per_worker,
        "idle_limit_s": study.idle_limit.total_seconds(),
        "reply_floor_s": study.reply_floor.total_seconds(),
        "keeps_paradata": study.keeps_paradata,
        "attention_every": study.attention_every,
        "seed": study.seed,
        "created_at": moment(study.created_at),
    }


STUDY = Kind(
    name="study",
    about="What is asked of whom, with which limits and seed: one record.",
    fields=FIELDS,
    read=read,
)
