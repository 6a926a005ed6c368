"""The site under test: its study and its processes. Import after Django was set up for its data folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection, connections, transaction

from chat import contexts, studies
from chat.errors import NoCodeYet
from chat.models import Arm, Conversation, Message, Participation, Study
from chat.models import Turn as OwedTurn
from chat.participation import completion_code
from evalsite import children
from evalsite.preflight import Address
from evalsite.preparation import collect_static
from evalsite.supervisor import Child
from modelhub import registry
from modelhub.dialogue import Context, Skill, Speaker, Utterance
from modelhub.models import Revision
from ratings.models import Rating
from tests.chaos.judge import Message as StoredMessage
from tests.chaos.judge import Stored
from tests.chaos.judge import Turn as StoredTurn
from tests.chaos.processes import Process

STUDY = "chaos"
#: Longer than any talk here, so that no model says the same thing twice in one.
REPLIES = 12
#: Loading torch on a busy machine; a worker of which nothing tells that it is ready counts as ready then.
WORKER_READY_AFTER_S = 45.0
WORKER_IS_READY = b"modelhub.serving.worker ready"
CONTEXT = Context(
    worker_persona=("I keep bees behind the house.",),
    model_persona=("I sail a small boat.",),
    source=Skill.CONVAI2,
    seeds=(Utterance(Speaker.WORKER, "How was your week?"), Utterance(Speaker.MODEL, "Windy, luckily.")),
)


def prepare() -> None:
    """Tables, static files and an open study of four arms."""
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    with transaction.atomic():
        study = Study.objects.create(
            slug=STUDY,
            title="Conversations",
            consent_text="Do you agree?",
            min_turns=2,
            max_turns=5,
            conversations_per_worker=6,
            idle_limit=timedelta(minutes=10),
        )
        for position, revision in enumerate(models(), 1):
            Arm.objects.create(study=study, revision=revision, position=position, target=100_000)
        contexts.store(study, [CONTEXT])
        studies.open_study(study)
    forget_connections()


def models() -> list[Revision]:
    """A quick one, one that takes a while, and a composite of both."""
    quick, slow = scripted("quick", 0.02), scripted("slow", 0.4)
    kind = Revision.Kind.RANDOM_SKILL.value
    either = registry.register("either", "Either", kind, None, {"skills": ["quick", "slow"]}, [quick, slow])
    return [quick, slow, either]


def scripted(slug: str, delay_s: float) -> Revision:
    replies = [f"Reply {number} of the {slug} one." for number in range(1, REPLIES + 1)]
    config = {"replies": replies, "delay_s": delay_s, "skill": slug}
    return registry.register(slug, slug.capitalize(), Revision.Kind.SCRIPTED.value, None, config)


def forget_connections() -> None:
    """So that nothing of this process hangs on a database that will be killed."""
    connections.close_all()
    if hasattr(connection, "close_pool"):
        connection.close_pool()


def processes(web_ports: list[int], site_port: int, logs: Path, *, embedded: bool) -> list[Process]:
    """Two web processes, two workers and the sweeper, by the commands that ``manage.py up`` uses; the queue first."""
    environment = children.environment(Address("127.0.0.1", site_port))
    started = {
        **{f"worker-{n}": children.worker() for n in (1, 2)},
        "sweeper": children.sweeper(),
        **{f"web-{n}": children.web(Address("127.0.0.1", port)) for n, port in enumerate(web_ports, 1)},
    }
    if embedded:
        started = {"queue": children.queue(), **started}
    return [process_of(name, child, environment, logs) for name, child in started.items()]


def process_of(name: str, child: Child, environment: dict[str, str], logs: Path) -> Process:
    process = Process(
        name, child.command, logs / f"{name}.log", {**environment, **child.variables}, ready=child.ready
    )
    if name.startswith("worker"):
        # Two workers of one machine write the same marker; each one's log tells of itself.
        process.ready = lambda pid: process.has_logged(WORKER_IS_READY)
        process.ready_after_s = WORKER_READY_AFTER_S
    else:
        process.prepare = child.prepare
    return process


def stored() -> Stored:
    """Everything that the judge compares."""
    talks = Conversation.objects.values_list("pk", "state", "participation_id")
    messages = Message.objects.values_list("conversation_id", "position", "speaker", "text", "client_id")
    turns = OwedTurn.objects.values_list("conversation_id", "position", "state", "attempt", "asked_again")
    ratings: dict[str, dict[str, int]] = {}
    for talk, axis, score in Rating.objects.values_list("conversation_id", "axis", "score"):
        ratings.setdefault(talk.hex, {})[axis] = score
    return Stored(
        talks={talk.hex: state for talk, state, _ in talks},
        participations={talk.hex: participation.hex for talk, _, participation in talks},
        messages={(talk.hex, position): StoredMessage(*rest) for talk, position, *rest in messages},
        turns={(talk.hex, position): StoredTurn(*rest) for talk, position, *rest in turns},
        ratings=ratings,
        codes=dict(codes()),
    )


def codes() -> list[tuple[str, str]]:
    found = []
    for participation in Participation.objects.all():
        try:
            found.append((participation.pk.hex, completion_code(participation)))
        except NoCodeYet:
            continue
    return found
