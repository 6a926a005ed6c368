"""A study in which everything was collected that an export can hold, with texts that are hard on formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from analysis.models import StudyLook
from analysis.planning import adoption
from analysis.planning.scenario import Scenario
from analysis.planning.scenario import plan as planned
from chat.models import (
    Arm,
    Conversation,
    Message,
    Participation,
    Refusal,
    Report,
    SeedContext,
    Study,
    TypingRecord,
    Worker,
)
from modelhub.models import RegisteredModel, Revision
from ratings.axes import Axis
from ratings.models import AttentionAnswer, Decision, Finding, GoldExpectation, Rating, SafetyScore
from ratings.quality import decisions, policy

BEGAN = datetime(2026, 3, 4, 9, 30, 15, 123456, tzinfo=UTC)
#: What a worker says: formulas, quotes, line ends of every kind, letters of other scripts.
HARD_TEXTS = (
    "=HYPERLINK(1) is what I wrote there.",
    '"Quoted, and" with a comma;\nthen a second line.',
    "'=already like one, and more of it",
    "Zürich, 東京 and \U0001f600 are nice places.",
    "a line separator\u2028and a return\rin the middle",
    "-2 degrees and a\ttab, that was cold.",
)
MODELS = (("convai2", "ConvAI2"), ("wow", "WoW | with *stars*"), ("mt-two-stage", "MT Two-Stage"))
RESEARCHER = "grace.hopper"
CONTACT = "grace@example.org"
NOTE = "She wrote to me from ann@example.org about it."


@dataclass
class Collected:
    """The study; ``people`` by the names that tests give them."""

    study: Study
    arms: list[Arm]
    contexts: list[SeedContext]
    people: dict[str, Participation] = field(default_factory=dict)

    def person(self, name: str, *, simulated: bool = False) -> Participation:
        if name not in self.people:
            worker = Worker.objects.create(simulated=simulated, behaviour="honest" if simulated else "")
            self.people[name] = Participation.objects.create(
                study=self.study,
                worker=worker,
                talks_cap=10,
                state="consented",
                consented_at=BEGAN,
                consent_sha256="a" * 64,
            )
        return self.people[name]

    def talk(
        self,
        name: str,
        model: int,
        *,
        scores: tuple[int, ...] = (),
        state: str = "complete",
        texts: tuple[str, ...] = HARD_TEXTS,
        context: int = 0,
        simulated: bool = False,
    ) -> Conversation:
        """A talk with a reply to each text; rated where there are scores."""
        person = self.person(name, simulated=simulated)
        number = person.conversations.count() + 1
        began = BEGAN + timedelta(seconds=Conversation.objects.count())
        talk = Conversation.objects.create(
            participation=person,
            arm=self.arms[model],
            context=self.contexts[context],
            ordinal=number,
            simulated=simulated,
            state=state,
            holds_slot=False,
            last_position=2 * len(texts),
            last_activity_at=began,
            rating_at=began + timedelta(minutes=4) if scores else None,
            ended_at=None if state in Conversation.LIVE else began + timedelta(minutes=5),
        )
        Conversation.objects.filter(pk=talk.pk).update(started_at=began)
        for place, text in enumerate(texts):
            self._turn(talk, place, text)
        Rating.objects.bulk_create(
            Rating(conversation=talk, axis=axis, score=score)
            for axis, score in zip(Axis, scores, strict=False)
        )
        return talk

    def _turn(self, talk: Conversation, place: int, text: str) -> None:
        Message.objects.create(
            conversation=talk,
            position=2 * place + 1,
            speaker="worker",
            text=text,
            client_id=f"client-{place}",
        )
        Message.objects.create(
            conversation=talk,
            position=2 * place + 2,
            speaker="model",
            text=f"Reply {place} to what you said.",
            evidence={"skill": "ed", "score": 0.5 + place, "words": ["a", "b"]},
            queued_ms=place,
            generated_ms=20 + place,
        )


def empty_study(slug: str = "table7", models: tuple[tuple[str, str], ...] = MODELS) -> Collected:
    """The study with its models and two contexts, and nobody in it."""
    study = Study.objects.create(
        slug=slug,
        title="Talk with a stranger: 100 % <new>",
        template="table7",
        consent_text="Yes?\n\nThen go on.",
        contact=CONTACT,
        state="open",
        seed=7,
        reply_floor=timedelta(seconds=1.5),
    )
    arms = []
    for position, (name_slug, name) in enumerate(models, start=1):
        model, _ = RegisteredModel.objects.get_or_create(slug=name_slug, defaults={"name": name})
        revision = model.latest or Revision.objects.create(
            model=model,
            number=1,
            kind="scripted",
            config={"replies": ["Yes.", "No."]},
            weights_sha256="b" * 64,
        )
        arms.append(Arm.objects.create(study=study, revision=revision, position=position, target=100))
    return Collected(
        study, arms, [_context(study, 1, "wow", topic="Bees"), _context(study, 2, "ed", situation="I fell.")]
    )


def _context(study: Study, ordinal: int, source: str, **told: str) -> SeedContext:
    return SeedContext.objects.create(
        study=study,
        ordinal=ordinal,
        source=source,
        worker_persona=["I like to swim in cold lakes.", "My sister plays the cello."],
        model_persona=["I bake bread on Sundays.", "I have two old dogs."],
        worker_seed="What did you do today, my friend?",
        model_seed="I went for a walk.",
        **told,
    )


def collected_study(slug: str = "table7") -> Collected:
    """Talks of four people in several states, one of them excluded, and a simulated worker's."""
    made = empty_study(slug)
    made.talk("ann", 0, scores=(1, 2, 3, 4))
    made.talk("ann", 1, scores=(5, 4, 3, 2), context=1)
    made.talk("bob", 0, scores=(3, 3, 4, 5))
    made.talk("bob", 2, state="abandoned", texts=HARD_TEXTS[:1])
    made.talk("bob", 2, state="chatting", texts=())
    made.talk("cleo", 1, scores=(2, 2, 2, 1))
    made.talk("dan", 2, scores=(5, 5, 5, 5))
    made.talk("robot", 0, scores=(4, 4, 4, 4), simulated=True)
    first = made.people["ann"].conversations.get(ordinal=1)
    _paradata(first)
    policy.declare(made.study, {"shouting": {"threshold": 0.4}}, actor=RESEARCHER, note=NOTE)
    _finding(made, first)
    _planned(made)
    decisions.exclude(made.people["dan"], reason=Decision.Reason.RATINGS, actor=RESEARCHER, note=NOTE)
    return made


