"""A study's pool of contexts, drawn once as BST draws them (Smith et al. 2020, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.db import transaction

from chat.errors import PoolInUse
from chat.models import Conversation, SeedContext, Study
from modelhub.dialogue import Context


def fill_pool(study: Study, n: int) -> None:
    """Draw ``n`` contexts with the study's seed and store them."""
    # Reading the corpus takes a moment that only this needs.
    from modelhub.datasets.contexts import draw_contexts

    store(study, draw_contexts(n, study.seed))


def replace_pool(study: Study, n: int, *, seed: int, folder: Path) -> list[Context]:
    """Draw ``n`` contexts from a folder of data sets, in place of those the study has; returns them.

    Raises PoolInUse while the study is open and once a talk was held, and DatasetError.
    """
    from modelhub.datasets.contexts import draw_contexts

    drawn = draw_contexts(n, seed, folder)
    with transaction.atomic():
        # Talks begin under the same lock (chat.assignment).
        locked = Study.objects.select_for_update().get(pk=study.pk)
        if locked.is_open or Conversation.objects.filter(context__study=locked).exists():
            raise PoolInUse()
        locked.contexts.all().delete()
        store(locked, drawn)
    return drawn


def store(study: Study, contexts: Iterable[Context]) -> None:
    """Store contexts in the order given. Each has a pair of seeds: the worker's, then the model's."""
    SeedContext.objects.bulk_create(
        SeedContext(
            study=study,
            ordinal=ordinal,
            source=context.source.value if context.source else "",
            topic=context.topic,
            situation=context.situation,
            worker_persona=list(context.worker_persona),
            model_persona=list(context.model_persona),
            worker_seed=context.seeds[0].text,
            model_seed=context.seeds[1].text,
        )
        for ordinal, context in enumerate(contexts, start=1)
    )
