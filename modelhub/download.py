"""Download one file: resumed where it was cut, checked, and whole or not there at all. Standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from modelhub.errors import ModelhubError

#: Told the bytes that are there, and how many there will be: None where the server does not say.
Progress = Callable[[int, int | None], None]

CHUNK = 1 << 18
MAX_BYTES = 16 << 30
#: A server that sends nothing for so long is taken for dead.
SILENCE_S = 60.0
#: Of one call; the next one goes on where it ended.
TIME_LIMIT_S = 12 * 3600.0
#: Cuts in one call, each followed by another request for the rest.
CUTS = 8
#: Between a cut and the next request; grows with every cut.
PAUSE_S = 1.0


class DownloadError(ModelhubError):
    """A file could not be downloaded, or is not the one that was asked for."""

    code = "download"


class _Cut(Exception):
    """The connection ended early; the rest can be asked for."""


@dataclass(frozen=True, slots=True)
class _Download:
    """What is asked for, and its limits. ``tag`` keeps what the server called the version in ``part``."""

    url: str
    path: Path
    max_bytes: int
    deadline: float

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def tag(self) -> Path:
        return self.path.with_name(self.path.name + ".part.tag")

    @property
    def here(self) -> int:
        """Bytes that are there already."""
        return self.part.stat().st_size if self.part.is_file() else 0

    def drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def fetch(
    url: str,
    path: Path,
    sha256: str | None,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    time_limit_s: float = TIME_LIMIT_S,
) -> str:
    """Download ``url`` to ``path`` and return the SHA-256 of what came; without ``sha256`` any content will do.

    The file grows as ``path.part`` and gets its name when it is whole and right. A part that an earlier call left
    is resumed where the server can (RFC 9110, section 14) and still has the same version. A file that is there
    already is checked, and nothing is downloaded. Raises DownloadError.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url}: no http or https address; correct it.")
    download = _Download(url, path, max_bytes, time.monotonic() + time_limit_s)
    with _storage_errors(download):
        if path.exists():
            return _checked(
                path, sha256, f"{path} is there already, but is another file than {url}; remove it"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        _complete(download, progress or (lambda done, total: None))
        found = _checked(download.part, sha256, "", download)
        download.part.replace(path)
        download.tag.unlink(missing_ok=True)
    return found


def _checked(path: Path, sha256: str | None, otherwise: str, download: _Download | None = None) -> str:
    """The file's SHA-256, which must be the one asked for; a part with another one is of no use and is dropped."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is None or found == sha256.lower():
        return found
    if download:
        download.drop()
        otherwise = (
            f"{download.url}: another file came than was asked for, and was removed; "
            "fetch it again, and if that ends the same, the server's file has changed: get it elsewhere"
        )
    raise DownloadError(f"{otherwise} (SHA-256 {found}, not {sha256}).")


def _complete(download: _Download, progress: Progress) -> None:
    """Ask for the rest until all is there."""
    for cut in range(1, CUTS + 1):
        try:
            return _ask(download, progress)
        except _Cut as error:
            if cut == CUTS:
                raise DownloadError(
                    f"{download.url}: the connection was cut {CUTS} times ({error}). "
                    f"{download.here} bytes are kept in {download.part}; run it again to go on."
                ) from error
            time.sleep(PAUSE_S * cut)


def _ask(download: _Download, progress: Progress) -> None:
    """One request for what is missing. Raises _Cut when less came than was announced."""
    here = download.here
    answer = _answer(download, here)
    if answer is None:
        return
    with answer:
        begin, total = _extent(answer, here)
        if total is not None and total > download.max_bytes:
            raise DownloadError(
                f"{download.url}: {total} bytes are announced, above the limit of {download.max_bytes}."
            )
        download.tag.write_text(_version(answer))
        with download.part.open("ab" if begin else "wb") as file:
            done = begin
            progress(done, total)
            for chunk in _chunks(answer):
                file.write(chunk)
                done += len(chunk)
                _check_limits(download, done)
                progress(done, total)
    if total is not None and done != total:
        raise _Cut(f"after {done} of {total} bytes")


def _answer(download: _Download, here: int) -> http.client.HTTPResponse | None:
    """The server's answer to a request for everything after ``here``; None when that is nothing."""
    request = urllib.request.Request(download.url, headers={"User-Agent": "colloquy"})  # noqa: S310 (checked)
    if here:
        request.add_header("Range", f"bytes={here}-")
        if download.tag.is_file() and (version := download.tag.read_text()):
            request.add_header("If-Range", version)
    try:
        return _opener().open(request, timeout=SILENCE_S)
    except HTTPError as error:
        error.close()
        if error.code == 416 and here:
            if error.headers.get("Content-Range") == f"bytes */{here}":
                return None
            # More is here than there: what is here is of another version.
            download.drop()
            raise _Cut("the server has less than is here") from error
        raise DownloadError(
            f"{download.url}: the server answers {error.code} {error.reason}; check the address, or put the "
            f"file at {download.path} by hand."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(
            f"{download.url}: no answer ({getattr(error, 'reason', error)}). Without a network, download it "
            f"elsewhere and put it at {download.path}; else run it again: {here} bytes are kept."
        ) from error


def _opener() -> urllib.request.OpenerDirector:
    """http and https alone: the usual opener would follow a redirection to ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _extent(answer: http.client.HTTPResponse, here: int) -> tuple[int, int | None]:
    """The first byte that comes, and the size of the whole. A server without ranges sends all of it again."""
    length = answer.headers.get("Content-Length")
    if answer.status != 206:
        return 0, int(length) if length and length.isdigit() else None
    given = answer.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", given.strip())
    if not match or int(match[1]) != here:
        raise DownloadError(
            f"{answer.url}: asked for the bytes from {here} on, the server sends {given or 'no range'!r}; "
            "remove the .part file and fetch it again."
        )
    return here, None if match[3] == "*" else int(match[3])


def _version(answer: http.client.HTTPResponse) -> str:
    """What If-Range may ask for: a strong entity tag, else the date of the last change."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            chunk = answer.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _Cut(repr(error)) from error
        if not chunk:
            return
        yield chunk


def _check_limits(download: _Download, done: int) -> None:
    if done > download.max_bytes:
        download.drop()
        raise DownloadError(
            f"{download.url}: more than {download.max_bytes} bytes came, above the limit; nothing was kept."
        )
    if time.monotonic() > download.deadline:
        raise DownloadError(
            f"{download.url}: the time limit is over with {done} bytes in {download.part}; run it again to go on."
        )


@contextmanager
def _storage_errors(download: _Download) -> Iterator[None]:
    """A full disk, a folder that may not be written: errors of this machine, not of the network."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{download.path} cannot be read or written ({error}); make room or name another folder, and run it "
            "again: what came is kept."
        ) from error
