"""Talks with everything that was said in them and about them, finished or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from analysis.exports.data.records.arms import ArmName, arms_by_id
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import ROWS_AT_ONCE, Source
from chat.models import Conversation, Message, Refusal, Report, SeedContext
from ratings.models import Rating

TIMING = (
    Field("queued_ms", Type.WHOLE, "How long it waited for its model, in milliseconds.", optional=True),
    Field("generated_ms", Type.WHOLE, "How long the model took.", optional=True),
    Field("held_ms", Type.WHOLE, "How long it was held back for the study's floor.", optional=True),
)
TYPING = (
    Field("keystrokes", Type.WHOLE, "Keys that wrote or deleted."),
    Field("deletions", Type.WHOLE, "How often something was deleted."),
    Field("pastes", Type.WHOLE, "How often something was pasted or dropped."),
    Field("pasted_characters", Type.WHOLE, "How many characters that were."),
    Field("first_key_ms", Type.WHOLE, "From the partner's message to the first key or paste."),
    Field("typed_ms", Type.WHOLE, "From there to sending."),
    Field("focus_losses", Type.WHOLE, "How often the page was left meanwhile."),
)
SAFETY = (
    Field("probability", Type.NUMBER, "How likely it is unsafe."),
    Field("classifier", Type.TEXT, "Which version of the classifier says so."),
)
MESSAGE = (
    Field("position", Type.WHOLE, "Its place, from 1; the worker speaks first and both take turns."),
    Field("speaker", Type.TEXT, "`worker` or `model`."),
    Field("text", Type.TEXT, "What was said."),
    Field("at", Type.TIME, "When it was stored."),
    Field("evidence", Type.JSON, "Where a model's reply came from; `{}` for a worker's message."),
    Field("timing", Type.ROW, "A model's reply: how long it took.", optional=True, fields=TIMING),
    Field("typing", Type.ROW, "A worker's message: how it was typed.", optional=True, fields=TYPING),
    Field(
        "safety",
        Type.ROW,
        "A worker's message: what the safety classifier says.",
        optional=True,
        fields=SAFETY,
    ),
    Field("reports", Type.TEXTS, "Reasons for which the worker reported the reply."),
)
REFUSAL = (
    Field("code", Type.TEXT, "Why, such as `persona_copy`."),
    Field("times", Type.WHOLE, "How often."),
)
RATING = (
    Field("axis", Type.TEXT, "Which question."),
    Field("score", Type.WHOLE, "The answer, 1 to 5."),
    Field("at", Type.TIME, "When it was stored."),
)
ATTENTION = (
    Field("asked", Type.WHOLE, "The number that it asked for."),
    Field("given", Type.WHOLE, "The number that was chosen."),
    Field("at", Type.TIME, "When it was stored."),
)
FIELDS = (
    Field("conversation", Type.TEXT, "The talk."),
    Field("worker", Type.TEXT, "Who talked with the model."),
    Field("ordinal", Type.WHOLE, "The worker's first, second, ... talk in the study."),
    Field("model", Type.TEXT, "The model, as slug@revision."),
    Field("model_name", Type.TEXT, "Its name in Table 7."),
    Field("arm", Type.WHOLE, "Its row in Table 7, from 1."),
    Field("simulated", Type.FLAG, "Whether a program talked in place of a person."),
    Field("state", Type.TEXT, "`chatting`, `rating`, `complete`, `abandoned`, `failed` or `withdrawn`."),
    Field("excluded", Type.FLAG, "Whether the worker is excluded, so that the talk does not count."),
    Field("started_at", Type.TIME, "When it began."),
    Field("rating_at", Type.TIME, "When talking ended and rating began.", optional=True),
    Field("ended_at", Type.TIME, "When it was over.", optional=True),
    Field("context", Type.WHOLE, "The seed context's number in the study."),
    Field("source", Type.TEXT, "The data set of the seed: `convai2`, `ed`, `wow` or `bst`."),
    Field("topic", Type.TEXT, "The seed's topic (`wow`).", optional=True),
    Field("situation", Type.TEXT, "The seed's situation (`ed`).", optional=True),
    Field("worker_persona", Type.TEXTS, "Whom the worker played."),
    Field("model_persona", Type.TEXTS, "Whom the model was told to play."),
    Field("worker_seed", Type.TEXT, "What stood as the worker's utterance before the first message."),
    Field("model_seed", Type.TEXT, "What stood as the model's answer to it."),
    Field("messages", Type.ROWS, "What was said, in order.", fields=MESSAGE),
    Field("refusals", Type.ROWS, "Messages that were refused, which are not kept.", fields=REFUSAL),
    Field("attention", Type.ROW, "The attention item beside the questions.", optional=True, fields=ATTENTION),
    Field("ratings", Type.ROWS, "What the worker said about the talk; empty without ratings.", fields=RATING),
)
_OF_MESSAGE = (
    *("pk", "conversation_id", "position", "speaker", "text", "created_at", "evidence"),
    *("queued_ms", "generated_ms", "held_ms", "safety__probability", "safety__classifier"),
    *(f"typing_record__{field.name}" for field in TYPING),
)
_COLUMNS = (
    *("pk", "participation__worker_id", "ordinal", "arm_id", "simulated", "state"),
    *("participation__excluded_at", "started_at", "rating_at", "ended_at", "context_id"),
    *("attention_answer__asked", "attention_answer__given", "attention_answer__created_at"),
)
_CONTEXT = _COLUMNS.index("context_id")


def read(source: Source) -> Iterator[Record]:
    """In the order of the talks' internal ids; five queries for each batch of talks."""
    arms = arms_by_id(source.study)
    contexts = {context.pk: context_record(context) for context in source.study.contexts.all()}
    for ids in source.talks_by_batch():
        messages, refusals, ratings = _messages(ids), _refusals(ids), _ratings(ids)
        talks = Conversation.objects.filter(pk__in=ids).order_by("pk").values_list(*_COLUMNS)
        for row in talks:
            yield {
                **_talk(source, row, arms),
                **contexts[row[_CONTEXT]],
                "messages": messages.get(row[0], []),
                "refusals": refusals.get(row[0], []),
                "attention": _attention(*row[_CONTEXT + 1 :]),
                "ratings": ratings.get(row[0], []),
            }


