"""Small studies for a running site; ``add_to(site)`` runs ``make`` inside it."""

from __future__ import annotations

from collections.abc import Sequence

from chat import contexts
from chat.models import Arm, Study
from modelhub.dialogue import Context, Skill, Speaker, Utterance
from modelhub.models import RegisteredModel, Revision
from tests.site.running import Site

CONTEXT = Context(
    worker_persona=("I like to swim in cold lakes.", "My sister plays the cello."),
    model_persona=("I bake bread on Sundays.", "I have two old dogs."),
    source=Skill.CONVAI2,
    seeds=(
        Utterance(Speaker.WORKER, "What did you do today?"),
        Utterance(Speaker.MODEL, "I went for a walk."),
    ),
)
PLAIN = [f"Reply number {n} is here." for n in range(1, 20)]
#: What must be shown as it stands and do nothing.
PAYLOADS = [
    '<script>alert("x")</script>',
    '<img src=x onerror="alert(1)">',
    '"><svg onload=alert(2)>',
    "javascript:alert(3)",
    "{{ 7 * 7 }} {% debug %} ${7*7}",
    "</script><script>alert(4)</script>",
    "<a href='javascript:alert(5)'>click</a> & &lt;b&gt;",
]
#: Of a model that thinks long, yet not too long.
SLOW_S = 12
#: A model's name.
CALLED = "<b>Bold</b><img src=x onerror=alert(6)> & Co"


def add_to(site: Site) -> None:
    site.manage("shell", "--command", "from tests.site.studies import make; make()")


def make() -> None:
    """An open study, one with payloads, one whose workers are judged, a closed, a paused, a full and a slow one, one
    nobody talked in, and one with attention items.
    """
    _study("plain", PLAIN)
    _study("payloads", PAYLOADS, names=(CALLED, "Another model"), min_turns=len(PAYLOADS))
    _study("judged", PLAIN)
    _study("shut", PLAIN, state=Study.State.CLOSED)
    _study("paused", PLAIN, state=Study.State.PAUSED)
    _study("full", PLAIN, target=0)
    _study("quiet", PLAIN)
    _study("slow", PLAIN, delay_s=SLOW_S)
    _study("attentive", PLAIN, attention_every=1)


def _study(
    slug: str,
    replies: Sequence[str],
    *,
    names: Sequence[str] = ("A scripted model",),
    target: int = 50,
    state: Study.State = Study.State.OPEN,
    min_turns: int = 2,
    delay_s: float = 0,
    attention_every: int = 0,
) -> None:
    """Scripted models with these names; at least ``min_turns`` and at most eight messages."""
    study = Study.objects.create(
        slug=slug,
        title=f"Study {slug}",
        consent_text="Do you agree?",
        contact="ask@example.org",
        state=state,
        min_turns=min_turns,
        max_turns=8,
        attention_every=attention_every,
    )
    for position, name in enumerate(names, start=1):
        model = RegisteredModel.objects.create(slug=f"{slug}-{position}", name=name)
        revision = Revision.objects.create(
            model=model,
            number=1,
            kind=Revision.Kind.SCRIPTED,
            config={"replies": list(replies), "delay_s": delay_s},
        )
        Arm.objects.create(study=study, revision=revision, position=position, target=target)
    contexts.store(study, [CONTEXT] * 3)
