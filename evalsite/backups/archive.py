"""The file: written whole or not at all, verified after writing, and read without trusting it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from evalsite.backups.manifest import Manifest, Member
from evalsite.errors import BackupRefused
from modelhub.archives import check_name
from modelhub.errors import ModelhubError

MANIFEST = "manifest.json"
#: A manifest of a hundred tables and a thousand model files has a few hundred kilobytes.
MAX_MANIFEST_BYTES = 64 << 20
BLOCK_BYTES = 1 << 20


def measured(path: Path) -> Member:
    """Size and hash of a file that is to go in."""
    with path.open("rb") as file:
        return Member(bytes=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def write(to: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write the manifest and its members, readable by their owner alone; verify; then give the file its name.

    Raises BackupRefused where ``to`` is there already, or what was written is not what was meant.
    """
    if to.exists():
        raise BackupRefused(f"{to} is there already: name another file, or move that one away.")
    descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")  # 0600
    draft = Path(name)
    try:
        with open(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                raw = manifest.as_json()
                tar.addfile(_header(MANIFEST, len(raw)), io.BytesIO(raw))
                for member, described in manifest.members.items():
                    with sources[member].open("rb") as source:
                        tar.addfile(_header(member, described.bytes), source)
            file.flush()
            os.fsync(file.fileno())
        if verify(draft) != manifest:
            raise BackupRefused(f"{to}: what was written cannot be read back; check the disk and try again.")
        draft.replace(to)
        _sync_folder(to.parent)
    finally:
        draft.unlink(missing_ok=True)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


def _sync_folder(folder: Path) -> None:
    """So that the name, too, outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(path: Path) -> Manifest:
    """Read all of it and compare with its manifest. Raises BackupRefused, saying what is wrong."""
    return _read(path, {})


def extract(path: Path, wanted: Mapping[str, Path]) -> Manifest:
    """Verify, and write the wanted members to these files, whose folders must be there."""
    return _read(path, wanted)


def _read(path: Path, wanted: Mapping[str, Path]) -> Manifest:
    with _refusals(path), tarfile.open(path, "r:") as tar:
        members = iter(tar)
        manifest = _manifest(tar, next(members, None))
        missing = dict(manifest.members)
        for found in members:
            described = missing.pop(found.name, None)
            if described is None:
                raise BackupRefused(f"{found.name!r} is not in its manifest, or there twice")
            _check_member(path, found, described)
            content = tar.extractfile(found)
            assert content is not None  # a regular file
            if _copied(content, wanted.get(found.name)) != described.sha256:
                raise BackupRefused(f"{found.name} is damaged: its SHA-256 is not that of the manifest")
        if missing:
            raise BackupRefused(f"it lacks {', '.join(sorted(missing)[:5])}")
        return manifest


def _manifest(tar: tarfile.TarFile, first: tarfile.TarInfo | None) -> Manifest:
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MAX_MANIFEST_BYTES:
        raise BackupRefused(f"it does not begin with {MANIFEST}, as backups of manage.py backup do")
    content = tar.extractfile(first)
    assert content is not None  # a regular file
    return Manifest.from_json(content.read())


def _check_member(path: Path, found: tarfile.TarInfo, described: Member) -> None:
    check_name(path, found.name)
    if not found.isreg():
        raise BackupRefused(f"{found.name} is no plain file")
    if found.size != described.bytes:
        raise BackupRefused(f"{found.name} has {found.size} bytes, not {described.bytes}")


def _copied(content: IO[bytes], to: Path | None) -> str:
    """The SHA-256 of a member, which is written to a new file on the way where one is named."""
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        file = None
        if to is not None:
            descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            file = stack.enter_context(open(descriptor, "wb"))
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
            if file:
                file.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Every way in which a file may be wrong, as one sentence that names it."""
    try:
        yield
    except BackupRefused as refusal:
        raise BackupRefused(f"{path} is refused: {str(refusal).rstrip('.')}. Take another backup.") from None
    except ModelhubError as refusal:
        raise BackupRefused(str(refusal)) from None
    except (tarfile.TarError, EOFError) as error:
        raise BackupRefused(f"{path} is damaged or no backup ({error}). Take another one.") from None
