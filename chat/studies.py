"""Studies: made from a template, opened and closed, and how far each model is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from chat import contexts
from chat.errors import StudyRefused
from chat.models import HIGHEST_REPLY_FLOOR, Arm, Conversation, Study
from chat.study_templates import ATTENTION_CONSENT, TEMPLATES
from modelhub import registry
from modelhub.models import Revision
from modelhub.serving import health, roster
from modelhub.serving.roster import Standing

#: What apps above do when a study is about to let workers in, in the transaction that opens it.
on_open: list[Callable[[Study], object]] = []


@dataclass(frozen=True, slots=True)
class ArmProgress:
    """How far one arm is; ``done`` and ``talking`` count people, the simulated ones stand apart."""

    arm: Arm
    name: str
    target: int
    done: int
    talking: int
    ended_early: int
    simulated_done: int
    simulated_talking: int
    #: Who serves the model, in words; ``is_away`` when no talk can begin with it now.
    serving: str
    is_away: bool

    @property
    def share_done(self) -> float:
        """From 0 to 1."""
        return self.done / self.target if self.target else 1.0


def create_from_template(
    template: str,
    *,
    slug: str,
    revisions: Sequence[Revision],
    seed: int = 0,
    title: str = "",
    reply_floor: timedelta = timedelta(0),
    attention_every: int = 0,
) -> Study:
    """Make a draft study: one arm a revision, in the order given, and its pool of contexts.

    The same seed draws the same contexts; no reply is shown before ``reply_floor``; each worker's
    ``attention_every``-th talk is rated with an attention item, of which the consent tells. Raises KeyError for an
    unknown template.
    """
    chosen = TEMPLATES[template]
    with transaction.atomic():
        study = Study.objects.create(
            slug=slug,
            title=title or chosen.title,
            template=template,
            consent_text=chosen.consent_text.format(trace_days=settings.ACCOUNT_TRACE_DAYS)
            + (ATTENTION_CONSENT if attention_every else ""),
            min_turns=chosen.min_turns,
            max_turns=chosen.max_turns,
            max_words=chosen.max_words,
            conversations_per_worker=chosen.conversations_per_worker,
            seed=seed,
            reply_floor=reply_floor,
            attention_every=attention_every,
        )
        Arm.objects.bulk_create(
            Arm(study=study, revision=revision, position=position, target=chosen.target)
            for position, revision in enumerate(revisions, start=1)
        )
        contexts.fill_pool(study, chosen.contexts)
    return study


def create_of_models(
    template: str,
    models: Sequence[str],
    *,
    slug: str,
    seed: int = 0,
    title: str = "",
    reply_floor: timedelta = timedelta(0),
    attention_every: int = 0,
) -> Study:
    """A draft study of registered models, each ``slug`` or ``slug@number``, in the order given.

    Raises StudyRefused for a name that is taken or twice there and for a floor or an interval of attention items out
    of range, ModelhubError for a model that cannot answer.
    """
    _check_reply_floor(reply_floor)
    if template not in TEMPLATES:
        raise StudyRefused(f"There is no template {template!r}; there are: {', '.join(TEMPLATES)}.")
    _check_attention(attention_every, TEMPLATES[template].conversations_per_worker)
    registry.check_slug(slug)
    if Study.objects.filter(slug=slug).exists():
        raise StudyRefused(f"There is a study {slug!r} already; name this one with --slug.")
    revisions = [registry.named(model) for model in models]
    if len(set(revisions)) < len(revisions):
        raise StudyRefused(f"{', '.join(models)}: a revision is there twice; name each once.")
    registry.require_banks(revisions)
    return create_from_template(
        template,
        slug=slug,
        revisions=revisions,
        seed=seed,
        title=title,
        reply_floor=reply_floor,
        attention_every=attention_every,
    )


def _check_reply_floor(floor: timedelta) -> None:
    if not timedelta(0) <= floor <= HIGHEST_REPLY_FLOOR:
        asked, highest = (f"{each.total_seconds():g} s" for each in (floor, HIGHEST_REPLY_FLOOR))
        raise StudyRefused(f"Replies cannot be held for {asked}; choose a floor from 0 to {highest}.")


def _check_attention(every: int, talks: int) -> None:
    """An item that comes after a worker's last talk would never be asked."""
    if not 0 <= every <= talks:
        raise StudyRefused(
            f"Attention items cannot come every {every} talks: a worker has at most {talks}; choose from 1 to "
            f"{talks}, or 0 for none."
        )


def open_study(study: Study) -> None:
    """Let workers in."""
    with transaction.atomic():
        for prepare in on_open:
            prepare(study)
        _change(study, Study.State.OPEN, allowed=[Study.State.DRAFT, Study.State.PAUSED, Study.State.CLOSED])


def pause(study: Study) -> None:
    """Start no new talk; those under way go on."""
    _change(study, Study.State.PAUSED, allowed=[Study.State.OPEN])


def close(study: Study) -> None:
    """Start no new talk and let nobody in; those under way go on."""
    _change(study, Study.State.CLOSED, allowed=[Study.State.OPEN, Study.State.PAUSED])


def _change(study: Study, state: Study.State, *, allowed: Iterable[Study.State]) -> None:
    Study.objects.filter(pk=study.pk, state__in=list(allowed)).update(state=state)
    study.refresh_from_db(fields=["state"])


def progress(study: Study) -> list[ArmProgress]:
    """Every arm's progress in the order of reports; a query, and one to three about who serves the models."""
    states = Conversation.State
    early = [states.ABANDONED, states.FAILED, states.WITHDRAWN]

    def talks(simulated: bool, among: Iterable[str]) -> Count:
        return Count(
            "conversations",
            filter=Q(conversations__simulated=simulated, conversations__state__in=list(among)),
        )

    arms = (
        Arm.objects.filter(study=study)
        .select_related("revision__model")
        .annotate(
            done=talks(False, [states.COMPLETE]),
            talking=talks(False, Conversation.LIVE),
            ended_early=talks(False, early),
            simulated_done=talks(True, [states.COMPLETE]),
            simulated_talking=talks(True, Conversation.LIVE),
        )
        .order_by("position")
    )
    standings, away = roster.standings(), health.unavailable()
    return [_progress(arm, standings.get(arm.revision_id, Standing()), away) for arm in arms]


def _progress(arm: Arm, standing: Standing, away: Mapping[int, str]) -> ArmProgress:
    counts = ("done", "talking", "ended_early", "simulated_done", "simulated_talking")
    return ArmProgress(
        arm=arm,
        name=arm.revision.model.name,
        target=arm.target,
        serving=away.get(arm.revision_id, standing.words),
        is_away=arm.revision_id in away,
        **{name: getattr(arm, name) for name in counts},
    )


def wanted_revisions() -> list[int]:
    """Ids of the revisions that workers may talk to now or soon: what a serving worker loads at its start."""
    arms = Arm.objects.exclude(study__state=Study.State.CLOSED)
    return list(arms.order_by("revision_id").values_list("revision_id", flat=True).distinct())


def load_starter(*, seed: int = 1) -> tuple[Study, bool]:
    """The starter models and the open study ``table7``; True when the study was made now."""
    from modelhub.starter.install import install

    revisions = install()
    if known := Study.objects.filter(slug="table7").first():
        return known, False
    with transaction.atomic():
        study = create_from_template("table7", slug="table7", revisions=revisions, seed=seed)
        open_study(study)
    return study, True
