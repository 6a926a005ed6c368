"""An export's folder as one file: the same folder, the same bytes."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

#: The earliest time that a zip can say.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, to: Path) -> Path:
    """Write ``to``, a ``.tar.gz`` or a ``.zip``, with the folder in it under the folder's name; whole or not at all."""
    draft = to.with_name(f".{to.name}.unfinished")
    try:
        (_tar if to.name.endswith(".tar.gz") else _zip)(folder, draft)
        os.replace(draft, to)
    finally:
        draft.unlink(missing_ok=True)
    return to


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path


def _tar(folder: Path, to: Path) -> None:
    with (
        to.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in _files(folder):
            header = tarfile.TarInfo(name)
            header.size, header.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                tar.addfile(header, content)


def _zip(folder: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, path in _files(folder):
            header = zipfile.ZipInfo(name, EPOCH)
            header.compress_type, header.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with path.open("rb") as content, zipped.open(header, "w", force_zip64=True) as member:
                while block := content.read(1 << 20):
                    member.write(block)
