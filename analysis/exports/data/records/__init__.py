"""The kinds of record there are. A new kind of data (annotations of utterances) is exported by adding its Kind here."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.errors import UnknownRecords
from analysis.exports.data.records.contexts import CONTEXTS
from analysis.exports.data.records.conversations import CONVERSATIONS
from analysis.exports.data.records.decisions import DECISIONS
from analysis.exports.data.records.findings import FINDINGS
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.records.models import MODELS
from analysis.exports.data.records.plans import LOOKS, PLANS
from analysis.exports.data.records.policies import POLICIES
from analysis.exports.data.records.ratings import RATINGS
from analysis.exports.data.records.study import STUDY
from analysis.exports.data.records.workers import WORKERS

#: In the order in which an export writes them.
KINDS: tuple[Kind, ...] = (
    *(STUDY, MODELS, CONTEXTS, WORKERS, CONVERSATIONS, RATINGS, POLICIES, FINDINGS, DECISIONS),
    *(PLANS, LOOKS),
)


def kinds_named(names: Iterable[str]) -> tuple[Kind, ...]:
    """Those of these names, in the order of KINDS; ``all`` for all of them. Raises UnknownRecords."""
    wanted = set(names)
    if unknown := wanted - {kind.name for kind in KINDS} - {"all"}:
        known = ", ".join(kind.name for kind in KINDS)
        raise UnknownRecords(f"There are no records {', '.join(sorted(unknown))!r}; known: {known}, or all.")
    return tuple(kind for kind in KINDS if kind.name in wanted or "all" in wanted)


def kind_of(schema: str) -> Kind:
    """The kind whose records say that they are of this schema. Raises UnknownRecords."""
    for kind in KINDS:
        if kind.schema == schema:
            return kind
    known = ", ".join(kind.schema for kind in KINDS)
    raise UnknownRecords(f"Records of schema {schema!r} cannot be read; this code reads {known}.")