def _paradata(talk: Conversation) -> None:
    """What only some messages have: a typing record, a safety score, a report; and refusals of the talk."""
    said, reply = talk.messages.get(position=1), talk.messages.get(position=2)
    TypingRecord.objects.create(
        message=said,
        **{"keystrokes": 30, "deletions": 2, "pastes": 1, "pasted_characters": 5},
        **{"first_key_ms": 900, "typed_ms": 4000, "focus_losses": 0},
    )
    SafetyScore.objects.create(message=said, probability=0.125, classifier="linear+head 1")
    Message.objects.filter(pk=reply.pk).update(held_ms=250)
    Report.objects.create(message=reply, reason=Report.Reason.NONSENSE)
    AttentionAnswer.objects.create(conversation=talk, asked=2, given=3)
    GoldExpectation.objects.create(arm=talk.arm, axis=Axis.OVERALL, low=1, high=2)
    Refusal.objects.create(conversation=talk, code="persona_copy", times=2)


def _planned(made: Collected) -> None:
    """A plan that was adopted while the study was a draft, and a look of it."""
    Study.objects.filter(pk=made.study.pk).update(state="draft")
    scenario = Scenario(difference=0.5, sd=1.25, icc=0.25, models=len(made.arms), looks=3)
    plan = adoption.adopt(
        made.study,
        planned(scenario),
        axis="overall",
        on_stop="close",
        spread_source="given",
        actor=RESEARCHER,
        note=NOTE,
    )
    Study.objects.filter(pk=made.study.pk).update(state="open")
    told = {"estimate": -0.5, "error": 0.125, "df": 61.5, "z": -3.75, "passed": -1, "decided": -1}
    unknown = {"estimate": None, "error": None, "df": None, "z": None, "passed": 0, "decided": 0}
    StudyLook.objects.create(
        plan=plan,
        number=2,
        talks={"1": 40, "2": 41, "3": 40},
        smallest=40,
        share=0.625,
        limit=2.5,
        pairs=[{"first": 1, "second": 2, **told}, {"first": 1, "second": 3, **unknown}],
        best=made.arms[1],
        decision="answered",
        closed_study=True,
        data_sha256="c" * 64,
        code_version="0.1+abc",
    )


def _finding(made: Collected, talk: Conversation) -> None:
    told = {
        "participation": made.people["dan"],
        "rule": "short_messages",
        "rule_version": 1,
        "policy": policy.in_force(made.study),
        "threshold": 0.5,
        "found_at": BEGAN,
    }
    places = [[str(talk.pk), 1, ""], [str(talk.pk), None, "overall"]]
    Finding.objects.create(
        **told, numbers={"share": 0.75, "like": f"talk {talk.pk}"}, places=places, null_probability=0.01
    )
    beginnings = ", ".join(str(made.people[name].pk)[:8] for name in ("ann", "bob"))
    Finding.objects.create(
        **{**told, "rule": "shared_account"}, numbers={"others": 2, "participations": beginnings}, places=[]
    )
    Finding.objects.create(
        **{**told, "rule": "unblinded"}, conversation=talk, numbers={}, places=[], cleared_at=BEGAN
    )