def _talk(source: Source, row: Sequence[Any], arms: Mapping[int, ArmName]) -> Record:
    talk, worker, ordinal, arm, simulated, state, excluded_at, started_at, rating_at, ended_at = row[
        :_CONTEXT
    ]
    return {
        "conversation": source.names.of(talk),
        "worker": source.names.of(worker),
        "ordinal": ordinal,
        "model": arms[arm].reference,
        "model_name": arms[arm].label,
        "arm": arms[arm].position,
        "simulated": simulated,
        "state": state,
        "excluded": excluded_at is not None,
        "started_at": moment(started_at),
        "rating_at": moment(rating_at),
        "ended_at": moment(ended_at),
    }


def _attention(asked: int | None, given: int | None, at: datetime | None) -> Record | None:
    return None if asked is None else {"asked": asked, "given": given, "at": moment(at)}


def context_record(context: SeedContext) -> Record:
    return {
        "context": context.ordinal,
        "source": context.source,
        "topic": context.topic or None,
        "situation": context.situation or None,
        "worker_persona": list(context.worker_persona),
        "model_persona": list(context.model_persona),
        "worker_seed": context.worker_seed,
        "model_seed": context.model_seed,
    }


def _messages(ids: list[UUID]) -> Mapping[UUID, list[Record]]:
    said: dict[UUID, list[Record]] = defaultdict(list)
    reports = _reports(ids)
    rows = Message.objects.filter(conversation_id__in=ids).order_by("conversation_id", "position")
    for pk, talk, *told in rows.values_list(*_OF_MESSAGE).iterator(chunk_size=ROWS_AT_ONCE):
        said[talk].append({**_message(told), "reports": reports.get(pk, [])})
    return said


def _message(row: Sequence[Any]) -> Record:
    """From the columns behind the talk's."""
    position, speaker, text, at, evidence, *times, unsafe, classifier = row[:10]
    return {
        "position": position,
        "speaker": speaker,
        "text": text,
        "at": moment(at),
        "evidence": evidence,
        "timing": _row(TIMING, times) if any(each is not None for each in times) else None,
        "typing": _row(TYPING, row[10:]) if row[10] is not None else None,
        "safety": None if unsafe is None else {"probability": unsafe, "classifier": classifier},
    }


def _row(fields: Sequence[Field], values: Sequence[Any]) -> Record:
    return {field.name: value for field, value in zip(fields, values, strict=True)}


def _reports(ids: list[UUID]) -> Mapping[int, list[str]]:
    reasons: dict[int, list[str]] = defaultdict(list)
    rows = Report.objects.filter(message__conversation_id__in=ids).order_by("pk")
    for message, reason in rows.values_list("message_id", "reason"):
        reasons[message].append(reason)
    return reasons


def _refusals(ids: list[UUID]) -> Mapping[UUID, list[Record]]:
    counts: dict[UUID, list[Record]] = defaultdict(list)
    rows = Refusal.objects.filter(conversation_id__in=ids).order_by("conversation_id", "code")
    for talk, code, times in rows.values_list("conversation_id", "code", "times"):
        counts[talk].append({"code": code, "times": times})
    return counts


def _ratings(ids: list[UUID]) -> Mapping[UUID, list[Record]]:
    given: dict[UUID, list[Record]] = defaultdict(list)
    rows = Rating.objects.filter(conversation_id__in=ids).order_by("conversation_id", "axis")
    for talk, axis, score, at in rows.values_list("conversation_id", "axis", "score", "created_at"):
        given[talk].append({"axis": axis, "score": score, "at": moment(at)})
    return given


CONVERSATIONS = Kind(
    name="conversations",
    about="Talks with everything that was said in them, finished or not.",
    fields=FIELDS,
    read=read,
    key="conversation",
    table="messages",
)
