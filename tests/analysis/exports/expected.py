"""What an identified export must hold, made row by row from the models: slow, and without the exporter's code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from analysis.models import StudyLook
from chat.models import Conversation, Message, Participation, Study
from ratings.models import Decision, Finding, Rating

Record = dict[str, Any]
TYPING = "keystrokes deletions pastes pasted_characters first_key_ms typed_ms focus_losses".split()


def at(time: datetime | None) -> str | None:
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}+00:00" if time else None


def talks_of(study: Study) -> list[Conversation]:
    """People's talks of workers who are not excluded, in the order of their ids."""
    found = Conversation.objects.filter(arm__study=study, simulated=False)
    return sorted((t for t in found if not t.participation.excluded_at), key=lambda talk: talk.pk.int)


def conversations(study: Study) -> Iterator[Record]:
    for talk in talks_of(study):
        revision, context = talk.arm.revision, talk.context
        yield {
            "conversation": str(talk.pk),
            "worker": str(talk.participation.worker_id),
            "ordinal": talk.ordinal,
            "model": f"{revision.model.slug}@{revision.number}",
            "model_name": revision.model.name,
            "arm": talk.arm.position,
            "simulated": talk.simulated,
            "state": talk.state,
            "excluded": False,
            "started_at": at(talk.started_at),
            "rating_at": at(talk.rating_at),
            "ended_at": at(talk.ended_at),
            "context": context.ordinal,
            "source": context.source,
            "topic": context.topic or None,
            "situation": context.situation or None,
            "worker_persona": context.worker_persona,
            "model_persona": context.model_persona,
            "worker_seed": context.worker_seed,
            "model_seed": context.model_seed,
            "messages": [message(each) for each in talk.messages.order_by("position")],
            "refusals": [{"code": each.code, "times": each.times} for each in talk.refusals.all()],
            "attention": attention(talk),
            "ratings": [
                {"axis": each.axis, "score": each.score, "at": at(each.created_at)}
                for each in talk.ratings.order_by("axis")
            ],
        }


def attention(talk: Conversation) -> Record | None:
    answer = getattr(talk, "attention_answer", None)
    return answer and {"asked": answer.asked, "given": answer.given, "at": at(answer.created_at)}


def message(said: Message) -> Record:
    typed, scored = getattr(said, "typing_record", None), getattr(said, "safety", None)
    times = {name: getattr(said, name) for name in ("queued_ms", "generated_ms", "held_ms")}
    return {
        "position": said.position,
        "speaker": said.speaker,
        "text": said.text,
        "at": at(said.created_at),
        "evidence": said.evidence,
        "timing": times if said.speaker == "model" else None,
        "typing": {name: getattr(typed, name) for name in TYPING} if typed else None,
        "safety": scored and {"probability": scored.probability, "classifier": scored.classifier},
        "reports": [report.reason for report in said.reports.all()],
    }


def ratings(study: Study) -> Iterator[Record]:
    for talk in talks_of(study):
        for rating in Rating.objects.filter(conversation=talk).order_by("axis"):
            revision = talk.arm.revision
            yield {
                "conversation": str(talk.pk),
                "worker": str(talk.participation.worker_id),
                "model": f"{revision.model.slug}@{revision.number}",
                "model_name": revision.model.name,
                "arm": talk.arm.position,
                "axis": rating.axis,
                "score": rating.score,
                "state": talk.state,
                "excluded": False,
                "at": at(rating.created_at),
            }


def study(made: Study) -> Iterator[Record]:
    limits = "min_turns max_turns max_words conversations_per_worker attention_every"
    same = f"title state consent_text contact seed {limits}"
    yield {
        **{name: getattr(made, name) for name in same.split()},
        "study": made.slug,
        "population": "people",
        "template": made.template or None,
        "consent_sha256": hashlib.sha256(made.consent_text.encode()).hexdigest(),
        "idle_limit_s": made.idle_limit.total_seconds(),
        "reply_floor_s": made.reply_floor.total_seconds(),
        "keeps_paradata": made.keeps_paradata,
        "created_at": at(made.created_at),
    }


def models(made: Study) -> Iterator[Record]:
    for arm in made.arms.order_by("position"):
        revision = arm.revision
        yield {
            "model": f"{revision.model.slug}@{revision.number}",
            "name": revision.model.name,
            "kind": revision.kind,
            "config": revision.config,
            "weights_sha256": revision.weights_sha256 or None,
            "parts": [],
            "arm": arm.position,
            "label": revision.model.name,
            "target": arm.target,
            "gold": [
                {"axis": each.axis, "low": each.low, "high": each.high, "stated_at": at(each.stated_at)}
                for each in arm.gold_expectations.order_by("pk")
            ],
            "registered_at": at(revision.created_at),
            "retired_at": at(revision.model.retired_at),
        }


