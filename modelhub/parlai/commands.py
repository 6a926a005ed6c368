"""What ``manage.py import_parlai`` and ``manage.py fetch_zoo`` do: fetch, import, register, say what was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from modelhub import registry
from modelhub.download import fetch
from modelhub.models import Revision
from modelhub.parlai import importing, zoo
from modelhub.progress import Bars


def import_model(
    source: Path,
    slug: str,
    name: str = "",
    bank: Path | None = None,
    out: Path | None = None,
    skill: str = "",
) -> Iterator[str]:
    """Import a folder or archive and register it; yields lines for a person. Raises ModelhubError."""
    registry.check_slug(slug)
    folder = out or settings.DATA_DIR / "models" / slug
    with Bars("utterances") as bars:
        importing.convert(source, folder, bank, bars.show, skill or importing.BANK_SOURCE)
    yield f"imported to {folder}"
    yield _register(slug, name or slug, folder, skill)
    if not registry.has_bank(folder):
        yield f"it has no candidates to answer with yet: manage.py bank {slug} --data DIR embeds some"


def fetch_zoo(
    name: str,
    slug: str = "",
    row: str = "",
    bank: Path | None = None,
    folder: Path | None = None,
    out: Path | None = None,
    mirror: str = zoo.BASE,
) -> Iterator[str]:
    """Download a model of the zoo into ``folder``, import and register it; what an earlier call did stays done.

    The archive's SHA-256 is noted beside it when it came first, and checked from then on. Raises ModelhubError.
    """
    model = zoo.model(name)
    slug = slug or model.slug
    registry.check_slug(slug)
    target = out or settings.DATA_DIR / "models" / slug
    if importing.is_imported(target):
        yield f"{target} was imported already"
        yield _register(slug, row or model.row, target, model.skill)
        return
    archive = (folder or settings.DATA_DIR / "zoo") / f"{name}.tar.gz"
    with Bars("B") as bars:
        sha256 = fetch(model.url(mirror), archive, _expected(model, archive), lambda *n: bars.show(name, *n))
    _note(archive).write_text(f"{sha256}  {archive.name}\n", encoding="utf-8")
    yield f"{archive}: SHA-256 {sha256}" + ("" if model.sha256 else " (none is published; noted beside it)")
    yield from import_model(archive, slug, row or model.row, bank, target, model.skill)


def _expected(model: zoo.ZooModel, archive: Path) -> str | None:
    """The published hash, else that of what came first."""
    if model.sha256 or not _note(archive).is_file():
        return model.sha256
    return _note(archive).read_text(encoding="utf-8").split()[0]


def _note(archive: Path) -> Path:
    return archive.with_name(archive.name + ".sha256")


def _register(slug: str, name: str, folder: Path, skill: str) -> str:
    config = {"skill": skill} if skill else {}
    revision = registry.register(slug, name, Revision.Kind.RETRIEVAL, folder, config)
    return f"registered {revision.reference} as {name}"
