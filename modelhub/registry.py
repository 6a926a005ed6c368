"""The door to registered models: register, resolve, verify, retire. No torch here."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils import timezone

from modelhub.errors import ChangedFiles, ModelhubError, NoBank, UnknownModel, UnknownRevision
from modelhub.models import RegisteredModel, Revision

log = logging.getLogger(__name__)

#: Embedded candidates.
EMBEDDINGS = "bank.safetensors"
#: Everything that a model answers with; a revision's hash is taken over those that are there.
FILES = (
    "config.json",
    "weights.safetensors",
    "dictionary.txt",
    "merges.txt",
    EMBEDDINGS,
    "bank.jsonl",
    "encoder/config.json",
    "encoder/tokenizer.json",
)


def register(
    slug: str,
    name: str,
    kind: str,
    path: Path | str | None,
    config: Mapping[str, object],
    parts: Sequence[Revision] = (),
) -> Revision:
    """The revision with this content: the model's latest when it is the same, else a new one.

    ``path`` is the folder of the weights, or None for kinds without. The parts' names are kept, in their order,
    in the configuration under "parts". A retired model that is registered again is in use again.
    Raises ModelhubError for a kind that does not exist, ChangedFiles when the folder holds no model.
    """
    if kind not in Revision.Kind.values:
        raise ModelhubError(
            f"{slug}: kind {kind!r} does not exist; choose one of {', '.join(Revision.Kind.values)}."
        )
    content = {
        "kind": kind,
        "path": stored_path(path),
        "config": {**config, "parts": [part.reference for part in parts]} if parts else dict(config),
        "weights_sha256": fingerprint(Path(path)) if path else "",
    }
    with transaction.atomic():
        model = _registered(slug, name)
        latest = model.latest
        if latest and all(getattr(latest, field) == value for field, value in content.items()):
            return latest
        revision = Revision.objects.create(model=model, number=latest.number + 1 if latest else 1, **content)
        revision.parts.set(parts)
    log.info(
        "registered",
        extra={"revision": revision.pk, "model": slug, "number": revision.number, "kind": str(kind)},
    )
    return revision


def resolve(slug: str) -> Revision:
    """The latest revision of a model. Raises UnknownModel when there is none, or it is retired."""
    model = RegisteredModel.objects.filter(slug=slug).first()
    if model is None or (latest := model.latest) is None:
        known = RegisteredModel.objects.filter(retired_at=None).values_list("slug", flat=True)
        raise UnknownModel(f"No model {slug!r} is registered; registered are: {', '.join(known) or 'none'}.")
    if model.retired_at:
        raise UnknownModel(f"Model {slug!r} is retired; register it again to use it.")
    return latest


def named(reference: str) -> Revision:
    """The latest revision of ``slug``, or that of ``slug@number``. Raises UnknownModel, UnknownRevision."""
    slug, at, number = reference.partition("@")
    if not at:
        return resolve(slug)
    if not number.isdecimal():
        raise UnknownRevision(f"{reference!r}: a revision is named by its number, such as {slug}@1.")
    return _numbered(slug, int(number))


def check_slug(slug: str) -> None:
    """Raises ModelhubError for what cannot name a model; ``register`` does not look."""
    longest = RegisteredModel._meta.get_field("slug").max_length or 0
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise ModelhubError(f"{slug!r} is no slug: use letters, digits, - and _ alone.") from error
    if len(slug) > longest:
        raise ModelhubError(f"{slug!r} is longer than {longest} characters; give a shorter slug.")


def _numbered(slug: str, number: int) -> Revision:
    """Of a retired model too."""
    found = Revision.objects.select_related("model").filter(model__slug=slug, number=number).first()
    if found is None:
        known = Revision.objects.filter(model__slug=slug).values_list("number", flat=True)
        raise UnknownRevision(
            f"There is no revision {number} of {slug!r}; it has: {', '.join(map(str, known)) or 'none'}."
        )
    return found


def retire(slug: str) -> None:
    """Take a model out of use; its revisions and what was said with them stay. Raises UnknownModel."""
    if not RegisteredModel.objects.filter(slug=slug, retired_at=None).update(retired_at=timezone.now()):
        raise UnknownModel(f"No model {slug!r} is in use, so there is nothing to retire.")
    log.info("retired", extra={"model": slug})


def get(revision_id: int) -> Revision:
    """A revision by its id, with its model. Raises UnknownRevision."""
    revision = Revision.objects.select_related("model").filter(pk=revision_id).first()
    if revision is None:
        raise UnknownRevision(
            f"There is no revision {revision_id}; register the model, or correct the study's arm."
        )
    return revision


def parts_of(revision: Revision) -> list[Revision]:
    """The revisions that a composite is made of, in its configuration's order; one query."""
    references = [str(name) for name in revision.config.get("parts", [])]
    if not references:
        return []
    slugs = [name.partition("@")[0] for name in references]
    candidates = Revision.objects.select_related("model").filter(model__slug__in=slugs)
    found = {part.reference: part for part in candidates}
    if missing := [name for name in references if name not in found]:
        raise UnknownRevision(
            f"{revision}: its parts {', '.join(missing)} are not registered; register them again."
        )
    return [found[name] for name in references]


def folder_of(revision: Revision) -> Path:
    """Where the weights are; paths that are stored relative ship with the project."""
    return Path(settings.BASE_DIR) / revision.path


def has_bank(folder: Path) -> bool:
    """Whether a folder has candidates to answer with."""
    return (folder / EMBEDDINGS).is_file()


def require_banks(revisions: Iterable[Revision]) -> None:
    """Raises NoBank for a model that could not say anything, or has such a part."""
    for revision in revisions:
        if revision.kind == Revision.Kind.RETRIEVAL and not has_bank(folder_of(revision)):
            raise NoBank(
                f"{revision.reference} has no bank to answer from; embed one with manage.py bank "
                f"{revision.model.slug} --data DIR."
            )
        require_banks(parts_of(revision))


def verify(revision: Revision) -> None:
    """Raises ChangedFiles when the files are not those that were registered."""
    if not revision.weights_sha256:
        return
    found = fingerprint(folder_of(revision))
    if found != revision.weights_sha256:
        raise ChangedFiles(
            f"{folder_of(revision)}: the files changed since {revision} was registered "
            f"(SHA-256 {found[:12]}, not {revision.weights_sha256[:12]}); "
            "restore them, or register them as a new revision."
        )


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of the folder's files. Raises ChangedFiles when there are none."""
    total = hashlib.sha256()
    present = [name for name in FILES if (folder / name).is_file()]
    if not present:
        raise ChangedFiles(f"{folder}: none of {', '.join(FILES)} is there; name a model's folder.")
    for name in present:
        with (folder / name).open("rb") as file:
            total.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _registered(slug: str, name: str) -> RegisteredModel:
    """The model's row, locked, with this name and in use."""
    model, _ = RegisteredModel.objects.select_for_update().get_or_create(slug=slug, defaults={"name": name})
    if model.name != name or model.retired_at:
        model.name, model.retired_at = name, None
        model.save(update_fields=["name", "retired_at"])
    return model


def stored_path(path: Path | str | None) -> str:
    """How a folder is kept: relative to the project for what ships with it, else absolute."""
    if path is None:
        return ""
    absolute = Path(path).resolve()
    project = Path(settings.BASE_DIR).resolve()
    return str(absolute.relative_to(project) if absolute.is_relative_to(project) else absolute)
