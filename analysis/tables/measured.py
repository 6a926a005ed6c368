"""Which results count: of each model its newest revision that was measured, and of each task its largest run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.text import slugify

from modelhub.models import BenchmarkResult, Measurement, ProvenanceResult


class Variant(StrEnum):
    """How a single-skill task was asked (Table 5)."""

    PLAIN = "plain"
    ADDED_CONTEXT = "added context"
    MIXED = "mixed candidates"


@dataclass(slots=True)
class MeasuredSystem:
    """One row's model with what was measured of it."""

    slug: str
    name: str
    reference: str
    hits: dict[tuple[str, Variant], BenchmarkResult] = field(default_factory=dict)
    sources: ProvenanceResult | None = None


def systems(
    ranked: Iterable[BenchmarkResult], chosen: Iterable[ProvenanceResult]
) -> dict[str, MeasuredSystem]:
    """Systems by slug, registered models in their order before folders; a folder's slug is its own name.

    Where a registered model has that name already, the folder goes by its path.
    """
    by_origin: dict[str, list[Measurement]] = {}
    for each in sorted([*ranked, *chosen], key=lambda each: each.created_at):
        by_origin.setdefault(_origin(each), []).append(each)
    found: dict[str, MeasuredSystem] = {}
    for group in sorted(by_origin.values(), key=_order):
        newest = _newest(group)
        system = _system(newest[-1], found)
        for each in newest:
            _add(system, each)
    return found


def variant_of(result: BenchmarkResult) -> Variant | None:
    """None for mixed candidates with added context, which the paper does not have."""
    mixed, added = result.options["mixed_candidates"], result.options["added_context"]
    if mixed and added:
        return None
    return Variant.MIXED if mixed else Variant.ADDED_CONTEXT if added else Variant.PLAIN


def _origin(each: Measurement) -> str:
    return each.revision.model.slug if each.revision else f"{each.folder}/{each.name}"


def _order(group: list[Measurement]) -> tuple[bool, int]:
    revision = group[0].revision
    return revision is None, revision.model_id if revision else 0


def _newest(group: list[Measurement]) -> list[Measurement]:
    """The results of the highest revision; of a folder, those of the weights that were measured last."""
    highest = max(each.revision.number if each.revision else 0 for each in group)
    if highest:
        return [each for each in group if each.revision and each.revision.number == highest]
    return [each for each in group if each.weights_sha256 == group[-1].weights_sha256]


def _system(each: Measurement, found: dict[str, MeasuredSystem]) -> MeasuredSystem:
    slug = each.revision.model.slug if each.revision else slugify(each.name)
    name = each.revision.model.name if each.revision else each.name
    if slug in found:
        slug, name = f"{slug} ({each.folder})", f"{name} (folder)"
    found[slug] = MeasuredSystem(slug, name, each.reference)
    return found[slug]


def _add(system: MeasuredSystem, each: Measurement) -> None:
    """The larger run wins, of equal ones the later: a quick look at a part must not hide a whole run."""
    if isinstance(each, ProvenanceResult):
        if system.sources is None or each.examples >= system.sources.examples:
            system.sources = each
    elif isinstance(each, BenchmarkResult) and (variant := variant_of(each)):
        before = system.hits.get((each.task, variant))
        if before is None or each.examples >= before.examples:
            system.hits[each.task, variant] = each
