"""Which queue a model's turns go to: that of a group of workers which holds it, else the common one.

A group is the set of models that workers were told to hold (``manage.py serve --models a,b``); its workers share a
queue. Workers without such a set take from the common queue, and with it whatever no live group holds.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from modelhub.errors import ModelhubError
from modelhub.fresh import Fresh
from modelhub.models import ServedModel, ServingWorker
from modelhub.serving import roster

#: CELERY_TASK_DEFAULT_QUEUE.
COMMON = "serve"
#: Work that nobody waits for and any worker can do, whatever models it holds.
ASIDE = "aside"
#: How long a process believes what it read.
FRESH_S = 1.0


def group_of(slugs: Iterable[str]) -> str:
    """The name of the group that holds these models, whatever their order; empty for none.

    Raises ModelhubError for one that is too long for the database and for queues.
    """
    group = "+".join(sorted(set(slugs)))
    longest = ServingWorker._meta.get_field("group").max_length or 0
    if len(group) > longest:
        raise ModelhubError(
            f"The names of these models have {len(group)} characters, and {longest} are possible; name fewer and start "
            "another worker for the others."
        )
    return group


def queue_of_group(group: str) -> str:
    return f"{COMMON}.{group}" if group else COMMON


def queue_of(revision_id: int) -> str:
    """Where to ask for a revision's reply; where several groups hold it, one of them. A query a second at most."""
    groups = _groups().get(revision_id)
    return queue_of_group(random.choice(groups)) if groups else COMMON


def held_by_groups() -> set[int]:
    """Revisions that live groups hold ready; one query."""
    return set(_read_groups())


def _read_groups() -> Mapping[int, Sequence[str]]:
    """The groups that hold each revision ready, a group as often as it has workers."""
    held = ServedModel.objects.filter(state=ServedModel.State.READY, worker__in=roster.ready())
    groups: dict[int, list[str]] = defaultdict(list)
    for revision_id, group in held.exclude(worker__group="").values_list("revision_id", "worker__group"):
        groups[revision_id].append(group)
    return groups


_groups = Fresh(_read_groups, FRESH_S)


def forget() -> None:
    """Read anew next time."""
    _groups.forget()