def contexts(made: Study) -> Iterator[Record]:
    same = "source worker_persona model_persona worker_seed model_seed".split()
    for context in made.contexts.order_by("ordinal"):
        yield {
            **{name: getattr(context, name) for name in same},
            "context": context.ordinal,
            "topic": context.topic or None,
            "situation": context.situation or None,
        }


def workers(made: Study) -> Iterator[Record]:
    people = Participation.objects.filter(study=made, worker__simulated=False)
    for person in sorted(people, key=lambda each: each.pk.int):
        yield {
            "worker": str(person.worker_id),
            "simulated": False,
            "behaviour": None,
            "state": person.state,
            "talks_taken": person.talks_taken,
            "talks_cap": person.talks_cap,
            "consent_sha256": person.consent_sha256 or None,
            "entered_at": at(person.created_at),
            "consented_at": at(person.consented_at),
            "ended_at": at(person.ended_at),
            "excluded_at": at(person.excluded_at),
        }


def policies(made: Study) -> Iterator[Record]:
    for policy in made.policies.order_by("version"):
        yield {
            "version": policy.version,
            "rules": policy.rules,
            "after_talks": policy.after_talks,
            "declared_by": policy.declared_by,
            "declared_at": at(policy.declared_at),
        }


def findings(made: Study) -> Iterator[Record]:
    for finding in Finding.objects.filter(participation__study=made).order_by("pk"):
        yield {
            "finding": str(finding.pk),
            "worker": str(finding.participation.worker_id),
            "conversation": str(finding.conversation_id) if finding.conversation_id else None,
            "rule": finding.rule,
            "rule_version": finding.rule_version,
            "policy_version": finding.policy.version,
            "threshold": finding.threshold,
            "numbers": numbers(finding.numbers),
            "places": [
                {"conversation": talk, "position": position, "axis": axis or None}
                for talk, position, axis in finding.places
            ],
            "null_probability": finding.null_probability,
            "found_at": at(finding.found_at),
            "cleared_at": at(finding.cleared_at),
        }


def numbers(counted: Record) -> Record:
    """With workers in the place of the participations that are named by their beginnings."""
    if "participations" not in counted:
        return counted
    named = [
        str(Participation.objects.get(pk__startswith=beginning).worker_id)
        for beginning in counted["participations"].split(", ")
    ]
    return counted | {"participations": ", ".join(named)}


def decisions(made: Study) -> Iterator[Record]:
    for decision in Decision.objects.filter(study=made).order_by("pk"):
        details = dict(decision.details)
        if "findings" in details:
            details["findings"] = [
                {**each, "finding": str(each["finding"]), "numbers": numbers(each["numbers"])}
                for each in details["findings"]
            ]
        yield {
            "decision": str(decision.pk),
            "act": decision.act,
            "worker": str(decision.participation.worker_id) if decision.participation else None,
            "reason": decision.reason,
            "note": decision.note or None,
            "actor": decision.actor,
            "policy_version": decision.policy.version if decision.policy else None,
            "details": details,
            "at": at(decision.at),
        }


def plans(made: Study) -> Iterator[Record]:
    for plan in made.plans.order_by("version"):
        told = {
            each.name: getattr(plan, each.name) for each in plan._meta.concrete_fields if not each.is_relation
        }
        del told["id"]
        pair = {name: arm and arm.position for name, arm in (("first", plan.first), ("second", plan.second))}
        yield told | pair | {"adopted_at": at(plan.adopted_at)}


def looks(made: Study) -> Iterator[Record]:
    for look in StudyLook.objects.filter(plan__study=made).order_by("plan", "number"):
        told = {
            each.name: getattr(look, each.name) for each in look._meta.concrete_fields if not each.is_relation
        }
        del told["id"]
        yield told | {
            "look": f"{look.plan.version}.{look.number}",
            "version": look.plan.version,
            "best": look.best and look.best.position,
            "taken_at": at(look.taken_at),
        }


EXPECTED: dict[str, Callable[[Study], Iterator[Record]]] = {
    each.__name__: each
    for each in (
        study,
        models,
        contexts,
        workers,
        conversations,
        ratings,
        policies,
        findings,
        decisions,
        plans,
        looks,
    )
}
