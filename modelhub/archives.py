"""Unpack archives that others made: all of it into a new folder, or nothing. Standard library alone."""

from __future__ import annotations

import gzip
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from modelhub.errors import ModelhubError

#: Of everything unpacked together; the largest known archive has a hundredth of the files.
MAX_BYTES = 32 << 30
MAX_FILES = 100_000
#: A tar header with names may be read at once, so its size is bounded too.
MAX_READ = 1 << 24


class ArchiveError(ModelhubError):
    """An archive is damaged, too large, or would write outside its folder."""

    code = "archive"


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
    """Unpack a tar.gz (tgz) or zip into ``folder``, which must be new or empty.

    Refused are absolute paths, ``..``, links that could leave the folder, devices, and more than ``max_bytes``
    or ``max_files``. It is unpacked beside ``folder`` first, so that ``folder`` never holds a half.
    Raises ArchiveError, naming the archive.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArchiveError(f"{folder} is there already; remove it, or unpack {archive.name} elsewhere.")
    unpack_into = _unpacker(archive)
    budget = _Budget(archive, max_bytes, max_files)
    beside = folder.with_name(f".{folder.name}.unpacking")
    try:
        with _archive_errors(archive):
            # An earlier run that was killed may have left one.
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            unpack_into(archive, beside, budget)
            beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


class _Budget:
    """What an archive may still unpack."""

    def __init__(self, archive: Path, max_bytes: int, max_files: int) -> None:
        self.archive = archive
        self.max_bytes = self.bytes_left = max_bytes
        self.max_files = self.files_left = max_files

    def take(self, size: int) -> None:
        self.files_left -= 1
        self.take_bytes(size)

    def take_bytes(self, size: int) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0 or self.files_left < 0:
            raise ArchiveError(
                f"{self.archive}: unpacks to more than {self.max_bytes} bytes or {self.max_files} files; "
                "nothing was unpacked. Check where it comes from."
            )


def _unpacker(archive: Path) -> Callable[[Path, Path, _Budget], None]:
    """By the first bytes: a name says little about what came."""
    try:
        with archive.open("rb") as file:
            begin = file.read(4)
    except OSError as error:
        raise ArchiveError(f"{archive} cannot be read ({error}); name an archive.") from error
    if begin.startswith(b"\x1f\x8b"):
        return _unpack_tar
    if begin in (b"PK\x03\x04", b"PK\x05\x06"):
        return _unpack_zip
    raise ArchiveError(f"{archive}: neither a tar.gz nor a zip, it begins with {begin!r}; fetch it again.")


class _Gzip(gzip.GzipFile):
    """A stream that does not hand out a bomb at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MAX_READ:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size)


def _unpack_tar(archive: Path, folder: Path, budget: _Budget) -> None:
    with _Gzip(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                check_name(archive, member.name)
                if member.issym() or member.islnk():
                    # Targets that only go down never leave the folder, whatever other links do.
                    check_name(archive, member.linkname, f"{member.name}, a link to ")
                elif not (member.isreg() or member.isdir()):
                    raise ArchiveError(
                        f"{archive}: {member.name} is a device or a pipe; nothing was unpacked."
                    )
                budget.take(member.size)
                tar.extract(member, folder, filter="data")
        # To the end: only there the stream's checksum stands.
        while rest := stream.read(1 << 20):
            budget.take_bytes(len(rest))


def _unpack_zip(archive: Path, folder: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            check_name(archive, member.filename)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveError(
                    f"{archive}: {member.filename} is a link or a device; nothing was unpacked."
                )
            # The announced size binds: no more than that is read, and then the checksum fails.
            budget.take(member.file_size)
            zipped.extract(member, folder)


def check_name(archive: Path, name: str, before: str = "") -> None:
    """Raises ArchiveError for a member that could lie outside the folder.

    Names for Windows are looked at too: an archive is as hostile wherever it is unpacked.
    """
    outside = ".." in re.split(r"[\\/]", name) or name.startswith(("/", "\\")) or PureWindowsPath(name).drive
    if outside or not name:
        raise ArchiveError(
            f"{archive}: {before}{name!r} could lie outside the folder; nothing was unpacked. "
            "Check where the archive comes from."
        )


@contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    # KeyError: a hard link to a file that is not there.
    damaged = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, KeyError)
    try:
        yield
    except damaged as error:
        raise ArchiveError(
            f"{archive}: damaged or cut off ({error}); remove it and fetch it again."
        ) from error
    except (RuntimeError, NotImplementedError) as error:
        raise ArchiveError(f"{archive}: {error}; unpack it by hand.") from error
    except OSError as error:
        raise ArchiveError(f"{archive} cannot be unpacked ({error}); nothing was unpacked.") from error
